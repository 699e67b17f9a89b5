"""Are label and camera associated, how strongly, and which label is a camera's associated one?

Photos of one group are one observation, however many there are: intervals resample whole groups, and what is
expected under independence comes from permuting labels between whole groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import nan

import numpy as np
import pandas as pd
from scipy.special import entr

from camerabias.analysis.statistics.bootstrap import (
    Estimate,
    Floats,
    bootstrap_interval,
    count_alike,
    mean_of_resamples,
)
from camerabias.analysis.statistics.counts import MANY, permuted_tables
from camerabias.analysis.statistics.permutation import (
    FEWER_PERMUTATIONS,
    PERMUTATIONS,
    VERY_MANY,
    Codes,
    p_value,
)

Measure = Callable[[Floats], Floats]
"""Of tables of counts, (..., rows, columns) to (...)."""

ROUNDING = 1e-9
"""What is closer to 0 than this is 0."""

BATCH = 2**22
"""Numbers held at once while labels are permuted: 32 MiB of them."""


@dataclass(frozen=True)
class Association:
    """How strongly label and camera are associated.

    Both measures are adjusted for chance, since with few photos independent labels look dependent: 0 is the mean of
    permutations of labels between whole groups, or less, and the top stays the top.

    Attributes:
        cramers_v: Cramér's V, from 0 (independent) to 1 (one gives the other); NaN with one label or one camera.
        information: Mutual information of label and camera in bits, likewise: a share of what label and camera, as
            frequent as they are in these photos, can have in common.
        entropy: Entropy of the label in bits, of which the camera holds `information`.
        p: Share of permutations whose V is as large: the p-value of "label and camera are independent".
    """

    cramers_v: Estimate
    information: Estimate
    entropy: float
    p: float


def associated_labels(table: pd.DataFrame) -> dict[str, str]:
    """Each camera's associated label: the one that is most clearly more frequent there than if independent.

    That is the largest of Pearson's residuals, (count - expected) / √expected. By the factor alone, a single photo
    of a rare label would outdo a hundred.

    Args:
        table: Counts, labels × cameras.

    Returns:
        Label by camera; a camera whose labels are as frequent as everywhere, or without photos, has none.
    """
    counts = table.to_numpy(float)
    expected = _expected(counts)
    residuals = np.divide(counts - expected, np.sqrt(expected), out=np.zeros_like(counts), where=expected > 0)
    return {
        str(camera): str(table.index[column.argmax()])
        for camera, column in zip(table.columns, residuals.T, strict=True)
        if column.max() > ROUNDING
    }


def associate(images: pd.DataFrame) -> Association:
    """Measure the association of label and camera.

    Intervals are those of `statistics.resample`, about the estimate: a resampled table has the chance of the photos
    in it and as much again of the resampling, which moves all of them and leaves less room for them to vary. V is
    resampled as its square, to which chance adds.

    Args:
        images: A row per image with label, camera and group.
    """
    labels, cameras, groups = (
        pd.factorize(images[name], sort=True)[0] for name in ("label", "camera", "group")
    )
    units = permutation_units(groups, cameras, labels)
    seen = np.zeros((cameras.max() + 1, labels.max() + 1))
    np.add.at(seen, (cameras, labels), 1)
    permuted = np.concatenate(list(permuted_counts(cameras, len(seen), labels, units)))
    v, share = (_measure(groups, cameras, labels, one, permuted) for one in (squared_v, information_share))
    bits = float(_lesser_bits(seen))
    return Association(
        cramers_v=replace(v, mean=v.mean**0.5, low=v.low**0.5, high=v.high**0.5),
        information=replace(share, mean=share.mean * bits, low=share.low * bits, high=share.high * bits),
        entropy=float(_bits(seen.sum(axis=0))),
        p=p_value(float(squared_v(seen)), squared_v(permuted)) if min(seen.shape) > 1 else nan,
    )


def squared_v(counts: Floats) -> Floats:
    """The square of Cramér's V of tables of counts, (..., rows, columns) to (...); NaN with one row or column."""
    expected = _expected(counts)
    squares = np.divide(counts**2, expected, out=np.zeros_like(counts), where=expected > 0)
    n = counts.sum(axis=(-2, -1))
    filled = np.minimum(*((counts.sum(axis=axis) > 0).sum(axis=-1) for axis in (-2, -1)))
    return _ratio(squares.sum(axis=(-2, -1)) / n - 1, filled - 1.0)


def information_share(counts: Floats) -> Floats:
    """Mutual information of rows and columns over the smaller of their entropies, its maximum; as `squared_v`."""
    margins = _bits(counts.sum(axis=-1)) + _bits(counts.sum(axis=-2))
    return _ratio(margins - _bits(counts.reshape(*counts.shape[:-2], -1)), _lesser_bits(counts))


