"""A run's records, read for analysis: studies, a table of trials, predictions and histories on demand.

Nothing is dropped silently. A trial without a folder is `missing`, one whose files cannot be read is `damaged`
with the file's name as the reason; neither ever counts as a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Literal, NamedTuple, TypeVar, cast

import pandas as pd
from pydantic import BaseModel, TypeAdapter

from camerabias.analysis.records.answers import IMAGE_COLUMNS, PREDICTION_COLUMNS, Answers
from camerabias.analysis.records.reading import UNREADABLE, naming
from camerabias.analysis.records.study import (
    Example,
    RunInfo,
    Sizes,
    ViewPicture,
    name_model,
    sizes_of,
)
from camerabias.analysis.statistics.accuracy import accuracy, chance
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.trainables.records.documents import damaged
from camerabias.trainables.records.record import (
    EXAMPLES_FILE,
    EXAMPLES_FOLDER,
    HISTORY_FILE,
    PREDICTIONS_FILE,
    PROBES_FOLDER,
    VIEWS_FILE,
    ProbeArrays,
    Status,
)
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import VARIATIONS, PlannedStudy, StudyCell
from camerabias.trainables.spec.trial import TrialConfig

Cameras = Literal["all", "seen", "unseen"]
"""Which test images count: of all cameras, or of those that were (not) seen in training."""

TrialStatus = Status | Literal["damaged"]

SeedPredictions = dict[int, pd.DataFrame]
"""Predictions by seed, columns as `Records.predictions` gives them."""

Listed = TypeVar("Listed", bound=BaseModel)


class DamagedProbe(NamedTuple):
    """A probe that cannot be read: what it is of, in words; the id of its trial; why."""

    name: str
    trial: str
    reason: str


@dataclass(frozen=True)
class Records:
    """Everything that a run left behind.

    Attributes:
        run: The run.
        info: `run.json`.
        studies: Studies by name.
        trials: A row per trial of any study, indexed by `id`: name, studies, what was asked (target, setting,
            views, model, size, seed, recipe ...), `status`, how it ended, accuracies, seconds, and the `reason`
            of a failed or damaged one.
    """

    run: Run
    info: RunInfo
    studies: dict[str, PlannedStudy]
    trials: pd.DataFrame
    _answers: Answers = field(default_factory=Answers, repr=False)
    _latest: dict[tuple[str, ...], pd.DataFrame] = field(
        default_factory=dict, repr=False
    )  # of one cell alone
    _accuracies: dict[tuple[object, ...], tuple[Estimate, float]] = field(default_factory=dict, repr=False)
    _flaws: dict[tuple[str, str], str] = field(
        default_factory=dict, repr=False
    )  # of probes read; "" if there is none

    def status(self, trial_id: str) -> TrialStatus:
        """Status of one trial."""
        return self._statuses[trial_id]

    @cached_property
    def _statuses(self) -> dict[str, TrialStatus]:
        return cast(dict[str, TrialStatus], self.trials["status"].to_dict())

    @cached_property
    def _targets(self) -> dict[str, Target]:
        return cast(dict[str, Target], self.trials["target"].to_dict())

    @cached_property
    def _cells(self) -> dict[tuple[str, ...], StudyCell]:
        """Cells of all studies by key, the same cell only once (as the first study has it)."""
        found: dict[tuple[str, ...], StudyCell] = {}
        for study in self.studies.values():
            for cell in study.cells:
                found.setdefault(cell.key, cell)
        return found

    @cached_property
    def _sizes(self) -> Sizes:
        return sizes_of(self._cells.values())

    def repeating_paper(self) -> Records:
        """The same run with those of its studies alone that repeat the paper."""
        return replace(
            self, studies={name: study for name, study in self.studies.items() if study.paper is not None}
        )

    def done(self, cell: StudyCell) -> dict[int, str]:
        """Seeds and ids of the finished trials of a cell."""
        return {seed: trial for seed, trial in cell.trials.items() if self.status(trial) == "done"}

    def unseen_cameras(self, cell: StudyCell) -> tuple[str, ...]:
        """Cameras of the dataset that a cell does not train on."""
        return tuple(camera for camera in self.info.cameras if camera not in cell.seen_cameras)

    def model_name(self, cell: StudyCell) -> str:
        """What findings and figures call a cell's model, see `name_model`."""
        return name_model(cell, self._sizes)

    def cells(
        self,
        target: Target,
        setting: str | None = None,
        views: str | None = None,
        **variations: str | None,
    ) -> list[StudyCell]:
        """Cells of all studies, the same cell only once (as the first study has it).

        Args:
            target: What is learned.
            setting: Its setting; None for any.
            views: `StudyCell.views`; None for any.
            variations: Its value in some of `VARIATIONS`, such as its mitigation; None for any, and the one that most
                studies leave alone where nothing is said.
        """
        assert variations.keys() <= VARIATIONS.keys()
        wanted = VARIATIONS | variations
        return [
            cell
            for cell in self._cells.values()
            if cell.target == target
            and setting in (None, cell.setting)
            and views in (None, cell.views)
            and all(value in (None, cell.dimensions[name]) for name, value in wanted.items())
        ]

    def under(self, setting: str, cell: StudyCell) -> StudyCell | None:
        """The cell that differs from another by its setting alone; None where no study has it."""
        return self._cells.get(cell.model_copy(update={"setting": setting}).key)

    def predictions(self, trial_id: str) -> pd.DataFrame:
        """A row per test image and draw of a finished trial.

        Returns:
            Columns image_id, label, camera, group, draw, prediction and truth: the label or the camera,
            whichever the trial's target is. An image without a group is a group of its own.

        Raises:
            CamerabiasError: The file is damaged; it is named.
        """
        return self._read(trial_id).of_trial(trial_id)

    def _read(self, *trial_ids: str) -> Answers:
        """Answers in which these trials are."""
        for trial_id in trial_ids:
            if trial_id not in self._answers:
                record = self.run.record(trial_id)
                with naming(record, PREDICTIONS_FILE):
                    table = record.table(PREDICTIONS_FILE, PREDICTION_COLUMNS)
                self._answers.add(trial_id, table, self._targets[trial_id])
        return self._answers

    def count_tested(self) -> int:
        """How many different images finished trials have tested.

        Raises:
            CamerabiasError: The predictions of one are damaged; the file is named.
        """
        done = [trial_id for trial_id, status in self._statuses.items() if status == "done"]
        return self._read(*done).count_images()

    def rows(self, cell: StudyCell, cameras: Cameras = "all") -> pd.DataFrame:
        """Predictions of a cell's finished trials, one seed below the other, of each image's first draw.

        Returns:
            Columns as of `predictions`, and seed.
        """
        trials = self.done(cell)
        key = tuple(trials.values())
        if key not in self._latest:
            self._latest.clear()  # what is asked of a cell is mostly asked at once
            stacked = self._read(*key).of_seeds(trials)
            self._latest[key] = _first_draws(stacked)
        found = self._latest[key]
        return found if cameras == "all" else found[found["camera"].isin(self._cameras(cell, cameras))]

    def accuracy(self, cell: StudyCell, cameras: Cameras = "all") -> Estimate:
        """Accuracy of a cell over its seeds, see `statistics.accuracy`."""
        return self.accuracy_and_chance(cell, cameras)[0]

    def chance(self, cell: StudyCell, cameras: Cameras = "all") -> float:
        """Accuracy of the majority baseline on a cell's test images, see `statistics.chance`."""
        return self.accuracy_and_chance(cell, cameras)[1]

    def accuracy_and_chance(self, cell: StudyCell, cameras: Cameras = "all") -> tuple[Estimate, float]:
        """Both, computed once: tables, findings and figures ask for the same cells."""
        key = (*self.done(cell).values(), *self._cameras(cell, cameras))
        if key not in self._accuracies:
            rows = self.rows(cell, cameras)
            self._accuracies[key] = accuracy(rows), chance(rows)
        return self._accuracies[key]

    def test_rows(self, cell: StudyCell, cameras: Cameras = "all") -> SeedPredictions:
        """Predictions of a cell's finished trials by seed; seeds whose test has no such camera are excluded.

        Of a random view, the first draw of each image: a row per image.
        """
        rows = {seed: _first_draws(self.predictions(trial)) for seed, trial in self.done(cell).items()}
        return self._of_cameras(cell, rows, cameras)

    def drawn_rows(self, cell: StudyCell, cameras: Cameras = "all") -> SeedPredictions:
        """As `test_rows`, but with every draw of each image, whose accuracy is then a mean over draws."""
        rows = {seed: self.predictions(trial) for seed, trial in self.done(cell).items()}
        return self._of_cameras(cell, rows, cameras)

    def training_rows(self, cell: StudyCell, cameras: Cameras = "all") -> SeedPredictions:
        """As `test_rows`, but of training images through the test view (the probe `training_images`)."""
        rows = {}
        for seed, found in self.probes(cell, "training_images"):
            frame = pd.DataFrame({name: found[name] for name in [*IMAGE_COLUMNS, "prediction"]})
            rows[seed] = frame.assign(draw=0, truth=frame[cell.target])
        return self._of_cameras(cell, rows, cameras)

    def probes(self, cell: StudyCell, kind: str) -> Iterator[tuple[int, ProbeArrays]]:
        """Seeds and arrays of a probe, of the finished trials in which it has run.

        One after the other, since the arrays are large.

        Args:
            cell: The cell.
            kind: Name of the probe, with whatever parameters the study asked for.

        """
        for seed in cell.trials:
            arrays = self.probe(cell, kind, seed)
            if arrays is not None:
                yield seed, arrays

    def probe(self, cell: StudyCell, kind: str, seed: int) -> ProbeArrays | None:
        """Arrays of a probe of one trial, as `probes` gives them; None where it has not run, or is damaged."""
        trial = cell.trials.get(seed)
        name = next((name for name in cell.probes if name.partition("-")[0] == kind), None)
        if trial is None or name is None or self.status(trial) != "done":
            return None
        return self._read_probe(trial, name)

    def _read_probe(self, trial: str, name: str) -> ProbeArrays | None:
        """Arrays of a probe by its full name; None where it has not run, or is damaged (see `damaged_probes`)."""
        record = self.run.record(trial)
        if name not in record.probe_names():
            return None
        try:
            with naming(record, f"{PROBES_FOLDER}/{name}.npz"):
                arrays = record.probe(name)
        except CamerabiasError as error:
            self._flaws[trial, name] = str(error)
            return None
        self._flaws[trial, name] = ""
        return arrays

    def damaged_probes(self) -> list[DamagedProbe]:
        """The probes of finished trials that cannot be read.

        Those that nobody has read yet are read whole, as a flaw may be anywhere; of the others it is known, so that
        no probe is read twice for this.
        """
        found: dict[tuple[str, str], DamagedProbe] = {}
        for cell in (cell for study in self.studies.values() for cell in study.cells):
            for (seed, trial), name in product(self.done(cell).items(), cell.probes):
                if (trial, name) not in self._flaws:
                    self._read_probe(trial, name)
                if reason := self._flaws.get((trial, name)):
                    named = f"{cell.trial_name(seed)}, probe {name}"
                    found[trial, name] = DamagedProbe(named, trial, reason)
        return [*found.values()]

    def _of_cameras(self, cell: StudyCell, rows: SeedPredictions, cameras: Cameras) -> SeedPredictions:
        if cameras != "all":
            wanted = self._cameras(cell, cameras)
            rows = {seed: frame[frame["camera"].isin(wanted)] for seed, frame in rows.items()}
        return {seed: frame for seed, frame in rows.items() if len(frame)}

    def _cameras(self, cell: StudyCell, cameras: Cameras) -> tuple[str, ...]:
        return {"all": ("*",), "seen": cell.seen_cameras, "unseen": self.unseen_cameras(cell)}[cameras]

    def validations(self, trial_id: str) -> pd.DataFrame:
        """The steps of a finished trial at which it was validated, columns of `HISTORY_SCHEMA`.

        Raises:
            CamerabiasError: The file is damaged; it is named.
        """
        record = self.run.record(trial_id)
        with naming(record, HISTORY_FILE):
            return record.history().dropna(subset=["validation_accuracy"])

    def tied_labels(self, *cells: StudyCell) -> dict[str, str]:
        """The label that cameras were seen with most, by the rule of a setting; empty where nothing has finished.

        Of cameras that were seen with one label alone, or whose labels have weights of which one is the largest.

        Args:
            cells: The first of them that has finished, and whose setting ties any camera, decides.
        """
        for cell in cells:
            trials = list(self.done(cell).values())
            if trials and (tied := _tied(self.run.record(trials[0]).config())):
                return tied
        return {}

    def examples(self) -> list[Example]:
        """Photos that the run carries along; empty where it has none.

        Raises:
            CamerabiasError: The list is damaged; it is named.
        """
        return self._listed(EXAMPLES_FILE, Example)

    def view_pictures(self) -> list[ViewPicture]:
        """One photo through the views of the run's studies; empty where the run carries none along.

        Raises:
            CamerabiasError: The list is damaged; it is named.
        """
        return self._listed(VIEWS_FILE, ViewPicture)

    def _listed(self, name: str, kind: type[Listed]) -> list[Listed]:
        folder = self.run.folder.child(EXAMPLES_FOLDER)
        if not folder.exists(name):
            return []
        try:
            return TypeAdapter(list[kind]).validate_python(folder.read_json(name))  # type: ignore[valid-type]
        except UNREADABLE as error:
            raise damaged(folder, name, error) from error

    def example_bytes(self, example: Example | ViewPicture) -> bytes:
        """The file of a photo.

        Raises:
            CamerabiasError: It is missing; it is named.
        """
        folder = self.run.folder.child(EXAMPLES_FOLDER)
        try:
            return folder.read_bytes(example.file)
        except UNREADABLE as error:
            raise damaged(folder, example.file, error) from error


def _first_draws(rows: pd.DataFrame) -> pd.DataFrame:
    """The first draw of each image; most views have no other."""
    first = rows["draw"].to_numpy() == 0
    return rows if first.all() else rows[first]


def _tied(config: TrialConfig) -> dict[str, str]:
    """Cameras of a trial's setting with one label, or one of a larger weight than all others, and this label."""
    setting = config.setting
    cells = setting.cells or ()
    weights: dict[str, dict[str, float]] = {}
    for (label, camera), weight in zip(cells, setting.weights or [1.0] * len(cells), strict=True):
        weights.setdefault(camera, {})[label] = weight
    return {
        camera: max(found, key=found.__getitem__)
        for camera, found in weights.items()
        if list(found.values()).count(max(found.values())) == 1
    }
