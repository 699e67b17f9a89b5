"""How the photos of a label's cameras differ in their pixel statistics: effects, and tests of them.

The test is van Elteren's ("On the combination of independent two-sample tests of Wilcoxon", 1960): ranks within
labels, of the means of whole groups, since photos of one group are no independent photos.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from camerabias.analysis.cues.effects import camera_effects
from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.permutation import LEVEL, holm
from camerabias.datasets.pixels.registry import STATISTICS

MIN_GROUPS = 5
"""Groups on either side, in labels that both have, from which cameras are compared."""

POWER = 0.8
"""Chance with which the minimum detectable effect is found."""

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
    values = rows[[*STATISTICS]].astype(float)
    label, camera = (pd.factorize(rows[name], sort=True)[0] for name in ("label", "camera"))
    effects = camera_effects(values.to_numpy(), label, camera)
    of_means = {"mean": effects.mean, "others": effects.others, "effect": effects.effect}
    found = pd.DataFrame(
        {name: numbers.ravel() for name, numbers in (of_means | _tests(values, rows)).items()},
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


def _by_cell(table: pd.DataFrame) -> Floats:
    """A table of rows (label, camera) as (labels, cameras, statistics), 0 where there is no such row."""
    labels, cameras = (table.index.unique(level) for level in ("label", "camera"))
    every = pd.MultiIndex.from_product([sorted(labels), sorted(cameras)])
    filled = table.reindex(every, fill_value=0).to_numpy(float)
    return filled.reshape(len(labels), len(cameras), -1)


def _tests(values: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Floats]:
    """Van Elteren's test of every camera against the others of its labels, (cameras, statistics) each.

    Returns:
        `p`, NaN where nothing can be compared; `units`, the groups n₁n₀ / (n₁ + n₀), summed over labels; `smaller`,
        the groups on the smaller side.
    """
    units = values.groupby([rows["label"], rows["camera"], rows["group"]]).mean()
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
