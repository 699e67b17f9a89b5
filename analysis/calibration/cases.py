"""What a calibration has come to: how often the audit was wrong on datasets whose truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, field_validator

from camerabias.analysis.calibration.lines import read_documents
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.bootstrap import exact_interval
from camerabias.analysis.statistics.number_format import show_interval, show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.outcome import OUTCOMES, VerdictOutcome

SMALL = "small_cnn"
"""The model of cases that name no other."""

SEEDS = (0, 1, 2, 3)
"""Of trials of cases that name no others. Four folds of 800 photos hold 320 test photos; of those, 32 are
bias-conflicting at a correlation of 0.8."""


class Case(BaseModel):
    """A dataset of a calibration, and the model that is audited on it.

    Attributes:
        kind: `null` (no cue, or cues that are not associated with the label), `planted`, `unidentifiable` (every
            camera has one label).
        planted: Strength of each planted cue; 1 is full.
        correlation: Of label and camera, see `SimulatorSpec`.
        seed: Of everything random in the photos.
        images: Number of photos.
        model: What is trained on them.
        precision: In which.
        seeds: Of its trials.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["null", "planted", "unidentifiable"]
    planted: dict[str, float]
    correlation: float
    seed: int
    images: int = 800
    model: str = SMALL
    precision: Literal["float32", "bfloat16"] = "float32"
    seeds: tuple[int, ...] = SEEDS

    @property
    def name(self) -> str:
        """Names it among other cases."""
        return f"{self.kind} {self.seed}" + (f" {self.trained}" if self.trained != SMALL else "")

    @property
    def trained(self) -> str:
        """The model, its precision where that is not float32, and whether its seeds are other than usual."""
        precision = f" in {self.precision}" if self.precision != "float32" else ""
        return self.model + precision + (" with other seeds" if self.seeds != SEEDS else "")


class Line(BaseModel):
    """What an audit has made of a case.

    Attributes:
        case: The case.
        verdict: The verdict.
        evidence: Numbers of the verdict, by name.
        kept: How far cameras were recognised, by view; None where that could not be said.
        seconds: Wall time of the whole case, on one core.
        version: Of camerabias.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Case
    verdict: VerdictOutcome
    evidence: dict[str, float | None]
    kept: dict[str, float | None]
    seconds: float
    version: str

    @field_validator("evidence")
    @classmethod
    def _of_today(cls, evidence: dict[str, float | None]) -> dict[str, float | None]:
        """Lines of before schema 2 are read: the committed ones took days to make."""
        return {_renamed(name): value for name, value in evidence.items()}


RENAMED = {
    "use.share": "shortcut_effect.share",
    "use.by_luck": "shortcut_effect.expected",
    "use.gap": "shortcut_effect.risk_difference",
    "use.p": "shortcut_effect.p",
    "use.detectable": "shortcut_effect.minimum_detectable",
    "use.n_agree": "shortcut_effect.n_bias_aligned",
    "use.n_disagree": "shortcut_effect.n_bias_conflicting",
    "use.accuracy_agree": "shortcut_effect.accuracy_bias_aligned",
    "use.accuracy_disagree": "shortcut_effect.accuracy_bias_conflicting",
    "label.accuracy": "shortcut_effect.accuracy",
    "recognition.accuracy": "identification.accuracy",
    "recognition.chance": "identification.majority_baseline",
    "recognition.p": "identification.p",
    "sensor_pattern.chance": "sensor_pattern.majority_baseline",
    "design.smallest_effect": "association.minimum_detectable",
}
"""Today's names of the numbers of schema 1, without the ends of intervals."""


def _renamed(name: str) -> str:
    base = name.removesuffix("_low").removesuffix("_high")
    return RENAMED.get(base, base) + name.removeprefix(base)


def read_lines(path: Path) -> list[Line]:
    """Lines of a calibration; none where there is no file.

    Raises:
        CamerabiasError: A line cannot be read; it is named by its number.
    """
    return read_documents(path, Line)


def summarise(lines: Sequence[Line]) -> list[WideTable]:
    """The tables of a calibration, to be read.

    Args:
        lines: Lines of any number of cases; those of models other than `SMALL`, in float32, are excluded.
    """
    judged = [line for line in lines if line.case.trained == SMALL]
    tables = [
        ("Verdicts by what the dataset is", _verdicts(judged)),
        ("Errors of the verdict", _errors(judged)),
        ("Misses by the true effect: the share of predictions that depend on the camera", _misses(judged)),
    ]
    return [WideTable(caption, frame) for caption, frame in tables if len(frame)]


