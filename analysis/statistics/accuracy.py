"""Accuracies and their differences, with the interval of `bootstrap`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import (
    Estimate,
    Floats,
    bootstrap_interval,
    by_group,
    estimate,
    score_right,
    weigh,
)


def accuracy(seeds: Sequence[pd.DataFrame]) -> Estimate:
    """Accuracy of a cell over its seeds.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it (columns group, prediction, truth).

    Returns:
        The mean over seeds of each seed's accuracy, from 0 to 1, with the interval of `estimate`.
    """
    return estimate([score_right(frame) for frame in seeds])


def contrast(terms: Sequence[tuple[float, Mapping[int, pd.DataFrame]]]) -> Estimate:
    """A weighted sum of accuracies, such as seen minus unseen cameras, or one group of models minus another.

    Groups and seeds are resampled for all terms together, so that what they share (bottles, weights) cancels as far
    as it is shared; the photos of the terms need not be the same.

    Args:
        terms: Weight and predictions by seed (as `Records.test_rows` gives them); only seeds of all terms count.
    """
    seeds = sorted(set.intersection(*({*rows} for _, rows in terms)))
    scores = [[score_right(rows[seed]) for seed in seeds] for _, rows in terms]
    return weigh(scores, [weight for weight, _ in terms], lowest=0.0)


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
        expected: Class by camera; photos of other cameras are excluded.
    """
    return estimate([by_group(frame, given) for frame, given, _ in _given_expected(seeds, expected)])


def excess_given(seeds: Sequence[pd.DataFrame], expected: Mapping[str, str]) -> Estimate:
    """`share_given` minus what it would be if predictions took no notice of the camera.

    A photo whose prediction is class c would, with its camera drawn at random from the photos at hand, have one that
    expects c with the share of those cameras: a model that names one class for every photo exceeds nothing.
    """
    scores = []
    for frame, given, classes in _given_expected(seeds, expected):
        if_independent = frame["prediction"].map(classes.value_counts(normalize=True)).fillna(0.0)
        scores.append(by_group(frame, given.astype(float) - if_independent))
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
    """Accuracy of the majority baseline, which looks at no image: the share of the most frequent true class.

    It is counted on the test images at hand, not taken as 1/k: where classes are uneven, 1/k would let a model
    that always names the commonest class look as if it had learned something. NaN where there are no images.
    """
    if not seeds:
        return nan
    return float(pd.concat([frame["truth"] for frame in seeds]).value_counts(normalize=True).iloc[0])


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
