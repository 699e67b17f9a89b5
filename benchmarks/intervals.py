"""How often the interval of an accuracy holds the truth, where groups and seeds vary: nominally in 95 % of cases.

`python -m benchmarks intervals [TIMES]` simulates test photos, five of each group, whose groups are hard or easy
and whose seeds are good or bad, and asks `analysis.statistics.estimate`: five minutes.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import estimate

TRUTH, PHOTOS, TIMES = 0.75, 5, 300


def covered(n_seeds: int, n_groups: int, spread: float, times: int) -> float:
    """Share of simulated cells whose interval holds the accuracy of any seed on any group.

    Args:
        n_seeds: Seeds of a cell.
        n_groups: Groups that all of them test.
        spread: Standard deviation of what a seed adds to every group's accuracy.
        times: How many are simulated.
    """
    generator = np.random.default_rng([n_seeds, n_groups, round(1000 * spread)])
    names = np.repeat([f"g{n}" for n in range(n_groups)], PHOTOS)
    held = 0
    for _ in range(times):
        hard = generator.beta(6 * TRUTH, 6 * (1 - TRUTH), n_groups)
        seeds = []
        for effect in generator.normal(0, spread, n_seeds):
            right = generator.random((n_groups, PHOTOS)) < np.clip(hard + effect, 0, 1)[:, None]
            seeds.append(pd.Series(right.ravel().astype(float), index=names))
        found = estimate(seeds)
        held += found.low <= TRUTH <= found.high
    return held / times


def main(arguments: list[str]) -> None:
    times = int(arguments[0]) if arguments else TIMES
    for n_seeds, n_groups, spread in product([3, 4, 5, 10], [20, 100], [0.0, 0.03, 0.08]):
        share = covered(n_seeds, n_groups, spread, times)
        print(f"{n_seeds} seeds of spread {spread:.2f}, {n_groups} groups: {share:.1%}", flush=True)
