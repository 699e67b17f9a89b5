"""Accuracy with an interval, chance, and which of two tasks is learned first.

One interval serves every number of the report. Test images are not independent: photos of one bottle (a *group*)
fail together, and trials of several seeds test the same groups. So the interval resamples whole groups, and
seeds, never single predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan, nan
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import (  # scipy.stats, which has these too, takes seconds to import
    betaincinv,
    ndtri,
    stdtrit,
)

CONFIDENCE = 0.95
"""The field's convention."""

RESAMPLES = 2000
"""An end of the interval is then known to within a twentieth of its width."""

MIN_GROUPS = 10
"""See `estimate`."""

MIN_SEEDS = 3
"""See `estimate`."""

MANY_GROUPS = 2_000
"""Groups above which those that show the same are drawn as a number of groups: a draw is then as good, and of 10,000
groups no longer takes a second, of a million no longer 16 GB."""

DECIMALS = 9
"""Sums of the same numbers in another order are the same."""

Floats = npt.NDArray[np.float64]
Comparison = Literal["higher", "lower", "cannot tell"]


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval.

    Attributes:
        mean: Mean over seeds of each seed's mean; NaN where there is no seed.
        low: Lower end; NaN where there are too few groups for an interval.
        high: Upper end, likewise.
        n_seeds: Seeds behind it.
        n_groups: Independent groups of test images behind it.
    """

    mean: float
    low: float
    high: float
    n_seeds: int
    n_groups: int

    def named(self, name: str) -> dict[str, float]:
        """Mean and ends as columns of a table: `name`, `name_low`, `name_high`."""
        return {name: self.mean, f"{name}_low": self.low, f"{name}_high": self.high}

    def against(self, value: float) -> Comparison:
        """Whether the whole interval lies above or below a fixed value; else, or without one, `cannot tell`."""
        if self.low > value:
            return "higher"
        return "lower" if self.high < value else "cannot tell"


NOTHING = Estimate(nan, nan, nan, 0, 0)
"""Of nothing that was tested."""


def exact_interval(right: float, n: float) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share.

    Args:
        right: How many of `n`; a fraction where it is a mean over trials with the same test images.
        n: Independent trials, at least one; a fraction where it is an effective number.
    """
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(right, n - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, n - right, 1 - tail)) if right < n else 1.0
    return low, high


def ends_if_alike(mean: float, n_groups: int, bounds: tuple[float, float]) -> tuple[float, float]:
    """The 95 % interval of a mean of scores within bounds to which all groups agree, see `estimate`."""
    _, differing = exact_interval(0, n_groups)
    return mean - differing * (mean - bounds[0]), mean + differing * (bounds[1] - mean)


def estimate(seeds: Sequence[pd.Series[float]], lowest: float = 0.0) -> Estimate:
    """Mean of scores with its 95 % interval: the one interval of the report.

    Groups and seeds are crossed (each seed tests the same groups, or others where folds rotate), so both are
    resampled with replacement in every one of 2,000 draws, from a generator with a fixed seed, and the interval
    is the middle 95 % of the resampled means (percentile bootstrap; Owen 2007 on crossed designs). Of n seeds
    n - 1 are drawn, so that the mean of few varies as much as it should (Rao & Wu 1988); of n groups n, where
    ten and more make no difference. How much few seeds vary is itself hardly known: both ends are moved away from
    the mean as Student's t lies beyond the normal distribution, with the degrees of freedom of Welch and
    Satterthwaite. Thresholds:

    - **At least 3 seeds to resample seeds.** With one there is nothing to resample, with two a draw in two is
      the same seed twice; then the interval covers the choice of test images alone.
    - **All groups alike** (an accuracy of exactly 0 or 1, or a model that cheats so well that every bottle scores
      one half): resampling sees no variation at all, yet a group that was not tested may differ. Clopper and
      Pearson's exact interval of "no group of n differs" bounds the share of such groups, and the interval is
      how far they could move the mean at most. At 0 and 1 that is their interval of n right or wrong groups;
      groups count, not photos, since the photos of a group stand and fall together.
    - **Fewer than 10 groups: no interval.** Ten groups that are all right only show an accuracy above 0.69; and
      simulated, with four seeds and an accuracy of 0.9, the bootstrap of 5 groups held the truth in 89 % of
      cases, of 10 groups in 95 %.

    Args:
        seeds: Per seed, the scores of its test images, each from `lowest` to 1, indexed by group name.
        lowest: The lowest possible score: 0 for an accuracy, -1 for a difference.

    Returns:
        The estimate; NaN throughout where `seeds` is empty.
    """
    if not seeds:
        return NOTHING
    scores = Scores(
        np.concatenate([scores.to_numpy(float) for scores in seeds]),
        np.concatenate([scores.index.to_numpy() for scores in seeds]),
        np.repeat(np.arange(len(seeds)), [len(scores) for scores in seeds]),
    )
    return weigh([scores], [1.0], lowest)


