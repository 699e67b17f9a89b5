"""Permutations of many photos that show the same: tables of counts are drawn, in place of photos one by one.

Where many units of a block show the same, such as the same prediction, a permutation of their cameras is a table of
counts, kinds × classes, with given margins. These tables are multivariate hypergeometric, and drawing one takes as
long for a million photos as for a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.statistics.bootstrap import DECIMALS, Floats
from camerabias.analysis.statistics.permutation import Codes, exchangeable

MANY = 5_000
"""Units above which counts are drawn; fewer are permuted one by one within a second or two."""

WORTH = 6
"""A number of a table takes as long to draw as so many units to permute, measured."""

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CountedBlock:
    """Units among which classes are exchangeable, counted.

    Attributes:
        shown: What a unit of each kind shows, kinds × columns.
        kinds: How many units are of each kind.
        classes: How many units are of each class; every block has all classes, some of them empty.
    """

    shown: Floats
    kinds: Counts
    classes: Counts


def count_units(images: pd.DataFrame, shown: Floats, classes: Codes) -> list[CountedBlock] | None:
    """The units of `camera_permutations`, counted.

    Args:
        images: As `by_image` gives them.
        shown: What each image shows, n × columns; a unit shows the sum of its images.
        classes: Class of the camera of each image, n codes; cameras of one class need not be distinguished.

    Returns:
        The blocks; None where units are few, where counting them would save nothing, or where a group has several
        cameras.
    """
    if len(images) <= MANY or images.groupby("group")["camera"].nunique().max() > 1:
        return None
    units = pd.DataFrame(shown)
    if images["group"].is_unique:
        units["block"] = images.groupby(["label", "seeds"]).ngroup().to_numpy()
        units["class"] = classes
    else:
        found = exchangeable(images)
        keys = [found["unit"].to_numpy(), found["block"].to_numpy(), classes]
        units = units.groupby(keys).sum().reset_index(names=["unit", "block", "class"]).drop(columns="unit")
    columns = [*range(shown.shape[1])]
    units[columns] = units[columns].round(DECIMALS)
    counted = units.groupby(["block", *columns, "class"]).size().unstack("class", fill_value=0)
    counted = counted.reindex(columns=range(int(classes.max()) + 1), fill_value=0)
    if counted.size * WORTH > len(units):
        return None
    return [
        CountedBlock(
            table.index.to_frame().to_numpy(float)[:, 1:],
            table.to_numpy().sum(axis=1),
            table.to_numpy().sum(axis=0),
        )
        for _, table in counted.groupby(level="block")
    ]


def random_tables(kinds: Counts, classes: Counts, generator: np.random.Generator) -> Counts:
    """Tables of counts with given margins, as random permutations make them: one for each set of margins.

    Args:
        kinds: Sums of rows, ... × kinds.
        classes: Sums of columns, as many in all, ... × classes.
        generator: Where randomness comes from.

    Returns:
        Counts, ... × kinds × classes.
    """
    left, n_classes = kinds.copy(), classes.shape[-1]
    tables = np.zeros((*left.shape, n_classes), dtype=np.int64)
    for column in range(n_classes - 1):
        wanted = np.broadcast_to(classes[..., column], left.shape[:-1]).copy()
        after = left.sum(axis=-1)
        for row in range(left.shape[-1] - 1):
            after -= left[..., row]
            drawn = generator.hypergeometric(left[..., row], after, wanted)
            tables[..., row, column] = drawn
            wanted -= drawn
        tables[..., -1, column] = wanted
        left -= tables[..., column]
    tables[..., -1] = left
    return tables


def permuted_tables(kinds: Counts, classes: Counts, n: int, generator: np.random.Generator) -> Counts:
    """As many of `random_tables` with the same margins: n × kinds × classes."""
    return random_tables(np.tile(kinds, (n, 1)), classes, generator)


def counted_sums(blocks: Sequence[CountedBlock], n: int) -> Floats:
    """After each of n permutations, the sum of what units show in the column of their class; others show nothing."""
    generator = np.random.default_rng(0xCA3E8A)
    sums = np.zeros(n)
    for block in blocks:
        tables = permuted_tables(block.kinds, block.classes, n, generator)
        sums += np.einsum("nkc,kc->n", tables[:, :, : block.shown.shape[1]], block.shown)
    return sums
