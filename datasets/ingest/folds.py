"""Dealing a dataset into folds, once, when it is made: stratified by label × camera, groups kept whole."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from camerabias.datasets.schema import N_FOLDS


def deal_folds(
    image_ids: Sequence[str], cells: Sequence[tuple[str, str]], groups: Sequence[str], seed: int = 0
) -> npt.NDArray[np.int64]:
    """Deal images into `N_FOLDS` folds, as evenly over the cells as whole groups allow.

    Groups made up alike (the same number of images in the same cells) are dealt out together, a round of one
    group per fold at a time; the remainder of a round goes to the folds that have least of those cells so far.
    Where every group is alike, as in the simulator, the folds differ by at most one group per kind.

    Args:
        image_ids: n identifiers; the result depends on them, not on the order of the rows.
        cells: n pairs (label, camera).
        groups: n group names; images of one group get one fold.
        seed: Changes which groups go where.

    Returns:
        n fold numbers from 0 to `N_FOLDS` - 1.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    cell_numbers = {cell: number for number, cell in enumerate(sorted(set(cells)))}
    cell_of_row = [cell_numbers[cell] for cell in cells]

    kinds: dict[tuple[tuple[int, int], ...], list[tuple[bytes, str]]] = defaultdict(list)
    for group, rows in members.items():
        kind = tuple(sorted(Counter(cell_of_row[row] for row in rows).items()))
        kinds[kind].append((_order_key(seed, min(image_ids[row] for row in rows)), group))

    totals = np.bincount(cell_of_row, minlength=len(cell_numbers)).astype(float)
    dealt = np.zeros((N_FOLDS, len(cell_numbers)))
    folds = np.empty(len(cells), dtype=np.int64)
    for kind in sorted(kinds, key=lambda kind: (-sum(n for _, n in kind), kind)):  # large groups first
        numbers = np.array([number for number, _ in kind])
        counts = np.array([n for _, n in kind], dtype=float)
        queue = [group for _, group in sorted(kinds[kind])]
        for start in range(0, len(queue), N_FOLDS):
            load = (dealt[:, numbers] * counts / totals[numbers]).sum(axis=1)
            # of two folds equally short of these cells, the one with fewer images in all
            order = np.lexsort((dealt.sum(axis=1), load.round(12)))
            for fold, group in zip(order, queue[start : start + N_FOLDS], strict=False):
                dealt[fold, numbers] += counts
                folds[members[group]] = fold
    return folds


def _order_key(seed: int, image_id: str) -> bytes:
    return hashlib.sha256(f"{seed}:{image_id}".encode()).digest()