def truly_cheats(line: Line) -> bool:
    """Whether predictions change to another camera's associated label when it takes the same bottle: the truth.

    It is tested on 1,280 pairs of photos (320 bottles, four pairs of cameras with different associated labels)
    where the audit has 32 or 64 bias-conflicting photos, so that it detects what no audit of that size can.
    """
    p = line.evidence.get("counterfactual.p")
    return p is not None and p <= LEVEL


def share(right: int, n: int) -> str:
    """`3 of 60, 0.050 [0.010, 0.139]`, with Clopper and Pearson's interval."""
    if not n:
        return "none"
    low, high = exact_interval(right, n)
    return f"{right} of {n}, {show_interval(right / n, low, high)}"


KINDS: dict[str, Callable[[Case], bool]] = {
    "no cue": lambda case: case.kind == "null" and not case.planted,
    "a cue, label independent of the camera": lambda case: case.kind == "null" and bool(case.planted),
    "one cue, full strength": lambda case: is_planted(case, 1, 1.0),
    "one cue, half strength": lambda case: is_planted(case, 1, 0.5),
    "two cues, full strength": lambda case: is_planted(case, 2, 1.0),
    "every camera has one label": lambda case: case.kind == "unidentifiable",
}
"""Kinds of datasets, for the tables."""


def _truth(lines: Sequence[Line]) -> str:
    """How many truly use the camera; nothing where no counterfactual tells."""
    known = [line for line in lines if line.evidence.get("counterfactual.p") is not None]
    return str(sum(map(truly_cheats, known))) if known or not lines else "not known"


def is_planted(case: Case, n: int, strength: float) -> bool:
    """Whether a case plants so many cues, all of this strength."""
    return case.kind == "planted" and [*case.planted.values()] == n * [strength]


def _verdicts(lines: Sequence[Line]) -> pd.DataFrame:
    rows = []
    for kind, belongs in KINDS.items():
        found = [line for line in lines if belongs(line.case)]
        row = {
            "datasets": kind,
            "n": str(len(found)),
            "truly use the camera": _truth(found),
        }
        for outcome in OUTCOMES:
            row[outcome] = str(_count(found, outcome))
        rows.append(row)
    return pd.DataFrame(rows)


def _errors(lines: Sequence[Line]) -> pd.DataFrame:
    nulls = [line for line in lines if line.case.kind == "null"]
    full = [line for line in lines if line.case.kind == "planted" and min(line.case.planted.values()) == 1]
    users = [line for line in full if truly_cheats(line)]
    unidentifiable = [line for line in lines if line.case.kind == "unidentifiable"]
    counted: dict[str, tuple[int, int]] = {
        "false alarms: `cheating` on null datasets": (_count(nulls, "cheating"), len(nulls)),
        "misses: not `cheating` at full strength, where the camera is truly used": (
            len(users) - _count(users, "cheating"),
            len(users),
        ),
        "`cheating` at full strength, where no use of the camera is seen in counterfactual photos": (
            _count([line for line in full if not truly_cheats(line)], "cheating"),
            len(full) - len(users),
        ),
        "`cannot tell` where every camera has one label": (
            _count(unidentifiable, "cannot tell"),
            len(unidentifiable),
        ),
    }
    return pd.DataFrame(
        [{"what": what, "share [95 %]": share(*numbers)} for what, numbers in counted.items()]
    )


def _count(lines: Sequence[Line], outcome: VerdictOutcome) -> int:
    return sum(line.verdict == outcome for line in lines)


FOLLOWING = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of the classes of `counterfactual.directed`."""


def _misses(lines: Sequence[Line]) -> pd.DataFrame:
    planted = [line for line in lines if line.case.kind == "planted" and truly_cheats(line)]
    rows = []
    for low, high in pairwise(FOLLOWING):
        found = [line for line in planted if low < (line.evidence["counterfactual.directed"] or 0) <= high]
        estimates = [line.evidence.get("shortcut_effect.risk_difference") for line in found]
        rows.append(
            {
                "true effect": f"{low:g} to {high:g}",
                "n": str(len(found)),
                "missed": share(len(found) - _count(found, "cheating"), len(found)),
                "mean true effect": _mean([line.evidence["counterfactual.directed"] or 0 for line in found]),
                "mean risk difference": _mean([estimate for estimate in estimates if estimate is not None]),
            }
        )
    return pd.DataFrame(rows)


def _mean(numbers: Sequence[float]) -> str:
    return show_share(float(np.mean(numbers)) if numbers else None)
