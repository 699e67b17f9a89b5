"""Permutation tests: how often chance alone would show as much as was seen.

All keep together what belongs together (photos of one group, trials of several seeds), from a generator with a
fixed seed, so that the same records give the same p.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.statistics.bootstrap import Floats

PERMUTATIONS = 999
"""The smallest p is 0.001, and one near 0.05 is known to within 0.014."""

CORRECTED_PERMUTATIONS = 4999
"""Of tests that are corrected for many comparisons: the smallest p, 0.0002, is below `LEVEL` after Holm's correction
for as many as 50, where 0.001 would not be for 12; and one near `LEVEL` is known to within 0.003."""

FEWER_PERMUTATIONS, VERY_MANY = 199, 50_000
"""Permutations where more photos than that are permuted one by one and only a p at `LEVEL` is asked for: the smallest
is then 0.005, and what is expected under independence is known as well as from 999 of fewer photos."""

SIGNIFICANT = 0.05
"""Of the paper's claims, each decided for itself: the level that is usual in its field."""

LEVEL = 0.01
"""Of a verdict. A model wrongly said to cheat costs more than a subtle cheat missed, which `minimum_detectable`
admits; one in a hundred, because many models are looked at."""

POWER = 0.8
"""Of `minimum_detectable`: the convention of planning."""

Codes = npt.NDArray[np.intp]


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
    """Test whether accuracy depends on the camera.

    The statistic is the sum of squares between cameras, its null that of `camera_permutations`. An image's score is
    its mean over seeds, so that seeds stay together.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it.
    """
    rows = with_seeds(seeds)
    right = pd.DataFrame({"right": rows["prediction"] == rows["truth"], "tested": 1}, dtype=float)
    images, sums = by_image(rows, right)
    codes, cameras = pd.factorize(images["camera"], sort=True)
    scores = (sums["right"] / sums["tested"]).to_numpy()

    def between(codes: Codes) -> float:
        return float((np.bincount(codes, scores) ** 2 / np.bincount(codes)).sum())

    permuted = np.array([between(row) for rows in camera_permutations(images, PERMUTATIONS) for row in rows])
    accuracies = np.bincount(codes, scores) / np.bincount(codes)
    return CameraEffect(pd.Series(accuracies, index=cameras), p_value(between(codes), permuted))


