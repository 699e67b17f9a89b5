"""The smallest effect that the photos could show, and the photos that a given effect takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from camerabias.analysis.design.design import Cell, Effect, count_groups
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.permutation import LEVEL, POWER
from camerabias.datasets.schema import N_FOLDS

SOUGHT_DIFFERENCE = 0.25
"""What photos are asked for to show: a model that gives one photo in four its camera's label because of the camera. A
smaller use would be worth knowing, but half of it takes four times as many photos."""


def smallest_effect(groups: pd.DataFrame, associated: Mapping[str, str]) -> float:
    """The smallest risk difference that a test shows at level 0.01 with a power of 80 %.

    The risk difference (`shortcut_effect.ShortcutEffect.risk_difference`) is a Mantel–Haenszel difference over
    labels. Of the n groups of a label let a share q_m have a camera that implies label m. If predictions take no
    notice of the camera, the risk difference has a standard error of at most

        √(Σ n max_m q_m (1 − q_m)) / Σ n Σ_m q_m (1 − q_m)        (outer sums over labels)

    whatever is predicted, and just that where two labels are associated and both predicted as often. The smallest
    risk difference is z(0.99) + z(0.80) = 3.17 times as much. A good classifier predicts less evenly, so that
    smaller differences show. A group that several cameras took counts once per camera.

    Args:
        groups: Numbers of tested groups, labels × cameras.
        associated: Label by camera, of the cameras that imply one.

    Returns:
        The risk difference; NaN where it is above 1, so that not even a model that always follows the camera would
        be caught.
    """
    names = sorted(set(associated.values()))
    n = groups.sum(axis=1).to_numpy(float)
    ties = [[associated.get(str(camera)) == name for name in names] for camera in groups.columns]
    shares = groups.to_numpy(float) @ np.array(ties, dtype=float) / np.maximum(n, 1)[:, None]
    spread = shares * (1 - shares)  # labels × associated labels
    weight = float((n @ spread).sum())
    if weight == 0:
        return nan
    risk_difference = (ndtri(1 - LEVEL) + ndtri(POWER)) * sqrt(n @ spread.max(axis=1)) / weight
    return float(risk_difference) if risk_difference <= 1 else nan


def find_effect(name: str, tested: pd.DataFrame, associated: Mapping[str, str]) -> Effect:
    """The smallest effect that some test photos would show, NaN where too few contradict their camera."""
    expected = tested["camera"].map(dict(associated))
    disagree = tested[expected.notna() & (expected != tested["label"])]
    n = disagree["group"].nunique()
    return Effect(
        tested=name,
        groups=n,
        risk_difference=smallest_effect(count_groups(tested), associated) if n >= MIN_GROUPS else nan,
    )


def photos_needed(
    groups: pd.DataFrame, cells: Sequence[Cell], associated: Mapping[str, str]
) -> dict[Cell, int]:
    """How many groups of photos of some cells to take, until a risk difference of `SOUGHT_DIFFERENCE` would be seen.

    Args:
        groups: Numbers of groups at hand, labels × cameras.
        cells: The cells to fill, all of them up to the same number, of `N_FOLDS` at least; some label has two cameras
            in them that imply two labels.
        associated: Label by camera.

    Returns:
        Groups to take by cell, where any are needed.
    """
    counts: dict[Any, int] = groups.stack().to_dict()
    there = {cell: counts.get(cell, 0) for cell in cells}

    def shows(number: int) -> bool:
        filled = counts | {cell: max(n, number) for cell, n in there.items()}
        return smallest_effect(pd.Series(filled).unstack(fill_value=0), associated) <= SOUGHT_DIFFERENCE

    number = next(number for number in count(N_FOLDS) if shows(number))
    return {cell: number - n for cell, n in there.items() if n < number}


def to_compare(groups: pd.DataFrame, label: str, first: str, second: str) -> dict[Cell, int]:
    """What to take so that two cameras can be compared within a label."""
    return photos_needed(
        groups.loc[[label]], [(label, first), (label, second)], {first: first, second: second}
    )
