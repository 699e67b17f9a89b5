"""The minimum detectable effect of many photos, from counts of them; see `shortcut_effect.minimum_detectable`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.counts import CountedBlock, random_tables
from camerabias.analysis.statistics.permutation import LEVEL


def counted_power(blocks: Sequence[CountedBlock], n: int) -> Callable[[float], float]:
    """How often a risk difference would be detected, as a function of it.

    Args:
        blocks: Units that show how often each associated label is predicted of them, and in a last column how often
            they were tested; classes are associated labels in the same order, and a last class has none.
        n: Simulations.
    """

    def power(risk_difference: float) -> float:
        generator = np.random.default_rng(0xDE7EC7)
        seen, null = np.sum([_simulated(block, risk_difference, n, generator) for block in blocks], axis=0)
        return float((seen > np.quantile(null, 1 - LEVEL, method="higher")).mean())

    return power


def _simulated(
    block: CountedBlock, risk_difference: float, n: int, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """How often associated labels are predicted if some units depend on the camera, and once all are permuted."""
    scores, tested = block.shown[:, :-1], block.shown[:, -1]
    m = scores.shape[1]
    before = random_tables(block.kinds, block.classes, n, generator)
    following = generator.binomial(before[:, :, :m], risk_difference)
    staying = before.copy()
    staying[:, :, :m] -= following
    seen = np.einsum("nkm,k->n", following, tested) + np.einsum("nkm,km->n", staying[:, :, :m], scores)
    # those that follow a camera of one class, and were tested as often, are of one kind
    often, kind_of = np.unique(tested, return_inverse=True)
    followers = np.einsum("ok,nkm->nom", (kind_of == np.arange(len(often))[:, None]).astype(int), following)
    kinds = np.concatenate([staying.sum(axis=2), followers.reshape(n, -1)], axis=1)
    after = random_tables(kinds, block.classes, n, generator)
    still = after[:, len(tested) :, :m].reshape(n, len(often), m, m)
    null = np.einsum("nkm,km->n", after[:, : len(tested), :m], scores) + np.einsum("nomm,o->n", still, often)
    return seen, null
