"""What a run found, as frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from os import PathLike, fspath
from typing import TYPE_CHECKING

import pandas as pd

from camerabias.analysis.records.load import load_records
from camerabias.analysis.records.records import Records
from camerabias.analysis.report.report import Report, make_report
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.verdict.decide import Verdict, decide, investigate
from camerabias.datasets.dataset import is_dataset, open_dataset, open_manifest
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.record import EXAMPLES_FILE, EXAMPLES_FOLDER
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import DIMENSIONS

if TYPE_CHECKING:
    from camerabias.sweeps.execution.outcome import SweepOutcome

_IN_PHOTOS = ["label", "camera", "truth", "draw"]
"""What accuracy can be asked by, besides: columns of the test photos."""


class Results:
    """What a run found; everything is read, or computed, when it is first asked for.

    Args:
        records: The run's records.
        outcomes: How each sweep of an audit ended; empty of a run that was loaded.
    """

    def __init__(self, records: Records, outcomes: Sequence[SweepOutcome] = ()) -> None:
        self.records = records
        self.outcomes = outcomes

    def __repr__(self) -> str:
        done = int((self.trials["status"] == "done").sum())
        return f"<camerabias.Results of {self.records.run.folder}: {done} of {len(self.trials)} trials done>"

    @cached_property
    def _decided(self) -> Verdict | None:
        found = investigate(self.records)
        return None if found is None else decide(found)

    @property
    def verdict(self) -> str | None:
        """The audit's verdict in a word or two, such as `cheating`; None where the run was not audited."""
        return None if self._decided is None else self._decided.verdict

    @property
    def reasons(self) -> list[str] | None:
        """Why, a sentence each, the deciding one first; None where the run was not audited."""
        return None if self._decided is None else self._decided.reasons

    @property
    def numbers(self) -> dict[str, float | None] | None:
        """Every number behind the reasons by name; None where the run was not audited."""
        return None if self._decided is None else self._decided.evidence

    @property
    def trials(self) -> pd.DataFrame:
        """A row per trial, indexed by `id`: what was asked, `status`, accuracies (0 to 1), seconds, `reason`."""
        return self.records.trials.copy()

    def cells(self) -> pd.DataFrame:
        """A row per cell, the trials that differ by their seed alone.

        Returns:
            Columns target, setting, train_view, test_view, model, size, mitigation, recipe, and numbers of trials:
            `asked` and `done`.
        """
        done = self.trials.assign(done=self.trials["status"] == "done")
        return done.groupby([*DIMENSIONS], sort=False)["done"].agg(asked="size", done="sum").reset_index()

    def predictions(self) -> pd.DataFrame:
        """A row per finished trial, test photo and draw.

        Returns:
            Columns trial (its id), those of `cells()`, seed, image_id, label, camera, group, draw, truth, prediction
            and correct.

        Raises:
            CamerabiasError: No trial has finished, or a file is damaged; it is named.
        """
        trials = self.trials
        trials = trials[trials["status"] == "done"]
        if trials.empty:
            raise CamerabiasError(f"No trial of {self.records.run.folder} has finished; run its sweep again.")
        frames = []
        for trial, asked in trials[[*DIMENSIONS, "seed"]].iterrows():
            rows = self.records.predictions(str(trial))
            asked_for = {str(name): value for name, value in asked.items()}
            frames.append(
                rows.assign(trial=str(trial), correct=rows["prediction"] == rows["truth"], **asked_for)
            )
        joined = pd.concat(frames, ignore_index=True)
        first = ["trial", *DIMENSIONS, "seed"]
        return joined[[*first, *(name for name in joined if name not in first)]]

    def accuracy(self, by: Sequence[str] = DIMENSIONS) -> pd.DataFrame:
        """Accuracy, a row per combination; of a random view, over every draw (`test_accuracy` counts the first).

        Args:
            by: Columns, a row per combination of their values: of `cells()` (by default all, a row per cell), `seed`,
                or of test photos (label, camera, truth, draw). Accuracy is averaged over all others.

        Returns:
            The columns of `by`, then accuracy (mean over trials, 0 to 1), accuracy_low and accuracy_high (95 %
            interval over groups of photos and over trials; NaN below ten groups), and trials and groups behind it.

        Raises:
            CamerabiasError: `by` names no such column, or no trial has finished.

        Example:
            >>> camerabias.load("runs/mine").accuracy(by=["camera"])["camera"].tolist()
            ['camera 1', 'camera 2', 'camera 3', 'camera 4', 'camera 5']
        """
        by, allowed = list(by), [*DIMENSIONS, "seed", *_IN_PHOTOS]
        unknown = [name for name in by if name not in allowed]
        if unknown or not by:
            raise CamerabiasError(
                f"accuracy(by=...) names {', '.join(map(repr, unknown)) or 'nothing'}; give some of "
                f"{', '.join(allowed)}."
            )
        rows = []
        for key, found in self.predictions().groupby(by):
            estimate = accuracy([frame for _, frame in found.groupby("trial")])
            counts = {"trials": estimate.n_seeds, "groups": estimate.n_groups}
            rows.append(dict(zip(by, key, strict=True)) | estimate.named("accuracy") | counts)
        return pd.DataFrame(rows)

    def summary(self) -> str:
        """The verdict, its reasons and what to do next; of a run that was not audited, its accuracies."""
        if self._decided is None:
            return f"{self!r}, not audited\n\n{self.accuracy().round(3).to_string(index=False)}"
        lines = [f"Verdict: {self._decided.verdict}", self._decided.meaning, *self._decided.reasons]
        return "\n".join([*lines, "", "Next:", *self._decided.next_steps])


def load(run: str | PathLike[str]) -> Results:
    """Read what a run left behind, finished or not; changes nothing.

    Args:
        run: The run's folder, or its address in a bucket.

    Raises:
        CamerabiasError: There is no run, or a file is damaged; it is named.

    Example:
        >>> results = camerabias.load("runs/mine")
        >>> results.trials["status"].unique().tolist()
        ['done']
    """
    return Results(load_records(fspath(run)))


def report(run: str | PathLike[str]) -> Report:
    """Make a run's tables, figures and page again, as `camerabias report` does.

    Args:
        run: The run's folder, or its address in a bucket.

    Returns:
        The report: `index` is the page's path.

    Raises:
        CamerabiasError: There is no run, or a file that a number needs is damaged; it is named.

    Example:
        >>> camerabias.report("runs/mine").index.endswith("index.html")
        True
    """
    return make_report(fspath(run), _reader(Run(fspath(run))))


def _reader(run: Run) -> Callable[[str], bytes] | None:
    """Reads its dataset's photos; None where it is not there, or where pictures are to stay out of the run."""
    if not run.folder.child(EXAMPLES_FOLDER).exists(EXAMPLES_FILE):
        return None
    info = run.info()
    dataset = Folder(info["dataset_location"])
    # of a run that was copied here, a bucket may be out of reach
    if (run.folder.is_local and not dataset.is_local) or not is_dataset(dataset):
        return None
    if open_manifest(dataset).fingerprint != info["dataset"]:
        return None
    opened = cache(lambda: open_dataset(dataset))  # when a photo is asked for: most reports show none
    return lambda image_id: opened().read_image(image_id)
