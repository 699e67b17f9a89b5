"""Accuracy with an interval, chance, and which of two tasks is learned first.

One interval serves every number of the report. Test images are not independent: photos of one bottle (a *group*)
fail together, and trials of several seeds test the same groups. So the interval resamples whole groups, and
seeds, never single predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isnan, nan
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import (  # scipy.stats, which has these too, takes seconds to import
    betaincinv,
    ndtri,
    stdtrit,
)

from camerabias.datasets.schema import Target

CONFIDENCE = 0.95
"""The field's convention."""

RESAMPLES = 2000
"""An end of the interval is then known to within a twentieth of its width."""

MIN_GROUPS = 10
"""See `estimate`."""

MIN_SEEDS = 3
"""See `estimate`."""

LEARNED_SHARE = 0.5

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


def exact_interval(right: float, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share.

    Args:
        right: How many of `n`; a fraction where it is a mean over trials with the same test images.
        n: Independent trials; at least one.
    """
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(right, n - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, n - right, 1 - tail)) if right < n else 1.0
    return low, high


def accuracy(seeds: Sequence[pd.DataFrame]) -> Estimate:
    """Accuracy of a cell over its seeds.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it (columns group, prediction, truth).

    Returns:
        The mean over seeds of each seed's accuracy, from 0 to 1, with the interval of `estimate`.
    """
    return estimate([_right(frame) for frame in seeds])


def contrast(terms: Sequence[tuple[float, Mapping[int, pd.DataFrame]]]) -> Estimate:
    """A weighted sum of accuracies, such as seen minus unseen cameras, or one group of models minus another.

    Groups and seeds are resampled for all terms together, so that what they share (bottles, weights) cancels as far
    as it is shared; the photos of the terms need not be the same.

    Args:
        terms: Weight and predictions by seed (as `Records.test_rows` gives them); seeds that a term lacks are left
            out.
    """
    seeds = sorted(set.intersection(*({*rows} for _, rows in terms)))
    scores = [[_right(rows[seed]) for seed in seeds] for _, rows in terms]
    return _weigh(scores, [weight for weight, _ in terms], lowest=0.0)


def paired_difference(first: Mapping[int, pd.DataFrame], second: Mapping[int, pd.DataFrame]) -> Estimate:
    """Accuracy of one cell minus that of another, on the test images and seeds that both have.

    Args:
        first: Predictions by seed, as `Records.test_rows` gives them (columns image_id, draw and those above).
        second: Likewise.

    Returns:
        The mean difference, from -1 to 1; the same images are compared, so what makes an image hard cancels.
    """
    pairs = {seed: _on_same_images(first[seed], second[seed]) for seed in first.keys() & second.keys()}
    firsts, seconds = (
        {seed: pair[side] for seed, pair in pairs.items() if len(pair[side])} for side in (0, 1)
    )
    return contrast([(1.0, firsts), (-1.0, seconds)])


def _on_same_images(first: pd.DataFrame, second: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    keys = [pd.MultiIndex.from_frame(frame[["image_id", "draw"]]) for frame in (first, second)]
    return first[keys[0].isin(keys[1])], second[keys[1].isin(keys[0])]


def share_given(seeds: Sequence[pd.DataFrame], expected: Mapping[str, str]) -> Estimate:
    """Share of the photos from some cameras that are given the class expected of their camera (paper, Figure 3).

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it.
        expected: Class by camera; photos of other cameras are left out.
    """
    return estimate([_by_group(frame, given) for frame, given, _ in _given_expected(seeds, expected)])


def excess_given(seeds: Sequence[pd.DataFrame], expected: Mapping[str, str]) -> Estimate:
    """`share_given` minus what it would be if predictions took no notice of the camera.

    A photo whose prediction is class c would, with its camera drawn at random from the photos at hand, have one that
    expects c with the share of those cameras: a model that names one class for every photo exceeds nothing.
    """
    scores = []
    for frame, given, classes in _given_expected(seeds, expected):
        by_luck = frame["prediction"].map(classes.value_counts(normalize=True)).fillna(0.0)
        scores.append(_by_group(frame, given.astype(float) - by_luck))
    return estimate(scores, lowest=-1.0)


def _given_expected(
    seeds: Sequence[pd.DataFrame], expected: Mapping[str, str]
) -> list[tuple[pd.DataFrame, pd.Series[bool], pd.Series[str]]]:
    """Per seed the photos of the cameras in `expected`, whether each is given its camera's class, and that class."""
    found = []
    for frame in seeds:
        chosen = frame[frame["camera"].isin(list(expected))]
        classes = chosen["camera"].map(dict(expected))
        if len(chosen):
            found.append((chosen, chosen["prediction"] == classes, classes))
    return found


def chance(seeds: Sequence[pd.DataFrame]) -> float:
    """Accuracy of the best guess that looks at no image: the share of the most frequent true class.

    It is counted on the test images at hand, not taken as 1/k: where classes are uneven, 1/k would let a model
    that always names the commonest class look as if it had learned something. NaN where there are no images.
    """
    if not seeds:
        return nan
    return float(pd.concat([frame["truth"] for frame in seeds]).value_counts(normalize=True).iloc[0])


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
    return _weigh([seeds], [1.0], lowest)


def _weigh(terms: Sequence[Sequence[pd.Series[float]]], weights: Sequence[float], lowest: float) -> Estimate:
    """The interval of `estimate` for a weighted sum of means; `terms` holds scores by group, per term and seed."""
    if not terms[0]:
        return Estimate(nan, nan, nan, 0, 0)
    cells = _by_group_and_seed(terms)
    weighing = np.array(weights)

    def weighted(sums: Floats) -> Floats:
        scores, counts = np.moveaxis(sums.reshape(*sums.shape[:-1], 2, -1), -2, 0)
        total: Floats = (scores / counts) @ weighing
        return total

    # a difference is no surer than its smaller side
    n_groups = int((cells["count"].groupby("group").sum() > 0).to_numpy().sum(axis=0).min())
    ends = np.sort(np.outer(weighing, [lowest, 1.0]), axis=1).sum(axis=0)
    return resample(cells, weighted, n_groups, (float(ends[0]), float(ends[1])))


def _by_group_and_seed(terms: Sequence[Sequence[pd.Series[float]]]) -> pd.DataFrame:
    """Sums and counts of the terms' scores, a row per group and seed; every seed of a term counts the same."""
    by_cell = {(term, seed): scores for term, seeds in enumerate(terms) for seed, scores in enumerate(seeds)}
    scores = pd.concat(by_cell, names=["term", "seed", "group"])
    cells = scores.groupby(["group", "seed", "term"]).agg(["sum", "count"])
    tested = cells["count"].groupby(["seed", "term"]).sum()
    cells = cells.mul(tested.max() / tested, axis=0)
    return pd.DataFrame(cells.reorder_levels(["group", "seed", "term"]).unstack("term", fill_value=0))


def resample(
    table: pd.DataFrame, statistic: Callable[[Floats], Floats], n_groups: int, bounds: tuple[float, float]
) -> Estimate:
    """A statistic of sums over test images, with the interval of `estimate`: groups and seeds are resampled together.

    Args:
        table: What is summed, any number of rows and k columns, indexed by `group` and `seed`.
        statistic: Sums (..., k) to values (...); NaN where sums say nothing, and such draws are left out.
        n_groups: Independent groups that the statistic rests on, the fewer of the two sides of a difference.
        bounds: Lowest and highest value of the statistic.

    Returns:
        The estimate; NaN throughout where `table` is empty.
    """
    if table.empty:
        return Estimate(nan, nan, nan, 0, 0)
    cells = table.groupby(level=["group", "seed"]).sum().unstack("seed", fill_value=0)
    sums = cells.to_numpy(float).reshape(len(cells), table.shape[1], -1)  # groups × k × seeds
    return _interval(lambda drawn: np.tensordot(drawn, sums, 1), len(sums), statistic, n_groups, bounds)


def _interval(
    sums_of: Callable[[Floats], Floats],
    n: int,
    statistic: Callable[[Floats], Floats],
    n_groups: int,
    bounds: tuple[float, float],
) -> Estimate:
    """The one bootstrap: `sums_of` takes how often each of n groups is drawn, draws × n, to draws × k × seeds."""
    seen = sums_of(np.ones((1, n)))
    n_seeds = seen.shape[2]
    with np.errstate(invalid="ignore"):  # a draw that holds nothing of a term: 0 / 0, left out below
        mean = float(statistic(seen.sum(axis=2))[0])
        if n_groups < MIN_GROUPS or isnan(mean):
            return Estimate(mean, nan, nan, n_seeds, n_groups)
        seeds = _resamples(n_seeds, n_seeds - 1) if n_seeds >= MIN_SEEDS else np.ones((RESAMPLES, n_seeds))
        sums = sums_of(_resamples(n, n))
        values = statistic(np.einsum("dks,ds->dk", sums, seeds))
        of_groups, of_seeds = statistic(sums.sum(axis=2)), statistic(seeds @ seen[0].T)
    values = values[~np.isnan(values)]
    if np.allclose(values, mean):
        _, differing = exact_interval(0, n_groups)
        low, high = mean - differing * (mean - bounds[0]), mean + differing * (bounds[1] - mean)
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


@lru_cache(maxsize=8)  # the generator's seed is fixed, so cells with as many groups share their draws
def _resamples(n: int, size: int) -> Floats:
    """How often each of n things is drawn in each of `RESAMPLES` draws of `size` with replacement; draws × n.

    Scaled so that every draw sums to n.
    """
    drawn = np.random.default_rng([0xB007, n]).integers(n, size=(RESAMPLES, size))
    drawn += n * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=RESAMPLES * n).reshape(RESAMPLES, n)
    return counts.astype(np.float64) * np.float64(n / size)