def with_seeds(seeds: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Predictions of all seeds in one frame, with the number of the seed as column `seed`."""
    return pd.concat([frame.assign(seed=seed) for seed, frame in enumerate(seeds)], ignore_index=True)


def by_image(rows: pd.DataFrame, scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What `camera_permutations` takes of n different images, and sums of scores over all predictions of each.

    Args:
        rows: Predictions as `with_seeds` gives them.
        scores: As many rows, any columns.

    Returns:
        Columns image_id, group, label, camera and seeds (a number for each set of seeds that test the same images),
        n rows; and n rows of sums.
    """
    keys = ["image_id", "group", "label", "camera"]
    if rows["image_id"].is_unique:  # the same as below, which takes seconds of a million rows
        order = rows["image_id"].to_numpy().argsort(kind="stable")
        images = rows[keys].iloc[order].reset_index(drop=True)
        images["seeds"] = pd.factorize(rows["seed"].iloc[order])[0]
        return images, scores.iloc[order].reset_index(drop=True)
    tested = rows.groupby([*keys, "seed"]).size().unstack("seed", fill_value=0)
    images = tested.index.to_frame(index=False)
    images["seeds"] = np.unique(tested.to_numpy(), axis=0, return_inverse=True)[1]
    return images, scores.groupby([rows[key] for key in keys]).sum().reset_index(drop=True)


def camera_permutations(images: pd.DataFrame, n: int) -> Iterator[Codes]:
    """Cameras of the images after a permutation within labels, n times.

    Under the null hypothesis cameras are exchangeable among photos that differ in nothing else that matters:

    - Within a group that was taken by several cameras (a bottle), which leaves the object as it is, and within it
      among photos of one label.
    - Groups with one camera are permuted as wholes, since their photos are right or wrong together, and among groups
      with about as many photos of each label, within a factor of two: where cameras differ in how many photos they
      take of an object, small groups vary more than large ones, and would not be exchangeable.
    - Among images that were tested by the same seeds: where folds rotate, each seed's model has its own bias.

    Args:
        images: As `by_image` gives them.
        n: How often.

    Yields:
        Codes of cameras in the order of their sorted names, some permutations × images at a time.
    """
    return permutations(exchangeable(images), n)


def permutations(units: pd.DataFrame, n: int) -> Iterator[Codes]:
    """Cameras of images after a permutation of units within blocks, n times.

    Args:
        units: For each image, the unit that takes its camera along, the number of the block within which, and the
            camera.
        n: How often.

    Yields:
        As `camera_permutations`.
    """
    of_image = units.groupby(["unit", "block"], sort=False).ngroup().to_numpy()
    units = units.drop_duplicates(["unit", "block"])
    codes, blocks = pd.factorize(units["camera"], sort=True)[0], units["block"].to_numpy()
    members = np.split(np.argsort(blocks, kind="stable"), np.bincount(blocks).cumsum()[:-1])
    permuted_blocks = [block for block in members if len(set(codes[block])) > 1]
    generator = np.random.default_rng(0xCA3E8A)
    at_once = max(1, min(250, _HELD // len(of_image)))
    for start in range(0, n, at_once):
        permuted = np.tile(codes, (min(at_once, n - start), 1))
        for block in permuted_blocks:
            permuted[:, block] = generator.permuted(permuted[:, block], axis=1)
        yield permuted[:, of_image]


_HELD = 2_500_000  # codes of cameras: 20 MB, which is 250 permutations of 10,000 images


def exchangeable(images: pd.DataFrame) -> pd.DataFrame:
    """The units of `camera_permutations`, as `permutations` takes them."""
    kinds = ["label", "seeds"]
    several = images.groupby("group")["camera"].transform("nunique") > 1
    counts = images.groupby(["group", *kinds]).size().unstack(kinds, fill_value=0)
    alike = np.unique(np.log2(counts + 1).astype(int), axis=0, return_inverse=True)[1]
    within = images[["group", *kinds]].where(several, -1)
    within["alike"] = images["group"].map(pd.Series(alike, counts.index)).where(~several, -1)
    unit = images["image_id"].where(several, images["group"])
    block = within.astype(str).groupby(list(within), sort=False).ngroup()
    return pd.DataFrame({"unit": unit, "block": block, "camera": images["camera"]})


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values of several comparisons, adjusted so that the chance of any false finding among them keeps the level.

    Holm's (1979) step-down of Bonferroni: valid however the comparisons depend on each other, which cells that share
    test photos and seeds do, and never weaker than Bonferroni.

    Args:
        p_values: One per comparison; NaN where there was nothing to compare, which does not count as one.

    Returns:
        Adjusted p-values in the same order, to be compared with the level as they are; NaN stays NaN.
    """
    raw = np.asarray(p_values, dtype=float)
    compared = np.flatnonzero(~np.isnan(raw))
    ascending = compared[np.argsort(raw[compared], kind="stable")]
    steps = raw[ascending] * np.arange(len(ascending), 0, -1)
    adjusted = np.full_like(raw, np.nan)
    adjusted[ascending] = np.minimum(np.maximum.accumulate(steps), 1)
    return [float(p) for p in adjusted]


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
    return p_value(float(maps.sum(axis=0).var()), np.array(permuted))


def _group_maps(right: npt.NDArray[np.bool_], groups: Sequence[str]) -> Floats:
    """Per group, the sum of its images' maps: (groups, gy, gx)."""
    codes, names = pd.factorize(np.asarray(groups, dtype=object))
    maps = np.zeros((len(names), *right.shape[1:]))
    np.add.at(maps, codes, right)
    return maps


def p_value(seen: float, permuted: Floats) -> float:
    """The share of permutations, the one seen among them, that show as much; rounding is no difference."""
    as_much = permuted >= seen - 1e-9 * max(abs(seen), 1e-12)
    return float((1 + as_much.sum()) / (1 + len(permuted)))