class Scores(NamedTuple):
    """Scores of test images in a row, of all seeds; every array has a number, or a name, per image.

    Attributes:
        values: The score; NaN counts as no image.
        groups: Name of the image's group.
        seeds: Which seed's model has this score, from 0.
    """

    values: Floats
    groups: npt.NDArray[Any]
    seeds: npt.NDArray[np.intp]


def weigh(terms: Sequence[Scores], weights: Sequence[float], lowest: float) -> Estimate:
    """The interval of `estimate` for a weighted sum of means; every seed of a term counts the same."""
    cells = _sum_by_group_and_seed(terms)
    if not cells.size:
        return NOTHING
    weighing = np.array(weights)

    def weighted(sums: Floats) -> Floats:
        scores, counts = np.moveaxis(sums.reshape(*sums.shape[:-1], 2, -1), -2, 0)
        total: Floats = (scores / counts) @ weighing
        return total

    # a difference is no surer than its smaller side
    n_groups = int((cells[:, 1].sum(axis=2) > 0).sum(axis=0).min())
    ends = np.sort(np.outer(weighing, [lowest, 1.0]), axis=1).sum(axis=0)
    flat = cells.reshape(len(cells), -1, cells.shape[3])
    return _interval_of_sums(flat, weighted, n_groups, (float(ends[0]), float(ends[1])))


def _sum_by_group_and_seed(terms: Sequence[Scores]) -> Floats:
    """Groups × 2 (sums and counts of scores) × terms × seeds; seeds of which no term has an image are left out."""
    if not sum(len(term.values) for term in terms):
        return np.zeros((0, 2, len(terms), 0))
    codes, names = pd.factorize(np.concatenate([term.groups for term in terms]), sort=True)
    n_seeds = 1 + max(int(term.seeds.max(initial=0)) for term in terms)
    flat = np.zeros((2, len(terms), len(names) * n_seeds))
    for number, (term, groups) in enumerate(zip(terms, _split(codes, terms), strict=True)):
        there = ~np.isnan(term.values) & (groups >= 0)
        at = (groups * n_seeds + term.seeds)[there]
        flat[0, number] = np.bincount(at, term.values[there], minlength=flat.shape[2])
        flat[1, number] = np.bincount(at, minlength=flat.shape[2])
    cells: Floats = np.moveaxis(flat.reshape(2, len(terms), len(names), n_seeds), 2, 0)
    tested = cells[:, 1].sum(axis=0)  # terms × seeds
    cells *= np.divide(tested.max(), tested, out=np.ones_like(tested), where=tested > 0)
    return cells[..., tested.any(axis=0)]


def _split(codes: npt.NDArray[np.intp], terms: Sequence[Scores]) -> list[npt.NDArray[np.intp]]:
    return np.split(codes, np.cumsum([len(term.values) for term in terms])[:-1])


def resample(
    table: pd.DataFrame, statistic: Callable[[Floats], Floats], n_groups: int, bounds: tuple[float, float]
) -> Estimate:
    """A statistic of sums over test images, with the interval of `estimate`: groups and seeds are resampled together.

    Args:
        table: What is summed, any number of rows and k columns, indexed by `group` and `seed`.
        statistic: Sums (..., k) to values (...); NaN where sums say nothing, and such draws are excluded.
        n_groups: Independent groups that the statistic rests on, the fewer of the two sides of a difference.
        bounds: Lowest and highest value of the statistic.

    Returns:
        The estimate; NaN throughout where `table` is empty.
    """
    if table.empty:
        return NOTHING
    cells = table.groupby(level=["group", "seed"]).sum().unstack("seed", fill_value=0).to_numpy(float)
    return _interval_of_sums(cells.reshape(len(cells), table.shape[1], -1), statistic, n_groups, bounds)


def _interval_of_sums(
    cells: Floats, statistic: Callable[[Floats], Floats], n_groups: int, bounds: tuple[float, float]
) -> Estimate:
    """As `resample`, of sums of groups × k × seeds."""
    sums, sizes = count_alike(cells.reshape(len(cells), -1))
    sums = sums.reshape(len(sums), *cells.shape[1:])  # kinds of groups × k × seeds
    return bootstrap_interval(lambda drawn: np.tensordot(drawn, sums, 1), sizes, statistic, n_groups, bounds)


def count_alike(sums: Floats) -> tuple[Floats, Floats]:
    """Groups × anything, and how many groups each row is: of many groups those that show the same are counted."""
    if len(sums) <= MANY_GROUPS:
        return sums, np.ones(len(sums))
    columns = pd.DataFrame(sums.round(DECIMALS))
    counted = columns.groupby(list(columns)).size().rename("groups").reset_index().to_numpy(float)
    return counted[:, :-1], counted[:, -1]