def permutation_units(groups: Codes, rows: Codes, classes: Codes) -> Codes:
    """What keeps together when classes are permuted: a group, or where both differ within it, its images of a class.

    A bottle that every camera has taken has one label, a leaf that one camera has taken may have several: either is
    permuted as a whole. In a group with several of both, permuting wholes would leave it as it is.

    Args:
        groups: n codes.
        rows: n codes of what the classes are tabulated against, such as cameras.
        classes: n codes of what is permuted, such as labels.

    Returns:
        n numbers of units.
    """
    n_rows, n_classes = rows.max() + 1, classes.max() + 1
    rows_of_group = np.bincount(np.unique(groups * n_rows + rows) // n_rows)
    apart = np.where(rows_of_group[groups] > 1, classes, 0)
    units: Codes = pd.factorize(groups * n_classes + apart)[0]
    return units


def permuted_counts(rows: Codes, n_rows: int, classes: Codes, units: Codes) -> Iterator[Floats]:
    """Tables after a permutation of classes between whole units, `PERMUTATIONS` times, or fewer of very many.

    A unit's images keep their rows and get the classes of another unit's images, one after the other from a random
    one on, and from the start again where the other has fewer.

    Args:
        rows: n codes below `n_rows`.
        n_rows: Rows of the tables.
        classes: n codes.
        units: n codes.

    Yields:
        Counts, (b, rows, classes), some permutations at a time.
    """
    n_classes, sizes = int(classes.max()) + 1, np.bincount(units)
    if len(sizes) == len(units) > MANY:
        generator, kinds = np.random.default_rng(0xDE516), np.bincount(classes)
        tables = permuted_tables(np.bincount(rows, minlength=n_rows), kinds, PERMUTATIONS, generator)
        yield tables.astype(float)
        return
    by_unit = np.argsort(units, kind="stable")
    starts = np.cumsum(sizes) - sizes
    place = np.empty_like(units)
    place[by_unit] = np.arange(len(units)) - starts[units[by_unit]]
    generator = np.random.default_rng(0xDE516)
    batch = max(1, BATCH // max(len(rows), n_rows * n_classes))
    n_all = PERMUTATIONS if len(rows) <= VERY_MANY else FEWER_PERMUTATIONS
    for start in range(0, n_all, batch):
        n = min(batch, n_all - start)
        others = generator.permuted(np.tile(np.arange(len(sizes)), (n, 1)), axis=1)
        begins = (generator.random(others.shape) * sizes[others]).astype(np.intp)
        other = others[:, units]
        taken = classes[by_unit[starts[other] + (place + begins[:, units]) % sizes[other]]]
        cells = (np.arange(n)[:, None] * n_rows + rows) * n_classes + taken
        yield (
            np.bincount(cells.ravel(), minlength=n * n_rows * n_classes).reshape(n, n_rows, -1).astype(float)
        )


def _measure(groups: Codes, rows: Codes, classes: Codes, measure: Measure, permuted: Floats) -> Estimate:
    """A measure from 0 to 1 of a table, adjusted for chance, with its interval."""
    shape = permuted.shape[1:]
    cells, cell_of = np.unique(rows * shape[1] + classes, return_inverse=True)
    n_groups = int(groups.max()) + 1
    counted, sizes = _cells_of_groups(groups, cell_of, n_groups)
    by_chance = float(measure(permuted).mean())

    def tables(sums: Floats) -> Floats:
        counts = np.zeros((*sums.shape[:-1], shape[0] * shape[1]))
        counts[..., cells] = sums
        return counts.reshape(*sums.shape[:-1], *shape)

    left = 1 - by_chance
    if left < ROUNDING:  # chance comes to all there can be: nothing is known
        return Estimate(0.0, 0.0, 1.0, 1, n_groups)
    seen = measure(tables(sizes @ counted))
    mean = float(np.clip((seen - by_chance) / left, 0, 1))
    expected = mean_of_resamples(counted, sizes, lambda sums: measure(tables(sums)))

    def centred(sums: Floats) -> Floats:
        return np.clip(mean + (measure(tables(sums)) - expected) / left**2, 0, 1)

    found = bootstrap_interval(
        lambda drawn: (drawn @ counted)[..., None], sizes, centred, n_groups, (0.0, 1.0)
    )
    return replace(found, mean=mean, low=min(found.low, mean), high=max(found.high, mean))


def _cells_of_groups(groups: Codes, cell_of: Codes, n_groups: int) -> tuple[Floats, Floats]:
    """Images of each group in every cell, and how many groups each row is, see `count_alike`."""
    n_cells = int(cell_of.max()) + 1
    if len(groups) == n_groups > MANY:  # each group is an image: as many kinds as cells
        return np.eye(n_cells), np.bincount(cell_of).astype(float)
    counts = np.bincount(groups * n_cells + cell_of, minlength=n_groups * n_cells)
    return count_alike(counts.reshape(n_groups, n_cells).astype(float))


def _expected(counts: Floats) -> Floats:
    """What independent rows and columns would come to."""
    n = np.maximum(counts.sum(axis=(-2, -1), keepdims=True), 1)
    return np.asarray(counts.sum(axis=-1, keepdims=True) * counts.sum(axis=-2, keepdims=True) / n)


def _bits(counts: Floats) -> Floats:
    """Entropy in bits over the last axis."""
    shares = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)
    return np.asarray(entr(shares).sum(axis=-1) / np.log(2))


def _lesser_bits(counts: Floats) -> Floats:
    """The smaller of the entropies of rows and columns, which bounds their mutual information."""
    return np.minimum(_bits(counts.sum(axis=-1)), _bits(counts.sum(axis=-2)))


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.divide(top, bottom, out=np.full_like(top, nan), where=bottom > 0)
