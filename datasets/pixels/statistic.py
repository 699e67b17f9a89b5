"""What a pixel statistic is, and the numbers that several of them need.

To add one, write a function of a `PreparedPhoto` under `@statistic(...)` in the file of its kind, the general ones
first: the function's name is the statistic's, and its docstring says how it is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from camerabias.datasets.pixels.photo import PreparedPhoto

MeasurePhoto = Callable[[PreparedPhoto], float]


@dataclass(frozen=True)
class PixelStatistic:
    """A number that is measured on each photo.

    Attributes:
        name: Its name in tables.
        unit: In which it is measured, as it stands behind a number: `of 255`, `stops`, `dB`, or nothing.
        measures: What the number is, in a few words.
        more: What a photo with a larger number is, in comparison: `noisier`.
        less: What a photo with a smaller number is: `cleaner`.
        kind: What it is about: the name of its file.
        measure: From a photo to the number; NaN where this photo does not tell.
    """

    name: str
    unit: str
    measures: str
    more: str
    less: str
    kind: str
    measure: MeasurePhoto


STATISTICS: dict[str, PixelStatistic] = {}
"""By name; the files of this folder fill it, and `registry` imports them."""


NOTICEABLE = {
    "of 255": 0.25,
    "stops": 0.1,
    "‰": 1.0,
    "%": 1.0,
    "% of their height": 1.0,
    "dB": 0.5,
    "pixels": 0.1,
}
"""By unit, the smallest difference that is worth saying: a smaller one may be certain, and nobody would see it."""


def statistic(measures: str, unit: str, more: str, less: str) -> Callable[[MeasurePhoto], MeasurePhoto]:
    """Register a function as the statistic of its name; arguments as of `PixelStatistic`."""

    def register(measure: MeasurePhoto) -> MeasurePhoto:
        kind = measure.__module__.rpartition(".")[2]
        name = measure.__name__
        STATISTICS[name] = PixelStatistic(name, unit, measures, more, less, kind, measure)
        return measure

    return register


def ratio(over: float, under: float) -> float:
    """The quotient of two numbers; NaN where it has none."""
    return float(over) / float(under) if under else math.nan


def decibels(over: float, under: float) -> float:
    """Ten times the decimal logarithm of the quotient of two energies; NaN unless both are positive."""
    return 10 * math.log10(over / under) if over > 0 and under > 0 else math.nan


def stops(over: float, under: float) -> float:
    """The binary logarithm of the quotient of two brightnesses; NaN unless both are positive."""
    return math.log2(over / under) if over > 0 and under > 0 else math.nan


def median(values: npt.NDArray[np.floating[Any]]) -> float:
    """The median; NaN of no values."""
    return float(np.median(values)) if values.size else math.nan
