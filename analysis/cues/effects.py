"""By how much each camera differs from the others of its labels in each pixel statistic.

Cameras are compared within a label, so that what labels look like is no difference of cameras; labels count by what
they say of the two sides (n₁n₀ / (n₁ + n₀) of n₁ photos against n₀). An effect is a difference of means over the
pooled standard deviation within cells, both of numbers that are not far off their cell's median.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.permutation import Codes

FAR = 3.0
"""Standard deviations (by the median absolute deviation) beyond which a number counts as this far off its median."""

ROUNDING = 1e-9
"""Share of the largest number below which differences are rounding errors."""

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class CameraEffects:
    """How cameras differ; (cameras, statistics) each, NaN where a camera cannot be compared.

    Attributes:
        mean: Of the camera's photos, over the labels that other cameras took as well.
        others: Of the other cameras' photos of these labels, the labels weighted alike.
        effect: The difference in standard deviations within cells; infinite where numbers never vary within a cell.
        units: n₁n₀ / (n₁ + n₀) photos, summed over labels; 0 where a camera cannot be compared.
    """

    mean: Floats
    others: Floats
    effect: Floats
    units: Floats


def camera_effects(values: Floats, label: Codes, camera: Codes) -> CameraEffects:
    """Compare each camera with the others of its labels.

    Args:
        values: (photos, statistics); NaN where a photo does not tell.
        label: Of the photos, (photos,), from 0.
        camera: Likewise.
    """
    shape = (int(label.max()) + 1, int(camera.max()) + 1, values.shape[1])
    n, total, squares, degrees = np.zeros(shape), np.zeros(shape), np.zeros(shape[2]), np.zeros(shape[2])
    for one, other in np.unique(np.stack([label, camera]), axis=1).T:
        rows = _without_far(values[(label == one) & (camera == other)])
        known = ~np.isnan(rows)
        n[one, other], total[one, other] = known.sum(axis=0), np.where(known, rows, 0).sum(axis=0)
        mean = total[one, other] / np.maximum(n[one, other], 1)
        squares += np.where(known, np.square(rows - mean), 0).sum(axis=0)
        degrees += np.maximum(n[one, other] - 1, 0)
    largest = np.abs(np.where(np.isnan(values), 0, values)).max(axis=0)
    return _compared(n, total, np.sqrt(squares / np.maximum(degrees, 1)), ROUNDING * largest)


def _compared(n: Floats, total: Floats, spread: Floats, exact: Floats) -> CameraEffects:
    """Compare from counts and sums, (labels, cameras, statistics) each, and spreads, (statistics,)."""
    n_others, total_others = (amount.sum(axis=1, keepdims=True) - amount for amount in (n, total))
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.nan_to_num(n * n_others / (n + n_others))
        mean, others = (
            np.where(weight > 0, weight * some / count, 0).sum(axis=0) / weight.sum(axis=0)
            for some, count in ((total, n), (total_others, n_others))
        )
        apart = np.abs(mean - others) > exact
        difference = np.where(apart | np.isnan(mean), mean - others, 0)
        effect = np.where(difference == 0, 0, difference / np.where(spread > exact, spread, 0))
    return CameraEffects(mean, others, effect, weight.sum(axis=0))


def _without_far(rows: Floats) -> Floats:
    """Numbers of a cell that are far off its median, moved to where far begins; not where most are one number."""
    middle = _median(rows)
    scale = MAD_TO_SD * _median(np.abs(rows - middle))
    limit = np.where(scale > 0, FAR * scale, np.inf)
    return np.clip(rows, middle - limit, middle + limit)


def _median(rows: Floats) -> Floats:
    """Of every column, leaving NaN out; NaN of none."""
    ordered, last = np.sort(rows, axis=0), np.maximum((~np.isnan(rows)).sum(axis=0) - 1, 0)
    low, high = (np.take_along_axis(ordered, at[None], axis=0)[0] for at in (last // 2, (last + 1) // 2))
    return np.asarray((low + high) / 2)
