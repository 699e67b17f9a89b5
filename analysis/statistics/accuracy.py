"""Accuracies and their differences, with the interval of `bootstrap`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import (
    Estimate,
    Floats,
    Scores,
    bootstrap_interval,
    weigh,
)

Tested = pd.DataFrame | Sequence[pd.DataFrame] | Mapping[int, pd.DataFrame]
"""Predictions of a cell: all seeds in one frame with a column seed (`Records.rows`), or a frame per seed.

Columns group, prediction and truth, and where a function says so, others of `Records.predictions`."""


def accuracy(tested: Tested) -> Estimate:
    """Accuracy of a cell over its seeds.

    Returns:
        The mean over seeds of each seed's accuracy, from 0 to 1, with the interval of `estimate`.
    """
    return contrast([(1.0, tested)])


def contrast(terms: Sequence[tuple[float, Tested]]) -> Estimate:
    """A weighted sum of accuracies, such as seen minus unseen cameras, or one group of models minus another.

    Groups and seeds are resampled for all terms together, so that what they share (bottles, weights) cancels as far
    as it is shared; the photos of the terms need not be the same.

    Args:
        terms: Weight and predictions; only seeds of all terms count.
    """
    stacked = [_stack(tested) for _, tested in terms]
    common = set.intersection(*({*rows["seed"].unique()} for rows in stacked))
    scores = [_score_right(rows, pd.Index(sorted(common))) for rows in stacked]
    return weigh(scores, [weight for weight, _ in terms], lowest=0.0)


def _stack(tested: Tested) -> pd.DataFrame:
    """All seeds in one frame with a column seed."""
    if isinstance(tested, pd.DataFrame):
        return tested
    by_seed = tested if isinstance(tested, Mapping) else dict(enumerate(tested))
    frames = [frame.assign(seed=seed) for seed, frame in by_seed.items()]
    return pd.concat(frames, ignore_index=True) if frames else _NOTHING_TESTED


_NOTHING_TESTED = pd.DataFrame(columns=["image_id", "camera", "group", "draw", "prediction", "truth", "seed"])


def _score_right(rows: pd.DataFrame, seeds: pd.Index[int]) -> Scores:
    """1 for every right prediction of these seeds, else 0."""
    return _scores(rows, rows["prediction"] == rows["truth"], seeds)


def _scores(rows: pd.DataFrame, values: pd.Series[Any] | Floats, seeds: pd.Index[int]) -> Scores:
    """Scores of a frame's rows, those of these seeds alone."""
    numbers = seeds.get_indexer(pd.Index(rows["seed"]))
    there = numbers >= 0
    return Scores(np.asarray(values, np.float64)[there], rows["group"].to_numpy()[there], numbers[there])


def paired_difference(first: Tested, second: Tested) -> Estimate:
    """Accuracy of one cell minus that of another, on the test images and seeds that both have.

    Args:
        first: Predictions, with image_id and draw.
        second: Likewise.

    Returns:
        The mean difference, from -1 to 1; the same images are compared, so what makes an image hard cancels.
    """
    sides = _stack(first), _stack(second)
    names = ["seed", "image_id", "draw"]
    if not all(np.array_equal(sides[0][name], sides[1][name]) for name in names):
        keys = [pd.MultiIndex.from_frame(side[names]) for side in sides]
        sides = sides[0][keys[0].isin(keys[1])], sides[1][keys[1].isin(keys[0])]
    return contrast([(1.0, sides[0]), (-1.0, sides[1])])


def share_given(tested: Tested, expected: Mapping[str, str]) -> Estimate:
    """Share of the photos from some cameras that are given the class expected of their camera (paper, Figure 3).

    Args:
        tested: Predictions, with camera.
        expected: Class by camera; photos of other cameras are excluded.
    """
    rows = _of_cameras(tested, expected)
    given = rows["prediction"] == rows["camera"].map(dict(expected))
    return weigh([_scores(rows, given, pd.Index(rows["seed"].unique()))], [1.0], lowest=0.0)


def excess_given(tested: Tested, expected: Mapping[str, str]) -> Estimate:
    """`share_given` minus what it would be if predictions took no notice of the camera.

    A photo whose prediction is class c would, with its camera drawn at random from the photos at hand, have one that
    expects c with the share of those cameras: a model that names one class for every photo exceeds nothing.
    """
    rows = _of_cameras(tested, expected)
    classes = rows["camera"].map(dict(expected))
    shares = pd.crosstab(rows["seed"], classes, normalize="index").stack()
    named = pd.MultiIndex.from_arrays([rows["seed"], rows["prediction"]])
    if_independent = shares.reindex(named).fillna(0.0).to_numpy(float)
    excess = (rows["prediction"] == classes).to_numpy(float) - if_independent
    return weigh([_scores(rows, excess, pd.Index(rows["seed"].unique()))], [1.0], lowest=-1.0)


def _of_cameras(tested: Tested, expected: Mapping[str, str]) -> pd.DataFrame:
    rows = _stack(tested)
    return rows[rows["camera"].isin(list(expected))]


def chance(tested: Tested) -> float:
    """Accuracy of the majority baseline, which looks at no image: the share of the most frequent true class.

    It is counted on the test images at hand, not taken as 1/k: where classes are uneven, 1/k would let a model
    that always names the commonest class look as if it had learned something. NaN where there are no images.
    """
    rows = _stack(tested)
    return float(rows["truth"].value_counts(normalize=True).iloc[0]) if len(rows) else nan


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

    return bootstrap_interval(drawn_pairs, np.ones(len(names)), mean, len(names), bounds=(-2.0, 2.0))


def _group_pairs(matrix: pd.DataFrame, names: list[str]) -> Floats:
    """Sums over the pairs of images of any two groups; 0 within a group."""
    member = np.equal.outer(np.array(names), matrix.index.to_numpy()).astype(float)  # groups × images
    sums: Floats = member @ matrix.to_numpy(float) @ member.T
    return np.where(np.eye(len(names), dtype=bool), 0, sums)
