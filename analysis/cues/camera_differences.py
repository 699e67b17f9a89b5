"""How the photos of a label's cameras differ in their pixel statistics.

Cameras are compared within a label, so that what labels look like is no difference of cameras; labels count by what
they say of the two sides (n₁n₀ / (n₁ + n₀) of n₁ photos against n₀). An effect is a difference of means over the
pooled standard deviation within cells, both of numbers that are not far off their cell's median. Its test is van
Elteren's ("On the combination of independent two-sample tests of Wilcoxon", 1960): ranks within labels, of the means
of whole groups, since photos of one group are no independent photos.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.permutation import LEVEL, holm
from camerabias.datasets.pixels.registry import STATISTICS

MIN_GROUPS = 5
"""Groups on either side, in labels that both have, from which cameras are compared."""

POWER = 0.8
"""Chance with which the minimum detectable effect is found."""

FAR = 3.0
"""Standard deviations (by the median absolute deviation) beyond which a number counts as this far off its median."""

ROUNDING = 1e-9
"""Share of the largest number below which differences are rounding errors."""

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

RANK_EFFICIENCY = 0.955
"""Of Wilcoxon's test against the t-test on normal numbers, 3 / π: groups that ranks need for the same power."""


COLUMNS = ("camera", "statistic", "mean", "others", "effect", "p", "p_holm", "detectable")


def camera_differences(rows: pd.DataFrame) -> pd.DataFrame:
    """Compare each camera with the others of its labels, in every pixel statistic.

    Args:
        rows: A row per photo: `label`, `camera`, `group`, and a column per statistic of `STATISTICS`.

    Returns:
        A row per camera and statistic of which something can be said, the largest effects first; of two cameras in
        all, the first alone. Columns:

        - camera, statistic.
        - mean: of the camera's photos, in the statistic's unit, over the labels that other cameras took as well.
        - others: of the other cameras' photos of these labels, the labels weighted alike.
        - effect: the difference in standard deviations within cells; infinite where numbers never vary within a cell.
        - p: two-sided, of the stratified rank test; p_holm: corrected for all rows.
        - detectable: the minimum detectable effect, in standard deviations, at level 0.01 corrected for all rows,
          with power 0.8.
    """
    cells = [rows["label"].rename("label"), rows["camera"].rename("camera")]
    values = rows[[*STATISTICS]].astype(float)
    found = pd.DataFrame(
        {
            name: numbers.ravel()
            for name, numbers in (_effects(values, cells) | _tests(values, rows, cells)).items()
        },
        index=pd.MultiIndex.from_product(
            [sorted(set(rows["camera"])), STATISTICS], names=["camera", "statistic"]
        ),
    ).reset_index()
    found = found[(found["smaller"] >= MIN_GROUPS) & found["p"].notna()]
    if rows["camera"].nunique() == 2:
        found = found[found["camera"] == rows["camera"].min()]
    found["p_holm"] = holm(found["p"].tolist())
    needed = ndtri(1 - LEVEL / 2 / max(len(found), 1)) + ndtri(POWER)
    found["detectable"] = needed / np.sqrt(RANK_EFFICIENCY * found["units"])
    order = np.lexsort([found["p"], -found["effect"].abs()])
    return found.iloc[order][[*COLUMNS]].reset_index(drop=True)


def _effects(values: pd.DataFrame, cells: list[pd.Series[str]]) -> dict[str, Floats]:
    """Mean of every camera, of the others of its labels, and the effect, (cameras, statistics) each."""
    near = _without_far(values, cells)
    n, total = (_by_cell(near.groupby(cells).agg(how)) for how in ("count", "sum"))
    within = near - near.groupby(cells).transform("mean")
    degrees = n.sum(axis=(0, 1)) - (n > 0).sum(axis=(0, 1))
    spread = np.sqrt(np.square(within).sum().to_numpy() / np.maximum(degrees, 1))
    exact = ROUNDING * np.nan_to_num(np.abs(values).max().to_numpy())
    n_others, total_others = (amount.sum(axis=1, keepdims=True) - amount for amount in (n, total))
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.nan_to_num(n * n_others / (n + n_others))
        mean, others = (
            np.where(weight > 0, weight * some / count, 0).sum(axis=0) / weight.sum(axis=0)
            for some, count in ((total, n), (total_others, n_others))
        )
        difference = np.where(np.abs(mean - others) > exact, mean - others, 0)
        effect = np.where(difference == 0, 0, difference / np.where(spread > exact, spread, 0))
    return {"mean": mean, "others": others, "effect": effect}


def _without_far(values: pd.DataFrame, cells: list[pd.Series[str]]) -> pd.DataFrame:
    """Numbers that are far off their cell's median, moved to where far begins; not in cells of mostly one number."""
    middle = values.groupby(cells).transform("median")
    scale = MAD_TO_SD * (values - middle).abs().groupby(cells).transform("median")
    limit = (FAR * scale).where(scale > 0, np.inf)
    return values.clip(middle - limit, middle + limit)


def _by_cell(table: pd.DataFrame) -> Floats:
    """A table of rows (label, camera) as (labels, cameras, statistics), 0 where there is no such row."""
    labels, cameras = (table.index.unique(level) for level in ("label", "camera"))
    every = pd.MultiIndex.from_product([sorted(labels), sorted(cameras)])
    filled = table.reindex(every, fill_value=0).to_numpy(float)
    return filled.reshape(len(labels), len(cameras), -1)


def _tests(values: pd.DataFrame, rows: pd.DataFrame, cells: list[pd.Series[str]]) -> dict[str, Floats]:
    """Van Elteren's test of every camera against the others of its labels, (cameras, statistics) each.

    Returns:
        `p`, NaN where nothing can be compared; `units`, the groups n₁n₀ / (n₁ + n₀), summed over labels; `smaller`,
        the groups on the smaller side.
    """
    units = values.groupby([*cells, rows["group"]]).mean()
    size = units.groupby("label").transform("count")
    scores = (units.groupby("label").rank() - (size + 1) / 2) / (size + 1)
    n, score = (_by_cell(scores.groupby(["label", "camera"]).agg(how)) for how in ("count", "sum"))
    n_all = n.sum(axis=1, keepdims=True)
    scatter = (scores**2).groupby("label").sum().to_numpy()[:, None] / np.maximum(n_all - 1, 1)
    compared = (n > 0) & (n < n_all)
    amount = np.where(compared, n * (n_all - n) / np.maximum(n_all, 1), 0)
    variance = (amount * scatter).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(np.where(compared, score, 0).sum(axis=0) / np.sqrt(variance)))
    smaller = np.minimum(*(np.where(compared, side, 0).sum(axis=0) for side in (n, n_all - n)))
    return {"p": np.where(variance > 0, p, np.nan), "units": amount.sum(axis=0), "smaller": smaller}
