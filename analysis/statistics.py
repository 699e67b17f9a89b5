"""Accuracy with an interval, chance, and which of two tasks is learned first.

One interval serves every number of the report. Test images are not independent: photos of one bottle (a *group*)
fail together, and trials of several seeds test the same groups. So the interval resamples whole groups, and
seeds, never single predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import nan
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

from camerabias.datasets.schema import Target

CONFIDENCE = 0.95
RESAMPLES = 2000
MIN_GROUPS = 10
MIN_SEEDS = 3
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

    def against(self, value: float) -> Comparison:
        """Whether the whole interval lies above or below a fixed value; else, or without one, `cannot tell`."""
        if self.low > value:
            return "higher"
        return "lower" if self.high < value else "cannot tell"


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
    is the middle 95 % of the resampled means (percentile bootstrap; Owen 2007 on crossed designs). Thresholds:

    - **At least 3 seeds to resample seeds.** With one there is nothing to resample, with two a draw in two is
      the same seed twice; then the interval covers the choice of test images alone. Even four seeds show
      3/4 of the true variance between seeds on average, so that part is a little narrow.
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
    sums, counts = _by_group_term_seed(terms)
    weighing = np.array(weights)
    n_all, _, n_seeds = counts.shape
    n_groups = int(
        (counts.sum(axis=2) > 0).sum(axis=0).min()
    )  # a difference is no surer than its smaller side
    mean = float((weighing @ (sums.sum(axis=0) / counts.sum(axis=0))).mean())
    if n_groups < MIN_GROUPS:
        low, high = nan, nan
    elif _groups_alike(sums, counts, weighing):
        differing = binomtest(0, n_groups).proportion_ci(CONFIDENCE, "exact").high
        ends = np.outer(weighing, [lowest, 1.0])
        least, most = ends.min(axis=1).sum(), ends.max(axis=1).sum()
        low, high = float(mean - differing * (mean - least)), float(mean + differing * (most - mean))
    else:
        groups = _resamples(n_all)  # draws × groups
        with np.errstate(invalid="ignore"):  # a draw without any group of a seed: 0 / 0, left out later
            means = np.tensordot(groups, sums, 1) / np.tensordot(groups, counts, 1)  # draws × terms × seeds
        low, high = _middle(np.einsum("t,dts->ds", weighing, means))
    return Estimate(mean, low, high, n_seeds, n_groups)


def _groups_alike(sums: Floats, counts: Floats, weights: Floats) -> bool:
    """Whether resampling would see no variation; where seeds are not resampled, only a group's total counts."""
    if counts.shape[2] < MIN_SEEDS:
        sums, counts = sums.sum(axis=2, keepdims=True), counts.sum(axis=2, keepdims=True)
    totals = counts.sum(axis=0)  # terms × seeds
    means = (sums.sum(axis=0) / totals).mean(axis=1, keepdims=True)
    return np.allclose(np.einsum("t,gts->gs", weights, (sums - means * counts) / totals), 0)


def _right(frame: pd.DataFrame) -> pd.Series[float]:
    return _by_group(frame, frame["prediction"] == frame["truth"])


def _by_group(frame: pd.DataFrame, scores: pd.Series) -> pd.Series[float]:
    return pd.Series(scores.to_numpy(float), index=frame["group"])


def _by_group_term_seed(terms: Sequence[Sequence[pd.Series[float]]]) -> tuple[Floats, Floats]:
    """Sums and counts of scores, each groups × terms × seeds; a group that a seed did not test counts 0."""
    by_cell = {(term, seed): scores for term, seeds in enumerate(terms) for seed, scores in enumerate(seeds)}
    scores = pd.concat(by_cell, names=["term", "seed", "group"])
    cells = scores.groupby(["group", "term", "seed"]).agg(["sum", "count"])
    sums, counts = (
        cells[name].unstack(["term", "seed"], fill_value=0).sort_index(axis=1).to_numpy(float)
        for name in ("sum", "count")
    )
    shape = (len(sums), len(terms), len(terms[0]))
    return sums.reshape(shape), counts.reshape(shape)


def _middle(means: Floats) -> tuple[float, float]:
    """Ends of the interval, from resampled means, draws × seeds; NaN where a draw held nothing of a seed."""
    seeds = _resamples(means.shape[1]) if means.shape[1] >= MIN_SEEDS else np.ones_like(means)
    weights = np.where(np.isnan(means), 0, seeds)
    drawn = weights.sum(axis=1) > 0
    resampled = (weights * np.nan_to_num(means)).sum(axis=1)[drawn] / weights.sum(axis=1)[drawn]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(low), float(high)


@lru_cache(maxsize=8)  # the generator's seed is fixed, so cells with as many groups share their draws
def _resamples(n: int) -> Floats:
    """How often each of n things is drawn in each of `RESAMPLES` draws of n with replacement; draws × n."""
    generator = np.random.default_rng([0xB007, n])
    return generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(float)


def mean_over_pairs(seeds: Sequence[pd.DataFrame]) -> Estimate:
    """Mean of something between two images of different groups, with the interval of `estimate`.

    Groups are resampled, and with them all pairs that they are part of.

    Args:
        seeds: Per seed, a symmetric matrix of images × images, both axes named by the images' groups.
    """
    if not seeds:
        return Estimate(nan, nan, nan, 0, 0)
    names = sorted(set().union(*(matrix.index for matrix in seeds)))
    sums = np.stack([_group_pairs(matrix, names) for matrix in seeds])
    counts = np.stack([_group_pairs(matrix.notna().astype(float), names) for matrix in seeds])
    mean = float((sums.sum(axis=(1, 2)) / counts.sum(axis=(1, 2))).mean())
    low, high = nan, nan
    if len(names) >= MIN_GROUPS:
        groups = _resamples(len(names))
        with np.errstate(invalid="ignore"):
            low, high = _middle(_over_pairs(groups, sums) / _over_pairs(groups, counts))
    return Estimate(mean, low, high, len(seeds), len(names))


def _group_pairs(matrix: pd.DataFrame, names: list[str]) -> Floats:
    """Sums over the pairs of images of any two groups; 0 within a group."""
    member = np.equal.outer(np.array(names), matrix.index.to_numpy()).astype(float)  # groups × images
    sums: Floats = member @ matrix.to_numpy(float) @ member.T
    return np.where(np.eye(len(names), dtype=bool), 0, sums)


def _over_pairs(groups: Floats, pairs: Floats) -> Floats:
    """Sums over the pairs of drawn groups: draws × groups and seeds × groups × groups to draws × seeds."""
    sums: Floats = np.einsum("dg,sgh,dh->ds", groups, pairs, groups, optimize=True)
    return sums


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
        interval = binomtest(camera_first, camera_first + label_first).proportion_ci(CONFIDENCE, "exact")
        low, high = float(interval.low), float(interval.high)
    return LearningOrder(pairs, camera_first, label_first, low, high)
