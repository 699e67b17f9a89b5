"""How often the cues that are named are those that were planted."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.calibration.cases import share
from camerabias.analysis.calibration.lines import read_documents
from camerabias.analysis.cues.naming import CueNaming
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.number_format import show_share
from camerabias.datasets.cues.names import CUES

STRONG = 0.5
"""Strength from which a cue is called strong."""

LARGE = 256
"""Pixels from which the side of a photo is called large."""

BINS = 10
"""Of probabilities."""


class CueLine(BaseModel):
    """What was named of a dataset whose cues are known.

    Attributes:
        simulator: Which simulator made it.
        number: Of the dataset, or of the base that it was dealt from.
        planted: Strength by cue, from 0 to 1.
        probabilities: By cue.
        any: Likewise, that there is one at all.
        strangeness: As of `CueNaming`.
        recognised: Whether a regression on pixel statistics identifies the cameras within labels, out of fold.
        photos: How many.
        cameras: How many.
        size: Side of a photo in pixels.
        scenes: What the photos show.
        treatment: What was done to all photos after the cameras; empty where nothing was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    simulator: str
    number: int
    planted: dict[str, float]
    probabilities: dict[str, float]
    any: float
    strangeness: float
    recognised: bool
    photos: int
    cameras: int
    size: int
    scenes: str
    treatment: str

    @property
    def ranked(self) -> list[str]:
        """Cues, the most probable first."""
        return sorted(self.probabilities, key=lambda cue: -self.probabilities[cue])

    @property
    def named(self) -> set[str]:
        """Cues that are named."""
        return set(CueNaming(self.probabilities, self.any, self.strangeness).named)


def read_cue_lines(path: Path) -> list[CueLine]:
    """Lines of a calibration of names; none where there is no file.

    Raises:
        CamerabiasError: A line cannot be read; it is named by its number.
    """
    return read_documents(path, CueLine)


def summarise_cues(lines: Sequence[CueLine]) -> list[WideTable]:
    """The tables of a calibration of names, to be read."""
    if not lines:
        return []
    return [
        WideTable("Names by the number of cues", _by_number(lines)),
        WideTable("One cue alone, cameras recognised, by cue", _by_cue(lines)),
        WideTable("One cue alone, cameras recognised, by size, scenes and treatment", _by_kind(lines)),
        WideTable("Probabilities against how often the cue was planted", _calibration(lines)),
        WideTable("Datasets unlike anything simulated", _strange(lines)),
    ]


def _by_number(lines: Sequence[CueLine]) -> pd.DataFrame:
    rows = []
    kinds = {"none": (0, False), "one": (1, False), "one, cameras recognised": (1, True), "two": (2, False)}
    kinds |= {"two, cameras recognised": (2, True), "three or more": (3, False)}
    for kind, (n, recognised) in kinds.items():
        found = [line for line in lines if min(len(line.planted), 3) == n and line.recognised >= recognised]
        row = {"cues": kind, "datasets": str(len(found))}
        row["none named"] = share(sum(not line.named for line in found), len(found))
        if n:
            row["first is planted"] = share(sum(line.ranked[0] in line.planted for line in found), len(found))
            row["all planted are first"] = share(sum(map(_are_first, found)), len(found))
            row["all planted are named"] = share(sum(map(_all_named, found)), len(found))
        others = [len(line.named - set(line.planted)) for line in found]
        row["others named, per dataset"] = show_share(_mean(others))
        rows.append(row)
    return pd.DataFrame(rows)[[*rows[1]]].fillna("–")


def _all_named(line: CueLine) -> bool:
    return set(line.planted) <= line.named


def _are_first(line: CueLine) -> bool:
    return set(line.ranked[: len(line.planted)]) == set(line.planted)


def _alone(lines: Sequence[CueLine]) -> list[CueLine]:
    return [line for line in lines if len(line.planted) == 1 and line.recognised]


def _by_cue(lines: Sequence[CueLine]) -> pd.DataFrame:
    rows = []
    for cue in CUES:
        planted = [line for line in _alone(lines) if cue in line.planted]
        absent = [line for line in lines if cue not in line.planted]
        row = {"cue": cue}
        for name, strong in {"weak": False, "strong": True}.items():
            found = [line for line in planted if (line.planted[cue] >= STRONG) == strong]
            row[f"{name}, first"] = share(sum(line.ranked[0] == cue for line in found), len(found))
            row[f"{name}, named"] = share(sum(cue in line.named for line in found), len(found))
        row["named though absent"] = share(sum(cue in line.named for line in absent), len(absent))
        rows.append(row)
    return pd.DataFrame(rows)


def _by_kind(lines: Sequence[CueLine]) -> pd.DataFrame:
    alone = _alone(lines)
    kinds = {
        **{
            f"{scenes}": [line for line in alone if line.scenes == scenes]
            for scenes in _values(alone, "scenes")
        },
        **{
            f"treatment: {treatment or 'none'}": [line for line in alone if line.treatment == treatment]
            for treatment in _values(alone, "treatment")
        },
        f"below {LARGE} pixels": [line for line in alone if line.size < LARGE],
        f"{LARGE} pixels and more": [line for line in alone if line.size >= LARGE],
        "all": alone,
    }
    return pd.DataFrame(
        [
            {
                "datasets": kind,
                "first": share(sum(line.ranked[0] in line.planted for line in found), len(found)),
                "named": share(sum(map(_all_named, found)), len(found)),
            }
            for kind, found in kinds.items()
        ]
    )


def _values(lines: Sequence[CueLine], field: str) -> list[str]:
    return sorted({str(getattr(line, field)) for line in lines})


def _calibration(lines: Sequence[CueLine]) -> pd.DataFrame:
    probabilities = np.array([[line.probabilities[cue] for cue in CUES] for line in lines])
    planted = np.array([[cue in line.planted for cue in CUES] for line in lines])
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    rows = []
    for one in range(BINS):
        inside = bins == one
        rows.append(
            {
                "probability": f"{one / BINS:g} to {(one + 1) / BINS:g}",
                "mean": show_share(_mean(probabilities[inside].tolist())),
                "planted": share(int(planted[inside].sum()), int(inside.sum())),
            }
        )
    return pd.DataFrame(rows)


def _strange(lines: Sequence[CueLine]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "simulator": simulator,
                "strange": share(sum(line.strangeness > 1 for line in found), len(found)),
                "median strangeness": show_share(float(np.median([line.strangeness for line in found]))),
            }
            for simulator in _values(lines, "simulator")
            for found in [[line for line in lines if line.simulator == simulator]]
        ]
    )


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers)) if len(numbers) else nan
