"""The minimum detectable effect of photos, and the photos that it takes to detect a given one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from camerabias.analysis.design.design import Cell, Effect, NeededPhotos, count_groups
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.permutation import LEVEL, POWER
from camerabias.datasets.schema import N_FOLDS

SOUGHT_DIFFERENCE = 0.25
"""What photos are asked for to detect: a model that gives one photo in four its camera's associated label because of
the camera. A smaller effect would be worth knowing, but half of it takes four times as many photos."""


def minimum_detectable_effect(groups: pd.DataFrame, associated: Mapping[str, str]) -> float:
    """The smallest risk difference that is detected at level 0.01 with power 0.8.

    The risk difference (`shortcut_effect.ShortcutEffect.risk_difference`) is a Mantel–Haenszel difference over
    labels. Of the n groups of a label let a share q_m have a camera with associated label m. If predictions are
    independent of the camera, the risk difference has a standard error of at most

        √(Σ n max_m q_m (1 − q_m)) / Σ n Σ_m q_m (1 − q_m)        (outer sums over labels)

    whatever is predicted, and just that where two labels are associated and both predicted as often. The smallest
    risk difference is z(0.99) + z(0.80) = 3.17 times as much. A good classifier predicts less evenly, so that
    smaller differences show. A group that several cameras took counts once per camera.

    Args:
        groups: Numbers of tested groups, labels × cameras.
        associated: Associated label by camera, of the cameras that have one.

    Returns:
        The risk difference; NaN where it is above 1, so that not even a model that always predicts the associated
        label would be detected.
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
    """The minimum detectable effect of some test photos, NaN where too few are bias-conflicting."""
    expected = tested["camera"].map(dict(associated))
    conflicting = tested[expected.notna() & (expected != tested["label"])]
    n = conflicting["group"].nunique()
    return Effect(
        tested=name,
        groups=n,
        risk_difference=minimum_detectable_effect(count_groups(tested), associated)
        if n >= MIN_GROUPS
        else nan,
    )


def photos_needed(
    groups: pd.DataFrame, cells: Sequence[Cell], associated: Mapping[str, str]
) -> dict[Cell, int]:
    """How many groups of photos of some cells to take, until `SOUGHT_DIFFERENCE` would be detected.

    Args:
        groups: Numbers of groups at hand, labels × cameras.
        cells: The cells to fill, all of them up to the same number, of `N_FOLDS` at least; some label has two cameras
            in them with two associated labels.
        associated: Label by camera.

    Returns:
        Groups to take by cell, where any are needed.
    """
    counts: dict[Any, int] = groups.stack().to_dict()
    there = {cell: counts.get(cell, 0) for cell in cells}

    def shows(number: int) -> bool:
        filled = counts | {cell: max(n, number) for cell, n in there.items()}
        return (
            minimum_detectable_effect(pd.Series(filled).unstack(fill_value=0), associated)
            <= SOUGHT_DIFFERENCE
        )

    number = next(number for number in count(N_FOLDS) if shows(number))
    return {cell: number - n for cell, n in there.items() if n < number}


def to_compare(groups: pd.DataFrame, label: str, first: str, second: str) -> dict[Cell, int]:
    """What to take so that two cameras can be compared within a label."""
    return photos_needed(
        groups.loc[[label]], [(label, first), (label, second)], {first: first, second: second}
    )


def photos_to_balance(training: pd.DataFrame, associated: Mapping[str, str]) -> tuple[NeededPhotos, ...]:
    """What cameras with an associated label lack of the other labels, most first.

    Args:
        training: A row per training photo, with its label and camera.
        associated: Associated label by camera.
    """
    counts = pd.crosstab(training["label"], training["camera"])[sorted({*training["camera"]} & {*associated})]
    lacking = (counts.max() - counts).melt(ignore_index=False, value_name="n").reset_index()
    most = lacking[lacking["n"] > 0].sort_values("n", ascending=False, kind="stable")
    return tuple(NeededPhotos.model_validate(row) for row in most.to_dict("records"))
