"""The minimum detectable effect of many photos, from counts of them; see `shortcut_effect.minimum_detectable`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.counts import CountedBlock, random_tables
from camerabias.analysis.statistics.permutation import LEVEL, Codes


def counted_power(blocks: Sequence[CountedBlock], n: int) -> Callable[[float], float]:
    """How often a risk difference would be detected, as a function of it.

    Args:
        blocks: Units that show how often each associated label is predicted of them, and in a last column how often
            they were tested; classes are associated labels in the same order, and a last class has none.
        n: Simulations.
    """
    shown = _padded([block.shown for block in blocks])
    classes = np.stack([block.classes for block in blocks])[:, None]
    sizes = _padded([block.kinds[:, None].astype(float) for block in blocks])[..., 0].astype(np.int64)
    scores, tested, m = shown[..., :-1], shown[..., -1], shown.shape[2] - 1
    distinct, kind_of = _once_some_follow(scores, tested)
    before = random_tables(np.repeat(sizes[:, None], n, axis=1), classes, np.random.default_rng(0xDE7EC7))

    def power(risk_difference: float) -> float:
        generator = np.random.default_rng(0xDE7EC7)
        following = generator.binomial(before[..., :m], risk_difference)
        staying = before.copy()
        staying[..., :m] -= following
        seen = np.einsum("bnkm,bk->n", following, tested)
        seen += np.einsum("bnkm,bkm->n", staying[..., :m], scores)
        units = np.concatenate([staying.sum(axis=3), following.reshape(*before.shape[:2], -1)], axis=2)
        kinds = np.einsum("bnu,buk->bnk", units, kind_of, optimize=True)
        after = random_tables(kinds, classes, generator)
        null = np.einsum("bnkm,bkm->n", after[..., :m], distinct)
        return float((seen > np.quantile(null, 1 - LEVEL, method="higher")).mean())

    return power


def _once_some_follow(scores: Floats, tested: Floats) -> tuple[Floats, Codes]:
    """What units show of which some depend on the camera: these show its label as often as they were tested.

    Args:
        scores: Blocks × kinds × associated labels.
        tested: Blocks × kinds.

    Returns:
        All that is shown, blocks × other kinds × associated labels; and 0 or 1, blocks × (kinds, then kinds ×
        associated labels) × other kinds: which of the other kinds each has become.
    """
    b, k, m = scores.shape
    following = (tested[..., None, None] * np.eye(m)).reshape(b, k * m, m)
    merged = [
        np.unique(shown, axis=0, return_inverse=True) for shown in np.concatenate([scores, following], axis=1)
    ]
    distinct = _padded([rows for rows, _ in merged])
    codes = np.stack([inverse.ravel() for _, inverse in merged])
    return distinct, (codes[..., None] == np.arange(distinct.shape[1])).astype(np.intp)


def _padded(tables: Sequence[Floats]) -> Floats:
    """Tables of as many columns in one array; kinds that a block lacks are kinds of no unit."""
    most = max(map(len, tables))
    return np.stack([np.pad(table, ((0, most - len(table)), (0, 0))) for table in tables])