def _right(frame: pd.DataFrame) -> pd.Series[float]:
    return _by_group(frame, frame["prediction"] == frame["truth"])


def _by_group(frame: pd.DataFrame, scores: pd.Series) -> pd.Series[float]:
    return pd.Series(scores.to_numpy(float), index=frame["group"])


def mean_over_pairs(seeds: Sequence[pd.DataFrame]) -> Estimate:
    """Mean correlation, or difference of two, of images of different groups, with the interval of `estimate`.

    Groups are resampled, and with them all pairs that they are part of.

    Args:
        seeds: Per seed, a symmetric matrix of images × images, both axes named by the images' groups.
    """
    if not seeds:
        return Estimate(nan, nan, nan, 0, 0)
    names = sorted(set().union(*(matrix.index for matrix in seeds)))
    sums = np.stack([_group_pairs(matrix, names) for matrix in seeds])
    counts = np.stack([_group_pairs(matrix.notna().astype(float), names) for matrix in seeds])
    each = counts.sum(axis=(1, 2), keepdims=True)  # every seed counts the same
    pairs = np.stack([sums / each, counts / each])  # 2 × seeds × groups × groups

    def drawn_pairs(drawn: Floats) -> Floats:
        found: Floats = np.einsum("dg,ksgh,dh->dks", drawn, pairs, drawn, optimize=True)
        return found

    def mean(sums: Floats) -> Floats:
        return sums[..., 0] / sums[..., 1]

    return _interval(drawn_pairs, len(names), mean, len(names), bounds=(-2.0, 2.0))


