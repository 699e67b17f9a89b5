"""Permutation tests: how often chance alone would show as much as was seen.

Both keep together what belongs together (photos of one group, trials of several seeds), from a generator with a
fixed seed, so that the same records give the same p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.statistics import Floats

PERMUTATIONS = 999
"""The smallest p is 0.001, and one near 0.05 is known to within 0.014."""

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class CameraEffect:
    """Whether accuracy depends on the camera.

    Attributes:
        accuracies: Accuracy by camera, over all seeds.
        p: Share of permutations in which cameras differ as much as here.
    """

    accuracies: pd.Series[float]
    p: float


def camera_effect(seeds: Sequence[pd.DataFrame]) -> CameraEffect:
    """Test that accuracy does not depend on the camera.

    The statistic is the sum of squares between cameras. Cameras are exchanged within a group that was taken by
    several (a bottle), which leaves label and object as they are; groups with one camera exchange it as wholes,
    among those of their label. An image's score is its mean over seeds, so that seeds stay together.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it.
    """
    rows = pd.concat(seeds)
    rows["right"] = rows["prediction"] == rows["truth"]
    images = rows.groupby(["image_id", "group", "label", "camera"])["right"].mean().reset_index()
    units = _exchangeable(images)
    codes, cameras = pd.factorize(units["camera"], sort=True)
    blocks = pd.factorize(units["block"])[0]
    sums, counts = units["sum"].to_numpy(float), units["count"].to_numpy(float)

    def between(codes: npt.NDArray[np.intp]) -> float:
        totals = np.bincount(codes, counts)
        return float((np.bincount(codes, sums) ** 2 / totals).sum())

    generator = np.random.default_rng(0xCA3E8A)
    places = np.argsort(blocks, kind="stable")
    shuffled = np.empty_like(codes)
    permuted = []
    for _ in range(PERMUTATIONS):
        shuffled[places] = codes[np.lexsort((generator.random(len(codes)), blocks))]
        permuted.append(between(shuffled))
    accuracies = np.bincount(codes, sums) / np.bincount(codes, counts)
    return CameraEffect(pd.Series(accuracies, index=cameras), _p_value(between(codes), np.array(permuted)))


def _exchangeable(images: pd.DataFrame) -> pd.DataFrame:
    """What may exchange cameras, and the block within which it may: columns camera, block, sum, count."""
    several = images.groupby("group")["camera"].transform("nunique") > 1
    unit = images["image_id"].where(several, images["group"])
    block = ("group " + images["group"]).where(several, "label " + images["label"])
    scores = images.assign(unit=unit, block=block).groupby(["unit", "block", "camera"])["right"]
    return scores.agg(["sum", "count"]).reset_index()


def map_uniformity(right: npt.NDArray[np.bool_], groups: Sequence[str]) -> float:
    """Test that the accuracy of crops does not depend on where in the frame they lie (paper, Figure 8).

    The statistic is the variance over positions of the mean map. Under the null hypothesis a group's maps may as
    well be shifted: in each permutation every group gets a random toroidal shift of its own, the same for all of
    its images and trials, so that neighbouring crops, and photos of one bottle, stay as alike as they are.

    Args:
        right: bool (n, gy, gx): whether each crop of each image is named right, in whichever trials.
        groups: Group of each of the n.

    Returns:
        The share of permutations whose map varies as much.
    """
    maps = _group_maps(right, groups)
    n, height, width = maps.shape
    generator = np.random.default_rng(0x3A9)
    each, rows, columns = np.arange(n)[:, None, None], np.arange(height)[:, None], np.arange(width)
    permuted = []
    for _ in range(PERMUTATIONS):
        down = generator.integers(height, size=(n, 1, 1))
        across = generator.integers(width, size=(n, 1, 1))
        shifted = maps[each, (rows + down) % height, (columns + across) % width]
        permuted.append(shifted.sum(axis=0).var())
    return _p_value(float(maps.sum(axis=0).var()), np.array(permuted))


def _group_maps(right: npt.NDArray[np.bool_], groups: Sequence[str]) -> Floats:
    """Per group, the sum of its images' maps: (groups, gy, gx)."""
    codes, names = pd.factorize(np.asarray(groups, dtype=object))
    maps = np.zeros((len(names), *right.shape[1:]))
    np.add.at(maps, codes, right)
    return maps


def _p_value(seen: float, permuted: Floats) -> float:
    """The share of permutations, the one seen among them, that show as much; rounding is no difference."""
    as_much = permuted >= seen - 1e-9 * max(abs(seen), 1e-12)
    return float((1 + as_much.sum()) / (1 + len(permuted)))
