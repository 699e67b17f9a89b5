"""Do predictions or scores depend on the camera given the label, in whatever direction?

That is less than a shortcut effect, which has one direction: it also arises on balanced photos, where cameras differ
in how hard their photos are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.counts import MANY, count_units, permuted_tables
from camerabias.analysis.statistics.permutation import (
    FEWER_PERMUTATIONS,
    PERMUTATIONS,
    VERY_MANY,
    Codes,
    by_image,
    camera_permutations,
    p_value,
    with_seeds,
)

MAX_CLASSES = 50
"""Predicted classes that are looked at one by one."""

OfMany = Callable[[pd.DataFrame, Floats, Codes, Codes], Floats]
"""From images, scores, strata and cameras to the statistic after permutations."""


@dataclass(frozen=True)
class Sensitivity:
    """How much of what a model says of photos of one label their camera explains; NaN where no label has two cameras.

    Attributes:
        explained: Share of the variance within labels that lies between cameras, beyond what independence comes to:
            0 (or less) if independent of the camera given the label, 1 if the camera decides.
        p: Share of permutations of cameras within labels that explain as much.
    """

    explained: float
    p: float


def predictions_sensitivity(seeds: Sequence[pd.DataFrame]) -> Sensitivity:
    """Whether predictions depend on the camera given the label.

    The statistic is the sum, over labels and predicted classes, of the chi-square of "is predicted" by camera. Of
    many classes the rarest are counted together.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it.
    """
    rows = with_seeds(seeds)
    named = rows["prediction"].value_counts().index[:MAX_CLASSES]
    given = pd.DataFrame({name: rows["prediction"] == name for name in sorted(named)}, dtype=float)
    return _sensitivity(rows, given, _from_counts)


def scores_sensitivity(seeds: Sequence[pd.DataFrame], scores: Sequence[pd.DataFrame]) -> Sensitivity:
    """Whether scores depend on the camera given the label.

    Only their ranks within a label and seed count, so that probabilities and logits serve alike. The statistic is
    the sum of Kruskal and Wallis' H over labels and classes. Of more than `MANY` photos its distribution under
    permutation is taken from moments, which are exact, as the mixture of chi-squares that it tends to.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it.
        scores: Per seed as many rows, a column of finite numbers per class.
    """
    rows, values = with_seeds(seeds), pd.concat(scores, ignore_index=True)
    return _sensitivity(rows, values.groupby([rows["label"], rows["seed"]]).rank(), _from_moments)


def _sensitivity(rows: pd.DataFrame, features: pd.DataFrame, of_many: OfMany) -> Sensitivity:
    within = features.groupby([rows["label"], rows["seed"]])
    spread = within.transform("std", ddof=0)
    standard = ((features - within.transform("mean")) / spread.where(spread > 0)).fillna(0.0)
    images, sums = by_image(rows, standard.assign(tested=1.0))
    scores = sums.drop(columns="tested").div(sums["tested"], axis=0).to_numpy()
    several = images.groupby("label")["camera"].nunique().max() > 1
    if not several or not scores.any():
        return Sensitivity(nan, nan)
    strata: Codes = images.groupby(["label", "seeds"]).ngroup().to_numpy().astype(np.intp)
    codes = pd.factorize(images["camera"], sort=True)[0]
    if len(images) > MANY and images["group"].is_unique:
        permuted = of_many(images, scores, strata, codes)
    else:
        n = PERMUTATIONS if len(images) <= VERY_MANY else FEWER_PERMUTATIONS
        permuted = np.concatenate([_between(strata, some, scores) for some in camera_permutations(images, n)])
    seen, total, expected = _between(strata, codes[None], scores)[0], (scores**2).sum(), permuted.mean()
    possible = float(total - expected)  # 0 where no permutation moves a score
    share = float(seen - expected) / possible if possible > 0 else nan
    return Sensitivity(share, p_value(float(seen), permuted))


def _between(strata: Codes, codes: Codes, scores: Floats) -> Floats:
    """Sums of squares between cameras, within strata and over all columns of scores: codes (b, n) to (b,)."""
    b, n_cameras = len(codes), int(codes.max()) + 1
    n_cells = (int(strata.max()) + 1) * n_cameras
    cells = (np.arange(b)[:, None] * n_cells + strata * n_cameras + codes).ravel()
    counts = np.maximum(np.bincount(cells, minlength=b * n_cells), 1)
    squares = np.zeros(b)
    for column in scores.T:
        sums = np.bincount(cells, np.broadcast_to(column, codes.shape).ravel(), minlength=b * n_cells)
        squares += (sums**2 / counts).reshape(b, -1).sum(axis=1)
    return squares


def _from_counts(images: pd.DataFrame, scores: Floats, strata: Codes, codes: Codes) -> Floats:
    """`_between` after permutations of many photos that show a few different scores."""
    blocks = count_units(images, scores, codes)
    if blocks is None:
        return _from_moments(images, scores, strata, codes)
    generator, squares = np.random.default_rng(0xCA3E8A), np.zeros(PERMUTATIONS)
    for block in blocks:
        tables = permuted_tables(block.kinds, block.classes, PERMUTATIONS, generator)
        sums = np.einsum("nkc,kj->ncj", tables, block.shown)
        squares += (sums**2 / np.maximum(block.classes, 1)[:, None]).sum(axis=(1, 2))
    return squares


def _from_moments(images: pd.DataFrame, scores: Floats, strata: Codes, codes: Codes) -> Floats:
    """`_between` as permutations of ever more photos would have it.

    Sums over cameras have the covariances of sampling without replacement, so that each stratum tends to a sum of
    chi-squares with as many degrees of freedom as cameras less one, weighted by the eigenvalues of the scores'
    covariance.
    """
    generator, squares = np.random.default_rng(0xCA3E8A), np.zeros(PERMUTATIONS)
    for stratum in range(int(strata.max()) + 1):
        inside = strata == stratum
        freedom = len(np.unique(codes[inside])) - 1
        if freedom:
            weights = np.linalg.eigvalsh(np.atleast_2d(np.cov(scores[inside].T))).clip(0)
            squares += generator.chisquare(freedom, (PERMUTATIONS, len(weights))) @ weights
    return squares