def mean_of_resamples(sums: Floats, sizes: Floats, statistic: Callable[[Floats], Floats]) -> float:
    """The mean of a statistic of one seed over the draws of `resample`.

    Args:
        sums: Of each kind of group, kinds × k.
        sizes: How many groups are of each kind.
        statistic: As of `resample`.
    """
    values = statistic(_resampled(lambda drawn: drawn @ sums, sizes))
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else nan


def bootstrap_interval(
    sums_of: Callable[[Floats], Floats],
    sizes: Floats,
    statistic: Callable[[Floats], Floats],
    n_groups: int,
    bounds: tuple[float, float],
) -> Estimate:
    """The one bootstrap, of groups of some kinds.

    Args:
        sums_of: From how often each kind is drawn, draws × kinds, to draws × k × seeds.
        sizes: How many groups are of each kind; 1 where each is a kind of its own.
        statistic: As of `resample`, like those that follow.
        n_groups: Groups that the statistic rests on.
        bounds: Of the statistic.
    """
    seen = sums_of(sizes[None])
    n_seeds = seen.shape[2]
    with np.errstate(invalid="ignore"):  # a draw that holds nothing of a term: 0 / 0, left out below
        mean = float(statistic(seen.sum(axis=2))[0])
        if n_groups < MIN_GROUPS or isnan(mean):
            return Estimate(mean, nan, nan, n_seeds, n_groups)
        seeds = _resamples(n_seeds, n_seeds - 1) if n_seeds >= MIN_SEEDS else np.ones((RESAMPLES, n_seeds))
        sums = _resampled(sums_of, sizes)
        values = statistic(np.einsum("dks,ds->dk", sums, seeds))
        of_groups, of_seeds = statistic(sums.sum(axis=2)), statistic(seeds @ seen[0].T)
    values = values[~np.isnan(values)]
    if np.allclose(values, mean):
        low, high = ends_if_alike(mean, n_groups, bounds)
    else:
        stretch = _stretch(values, [(of_groups, n_groups - 1), (of_seeds, n_seeds - 1)])
        ends = mean + stretch * (np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]) - mean)
        low, high = np.clip(ends, *bounds)
    return Estimate(mean, float(low), float(high), n_seeds, n_groups)


def _stretch(values: Floats, parts: Sequence[tuple[Floats, int]]) -> float:
    """How much farther Student's t reaches than the normal distribution, where variances are known from few things.

    Args:
        values: Resampled values that all parts vary.
        parts: Values that one part alone varies, and that part's degrees of freedom.
    """
    uncertainty = sum(np.nanvar(part) ** 2 / freedom for part, freedom in parts if freedom)
    tail = (1 + CONFIDENCE) / 2
    return float(stdtrit(np.var(values) ** 2 / uncertainty, tail) / ndtri(tail)) if uncertainty else 1.0


def _resampled(sums_of: Callable[[Floats], Floats], sizes: Floats) -> Floats:
    """What `sums_of` makes of `RESAMPLES` draws of as many groups as there are."""
    n = int(sizes.sum())
    if len(sizes) == n <= MANY_GROUPS:
        return sums_of(_resamples(n, n))
    generator, batch = np.random.default_rng([0xB007, n]), max(1, _AT_ONCE // len(sizes))
    sums = [
        sums_of(generator.multinomial(n, sizes / n, min(batch, RESAMPLES - start)).astype(float))
        for start in range(0, RESAMPLES, batch)
    ]
    return np.concatenate(sums)


_AT_ONCE = 2**22  # numbers of draws: 32 MB


@lru_cache(maxsize=8)  # the generator's seed is fixed, so cells with as many groups share their draws
def _resamples(n: int, size: int) -> Floats:
    """How often each of n things is drawn in each of `RESAMPLES` draws of `size` with replacement; draws × n.

    Scaled so that every draw sums to n.
    """
    drawn = np.random.default_rng([0xB007, n]).integers(n, size=(RESAMPLES, size))
    drawn += n * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n)
    return counts.astype(np.float64) * np.float64(n / size)


def combine(terms: Sequence[tuple[float, Estimate]]) -> Estimate:
    """A weighted sum of estimates of which nothing but mean and interval is known, taken as independent.

    Each end adds the squares of how far the terms' own ends lie from their means (MOVER; Zou & Donner 2008, of two
    proportions Newcombe 1998). Where the terms share photos, a difference is in truth somewhat surer than this.
    """
    mean = sum(weight * found.mean for weight, found in terms)
    ends = np.array([sorted((weight * found.low, weight * found.high)) for weight, found in terms])
    means = np.array([weight * found.mean for weight, found in terms])
    below, above = np.sqrt(((ends - means[:, None]) ** 2).sum(axis=0))
    return Estimate(
        mean,
        float(mean - below),
        float(mean + above),
        min(found.n_seeds for _, found in terms),
        min(found.n_groups for _, found in terms),
    )