def _group_pairs(matrix: pd.DataFrame, names: list[str]) -> Floats:
    """Sums over the pairs of images of any two groups; 0 within a group."""
    member = np.equal.outer(np.array(names), matrix.index.to_numpy()).astype(float)  # groups × images
    sums: Floats = member @ matrix.to_numpy(float) @ member.T
    return np.where(np.eye(len(names), dtype=bool), 0, sums)


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


def learning_threshold(chance: float) -> float:
    """The validation accuracy at which a task counts as learned: half of the way from chance to 1.

    Half, because then tasks with two and with five classes are asked for the same share of what there is to learn;
    because a validation fold of 100 photos strays some 0.05 from chance, far from half of the way; and
    because every model that learns at all gets there, while 90 % would ask how good it ends, not how fast it is.
    """
    return chance + LEARNED_SHARE * (1 - chance)


def steps_to_threshold(history: pd.DataFrame, threshold: float) -> int | None:
    """The first optimiser step at which the validation accuracy was at least `threshold`; None if it never was.

    Args:
        history: Columns step and validation_accuracy (NaN between validations), in order of steps.
        threshold: An accuracy from 0 to 1.
    """
    reached = history.loc[history["validation_accuracy"] >= threshold, "step"]
    return int(reached.iloc[0]) if len(reached) else None


@dataclass(frozen=True)
class LearningOrder:
    """Which of two tasks was learned first, in trials paired by model and seed (paper, Figure 2).

    Attributes:
        pairs: A row per pair: model, seed, camera and label (the step at which each was learned, NaN if never).
        camera_first: Pairs in which the camera was learned first, or alone.
        label_first: Likewise the label.
        low: Lower end of the exact 95 % interval of the share `camera_first` among the decided pairs.
        high: Its upper end; NaN, as `low`, where no pair is decided.
    """

    pairs: pd.DataFrame
    camera_first: int
    label_first: int
    low: float
    high: float

    @property
    def first(self) -> Target | Literal["cannot tell"]:
        """What is learned first, where the interval of the share leaves one half out."""
        if self.low > 0.5:
            return "camera"
        return "label" if self.high < 0.5 else "cannot tell"


def learning_order(
    camera: Mapping[tuple[str, int], int | None], label: Mapping[tuple[str, int], int | None]
) -> LearningOrder:
    """Compare the steps to the threshold of camera and label trials.

    The pairs, not the steps, are counted (a sign test), so that a trial which never got there still counts: as
    later than any that did. Pairs that tie, or where neither got there, decide nothing.

    Args:
        camera: Step, or None for never, of each camera trial by (model, seed).
        label: Likewise of the label trials; keys that one side lacks are left out.
    """
    keys = [key for key in camera if key in label]
    rows = [(*key, camera[key], label[key]) for key in keys]
    pairs = pd.DataFrame(rows, columns=["model", "seed", "camera", "label"]).astype(
        {"camera": float, "label": float}
    )
    ends = pairs[["camera", "label"]].fillna(np.inf)
    camera_first = int((ends["camera"] < ends["label"]).sum())
    label_first = int((ends["label"] < ends["camera"]).sum())
    low, high = nan, nan
    if camera_first + label_first:
        low, high = exact_interval(camera_first, camera_first + label_first)
    return LearningOrder(pairs, camera_first, label_first, low, high)
