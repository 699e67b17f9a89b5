"""A verdict on a classifier that is there already, from its predictions."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import fspath
from typing import TYPE_CHECKING

import pandas as pd

from camerabias.analysis.design.names import name_some
from camerabias.analysis.judged.cameras import accuracy_by_camera
from camerabias.analysis.judged.findings import Judged, find_judged
from camerabias.analysis.records.load import load_records
from camerabias.analysis.verdict.decide import Verdict, decide, investigate, read_verdict
from camerabias.datasets.io.alone import alone_in
from camerabias.datasets.io.printable import typed
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.predictions.columns import PredictionColumns
from camerabias.datasets.predictions.table import (
    TEST,
    TRAIN,
    PredictionTable,
    read_predictions,
    read_training,
)
from camerabias.datasets.schema import JUDGED_FILE, RUN_FILE, CamerabiasError

if TYPE_CHECKING:
    from camerabias.photos import Location  # late: importing photos costs half a second


class Judgement:
    """A verdict on a classifier.

    Args:
        document: The verdict, as `verdict.json` holds it.
        notes: What was assumed in reading the predictions, in sentences.
        judged: The predictions; None of a run.
        associated: Associated label by camera.
        read: Reads a photo by its path, for the page.

    Attributes:
        document: As given.
        notes: As given.
        associated: As given.
        page: Path or URI of the page, where a run was written.
    """

    def __init__(
        self,
        document: Verdict,
        notes: Sequence[str] = (),
        judged: Judged | None = None,
        associated: Mapping[str, str] | None = None,
        read: Callable[[str], bytes] | None = None,
    ) -> None:
        self.document = document
        self.notes = list(notes)
        self.page: str | None = None
        self.associated = dict(associated or {})
        self._judged = judged
        self._read = read

    def __repr__(self) -> str:
        return f"<camerabias.Judgement: {self.verdict}>"

    @property
    def verdict(self) -> str:
        """The verdict in a word or two, such as `cheating`."""
        return self.document.verdict

    @property
    def reasons(self) -> list[str]:
        """Why, a sentence each: after the associated labels, the deciding one first."""
        return self.document.reasons

    @property
    def next_steps(self) -> list[str]:
        """What to do, a sentence each."""
        return self.document.next_steps

    @property
    def numbers(self) -> dict[str, float | None]:
        """Every number behind the reasons, by name; None where it is not known."""
        return self.document.evidence

    @property
    def cameras(self) -> pd.DataFrame:
        """A row per camera, the one with most photos first.

        Returns:
            Columns camera, seen (in training, as far as that is known), associated_label, photos, accuracy with
            accuracy_low and accuracy_high, and given_associated: the share of photos of other labels for which the
            associated label is predicted.

        Raises:
            CamerabiasError: A run was judged; `load(run).accuracy(by=["camera"])` has its accuracies.
        """
        if self._judged is None:
            raise CamerabiasError('Of a run, load(run).accuracy(by=["camera"]) has the accuracy by camera.')
        return accuracy_by_camera(self._judged, self.associated)

    def summary(self) -> str:
        """The verdict, its reasons, what to do next, and what was assumed."""
        parts = {"Next:": self.next_steps, "What was assumed:": self.notes}
        more = [line for head, lines in parts.items() if lines for line in ("", head, *lines)]
        return "\n".join([f"Verdict: {self.verdict}", self.document.meaning, *self.reasons, *more])

    def write(self, run: Location, no_photos: bool = False) -> str | None:
        """Write the rows, `verdict.json` and a page, as `judge` does with `run`.

        Args:
            run: Folder, or address in a bucket.
            no_photos: As of `judge`.

        Returns:
            Path or URI of the page; None of a run, which has one already.

        Raises:
            CamerabiasError: The folder holds a run of trials.
        """
        if self._judged is None:
            return None
        from camerabias.analysis.report.judged import write_judged  # late: figures cost a second

        folder, read = Folder(fspath(run)), None if no_photos else self._read
        if folder.exists(RUN_FILE):
            raise CamerabiasError(f"{folder} is a run of trials; choose another folder for what is judged.")
        with alone_in(folder):
            self.page = write_judged(folder, self._judged, self.associated, self.document, self.notes, read)
        return self.page


def judge(
    predictions: Location | pd.DataFrame,
    training: Location | pd.DataFrame | None = None,
    associated: Mapping[str, str] | None = None,
    label: str | None = None,
    prediction: str | None = None,
    camera: str | None = None,
    scores: str | None = None,
    group: str | None = None,
    split: str | None = None,
    seed: str | None = None,
    fold: str | None = None,
    image: str | None = None,
    predicted_camera: str | None = None,
    one_vs_rest: str | None = None,
    run: Location | None = None,
    no_photos: bool = False,
) -> Judgement:
    """Say whether a classifier uses the camera, from its predictions alone.

    Args:
        predictions: A DataFrame with a row per prediction (columns label, prediction, camera, and if there are any
            scores, group, split, seed, fold), the path or URI of such a table, or an audited RUN, whose verdict it
            is.
        training: What the classifier was trained on, a row per photo with label and camera: it tells which label each
            camera is associated with. None takes the rows whose split is train, or else the judged rows themselves.
        associated: The associated label by camera, in place of a table.
        label: Column of what is true; None takes the usual names of such a column, as of all that follow.
        prediction: Column of what was predicted.
        camera: Column of the device that took the photo.
        scores: Beginning of the names of the columns of scores, one per class, or the name of the only one.
        group: Column of what belongs together, such as a patient.
        split: Column that says of which side a row is, train or test.
        seed: Column of which of several trained models has predicted.
        fold: Column of the part that was tested, in cross-validation.
        image: Column of the photo's path or name.
        predicted_camera: Column of what a classifier of the camera has predicted.
        one_vs_rest: A label, or a member of labels that are sets (`A|B`): all others become one label.
        run: Folder, or address in a bucket, to write the rows, `verdict.json` and a page to; None writes nothing.
        no_photos: Whether to keep pictures of photos out of the page; else those that the table's paths lead to.

    Returns:
        The verdict, its reasons and numbers.

    Raises:
        CamerabiasError: A column is missing or has gaps, words do not match, scores are no numbers, or the run was
            never audited.

    Example:
        >>> rows = pd.DataFrame({"y_true": ["cat", "dog"] * 60, "device": ["A"] * 60 + ["B"] * 60})
        >>> rows["y_pred"] = rows["device"].map({"A": "cat", "B": "dog"})
        >>> camerabias.judge(rows, associated={"A": "cat", "B": "dog"}).verdict
        'cheating'
    """
    if not isinstance(predictions, pd.DataFrame) and (known := _known(Folder(fspath(predictions)))):
        return known
    columns = PredictionColumns(
        label, prediction, camera, scores, group, split, seed, fold, image, predicted_camera
    )
    if training is not None and associated is not None:
        raise CamerabiasError(
            "Both training and associated say which label each camera is associated with; give one."
        )
    table = read_predictions(predictions, columns, one_vs_rest)
    trained, said = (None, list[str]()) if training is None else read_training(training, columns, one_vs_rest)
    judged, source, more = _judged(table, trained, associated)
    judged = replace(judged, tables=_tables(predictions, len(table.rows), training, judged.training))
    if not isinstance(predictions, pd.DataFrame):
        judged = replace(judged, source=typed(fspath(predictions)))
    found = find_judged(judged)
    associates, verdict = found.design.associated_labels, decide(found)
    verdict = verdict.model_copy(
        update={"reasons": [*_name_associated(associates, source), *verdict.reasons]}
    )
    judgement = Judgement(verdict, [*table.notes, *said, *more], judged, associates, _reader(predictions))
    if run is not None:
        judgement.write(run, no_photos)
    return judgement


def _tables(
    predictions: Location | pd.DataFrame,
    n_predictions: int,
    training: Location | pd.DataFrame | None,
    trained: pd.DataFrame | None,
) -> dict[str, str]:
    """What a page says of the tables that were read."""
    own = "the rows of split train" if training is None else _named(training)
    return {
        "Predictions": f"{_named(predictions)}, {n_predictions} rows",
        "Training": "not known" if trained is None else f"{own}, {len(trained)} rows",
    }


def _named(table: Location | pd.DataFrame) -> str:
    return "a frame" if isinstance(table, pd.DataFrame) else fspath(table)


def _name_associated(associated: Mapping[str, str], source: str) -> list[str]:
    """What using the camera would look like, in a sentence."""
    names = [f"{camera!r} with {label!r}" for camera, label in sorted(associated.items())]
    return (
        [f"Associated labels, {source}: {name_some(names)}.{_GUESSED if source == _FROM_JUDGED else ''}"]
        if names
        else []
    )


_FROM_JUDGED = "from the judged photos"
_GUESSED = " Where training was otherwise, so is the verdict: `--training train.csv` says what it was like."


def _known(folder: Folder) -> Judgement | None:
    """The verdict of a run that was audited, again, or of predictions that were judged; None where this is no run."""
    if folder.exists(JUDGED_FILE):
        return Judgement(read_verdict(folder.child("report")))
    if not folder.exists(RUN_FILE):
        return None
    found = investigate(load_records(folder))
    if found is None:
        raise CamerabiasError(
            f"{folder} is a run that nobody has audited, so it has no verdict; `camerabias report {folder}` shows "
            "what it found."
        )
    return Judgement(decide(found))


def _reader(predictions: Location | pd.DataFrame) -> Callable[[str], bytes]:
    """Reads photos by their paths, which are absolute, or below the folder of the table."""
    below = "." if isinstance(predictions, pd.DataFrame) else posixpath.dirname(fspath(predictions))

    def read(path: str) -> bytes:
        folder, name = posixpath.split(posixpath.join(below, path))
        return Folder(folder or ".").read_bytes(name)

    return read


def _judged(
    table: PredictionTable, training: pd.DataFrame | None, associated: Mapping[str, str] | None
) -> tuple[Judged, str, list[str]]:
    """The rows to be judged, where associated labels come from, and what else was assumed, in sentences."""
    rows, notes = table.rows, list[str]()
    source = "as stated" if associated is not None else "from training"
    if "split" in rows:
        side = rows["split"]
        if training is None and associated is None and (side == TRAIN).any():
            training = rows.loc[side == TRAIN, ["label", "camera", "group"]]
            source = f"from the {len(training)} rows of split train"
        rows = rows[side == TEST]
        notes.append(f"Judged are the {len(rows)} rows of split test.")
    if training is None and associated is None:
        source = _FROM_JUDGED
    judged = Judged(rows, table.scores.loc[rows.index], training, associated)
    if judged.unseen_cameras:
        n = len(rows) - len(judged.seen)
        notes.append(
            f"{n} rows of cameras that training never saw ({', '.join(judged.unseen_cameras)}) do not count."
        )
    return judged, source, notes
