"""What a test of the verdict is, and what it is given and has found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar, cast

import pandas as pd

from camerabias.analysis.design.design import Answerable
from camerabias.analysis.effects.by_setting import SettingContrast
from camerabias.analysis.effects.shortcut_effect import ShortcutEffect
from camerabias.trainables.records.record import ProbeArrays

Result = TypeVar("Result")


@dataclass(frozen=True)
class Audited:
    """What a verdict is about.

    Attributes:
        model: The model: of several the one with the clearest shortcut effect; empty before any trial is planned.
        design: What the photos can tell.
        cameras: `by_view.cameras_by_view`; without rows where nothing was trained.
        labels: `by_view.labels_by_view`, likewise.
        effects: The shortcut effect by model, p corrected for the number of models (Holm); of models of which a
            trial has finished.
        label_rows: The model's predictions of the label on photos as they are, of cameras that training saw: a frame
            per seed, as `Records.predictions` gives it. Empty where there are none, as the five below.
        score_rows: The model's scores, as many rows each, a column per class.
        camera_rows: As `label_rows`, of the camera.
        counterfactuals: Predictions of the same objects taken by every camera, a frame per seed.
        controls: What control heads of a linear probe predict, as many as `label_rows`.
        moved: By cue, arrays of the probe that moves it, as many as `label_rows`; of cues that were moved.
        sensor_matches: Cameras by their sensors' patterns, a row per photo, as `SENSOR_PATTERN_FILE` has them.
        pixels: Pixel statistics, a row per photo with its label, camera and group; None where nobody measured them.
        judged: Whether there are predictions alone, and no run that could be resumed.
        run: Where the run lies, as a word of a command line, to name in what to do next; empty where there is none.
        source: Likewise the photos' DATASET, or the table of predictions.
        mitigations: `mitigations.mitigations`; without rows where nothing was mitigated.
        contrast: What the model does after training with a tie of camera and label, and without; None where that was
            not tried.
    """

    model: str
    design: Answerable
    cameras: pd.DataFrame
    labels: pd.DataFrame
    effects: Mapping[str, ShortcutEffect]
    label_rows: Sequence[pd.DataFrame] = ()
    score_rows: Sequence[pd.DataFrame] = ()
    camera_rows: Sequence[pd.DataFrame] = ()
    counterfactuals: Sequence[pd.DataFrame] = ()
    controls: Sequence[ProbeArrays] = ()
    moved: Mapping[str, Sequence[ProbeArrays]] = field(default_factory=dict)
    sensor_matches: pd.DataFrame | None = None
    pixels: pd.DataFrame | None = None
    judged: bool = False
    run: str = ""
    source: str = ""
    mitigations: pd.DataFrame = field(default_factory=pd.DataFrame)
    contrast: SettingContrast | None = None

    @property
    def noun(self) -> str:
        """What is counted as independent: groups where they hold several test photos, else photos."""
        several = any(rows["group"].nunique() < rows["image_id"].nunique() for rows in self.label_rows)
        return "groups" if several else "photos"


@dataclass(frozen=True)
class Findings(Audited):
    """What a verdict is about, and what every test has found.

    Attributes:
        results: By name of the test; None where the photos or the trials do not give it.
    """

    results: Mapping[str, object] = field(default_factory=dict)

    def of(self, test: VerdictTest[Result]) -> Result | None:
        """What a test has found."""
        return cast("Result | None", self.results.get(test.name))


class VerdictTest(ABC, Generic[Result]):
    """A test of the verdict; a file of this folder holds one and its line in `TESTS`.

    Attributes:
        name: First part of the names of its numbers, in `verdict.json`.
    """

    name: ClassVar[str]

    @abstractmethod
    def compute(self, audited: Audited) -> Result | None:
        """What the predictions tell; None where they do not."""

    @abstractmethod
    def evidence(self, result: Result) -> dict[str, float]:
        """Its numbers by name, without the first part; NaN where one is not known."""

    @abstractmethod
    def sentences(self, found: Findings) -> list[str]:
        """What it says; also where it has found nothing, if that is worth a sentence."""


TESTS: dict[str, VerdictTest[object]] = {}
"""By name; the files of this folder fill it, and `registry.all_tests` says in which order they speak."""


def register(test: VerdictTest[Result]) -> VerdictTest[Result]:
    """Add a test to `TESTS`."""
    TESTS[test.name] = cast("VerdictTest[object]", test)
    return test
