"""How often the intervals of Cramér's V and mutual information hold the truth (nominally 95 %), and their estimate.

`python -m benchmarks association [TIMES]` draws groups of one to five photos from known shares of label × camera,
from two labels to a hundred, and asks `analysis.statistics.associate`: ten minutes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import entr

from camerabias.analysis.statistics import association
from camerabias.analysis.statistics.association import associate, information_share, squared_v
from camerabias.analysis.statistics.bootstrap import Estimate

TIMES = 60
association.PERMUTATIONS = 199  # the mean of so many is known well enough

Shares = npt.NDArray[np.float64]


def skewed(n: int) -> Shares:
    """Shares of n classes, the last half as frequent as the first (2), ... (n)."""
    shares = 1 / np.arange(1, n + 1)
    return np.asarray(shares / shares.sum())


def mixed(n_labels: int, n_cameras: int, strength: float) -> Shares:
    """Independent labels and cameras of uneven shares, but that a share of photos has the camera of its label."""
    labels, cameras = skewed(n_labels), skewed(n_cameras)
    given = np.zeros((n_labels, n_cameras))
    given[np.arange(n_labels), np.arange(n_labels) % n_cameras] = labels
    return np.asarray((1 - strength) * np.outer(labels, cameras) + strength * given)


def draw(shares: Shares, n_groups: int, generator: np.random.Generator) -> pd.DataFrame:
    """Groups of one to five photos with one label and camera each."""
    cells = generator.choice(shares.size, n_groups, p=shares.ravel())
    group = np.repeat(np.arange(n_groups), generator.integers(1, 6, n_groups))
    label, camera = np.unravel_index(cells[group], shares.shape)
    return pd.DataFrame({"label": label, "camera": camera, "group": group})


def measure(photos: pd.DataFrame) -> tuple[Estimate, Estimate]:
    """V, and mutual information as a share of the lesser of the entropies as they are in these photos."""
    found = associate(photos)
    counts = pd.crosstab(photos["label"], photos["camera"])
    bits = min(float(entr(counts.sum(axis=axis) / len(photos)).sum()) / np.log(2) for axis in (0, 1))
    ends = {name: getattr(found.information, name) / bits for name in ("mean", "low", "high")}
    return found.cramers_v, replace(found.information, **ends)


def main(arguments: list[str]) -> None:
    """Print a line per case."""
    times = int(arguments[0]) if arguments else TIMES
    cases = [(2, 2), (3, 4), (30, 10), (100, 10)]
    for (n_labels, n_cameras), strength in [(case, s) for case in cases for s in (0.0, 0.3, 0.7, 1.0)]:
        shares = mixed(n_labels, n_cameras, strength)
        truths = (max(0.0, float(squared_v(shares * 1e6))) ** 0.5, float(information_share(shares * 1e6)))
        for n_groups in (40, 400):
            generator = np.random.default_rng([n_labels, n_groups, round(10 * strength)])
            found = [measure(draw(shares, n_groups, generator)) for _ in range(times)]
            named = zip(("V", "share"), truths, zip(*found, strict=True), strict=True)
            told = "; ".join(f"{name} {_describe(truth, estimates)}" for name, truth, estimates in named)
            print(f"{n_labels} × {n_cameras}, strength {strength}, {n_groups} groups: {told}", flush=True)


def _describe(truth: float, estimates: list[Estimate]) -> str:
    covered = np.mean([one.low - 1e-9 <= truth <= one.high + 1e-9 for one in estimates])
    holding = np.mean([one.low - 1e-9 <= one.mean <= one.high + 1e-9 for one in estimates])
    mean, low, high = (np.mean([getattr(one, end) for one in estimates]) for end in ("mean", "low", "high"))
    return f"{truth:.3f} is {mean:.3f} [{low:.3f}, {high:.3f}], holds it {covered:.0%}, its estimate {holding:.0%}"
