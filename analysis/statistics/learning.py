"""Which of two tasks is learned first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import exact_interval
from camerabias.datasets.schema import Target

LEARNED_SHARE = 0.5


def learning_threshold(chance: float) -> float:
    """The validation accuracy at which a task counts as learned: half of the way from chance to 1.

    Half, because then tasks with two and with five classes are asked for the same share of what there is to learn;
    because a validation fold of 100 photos strays some 0.05 from chance, far from half of the way; and
    because every model that learns at all gets there, while 90 % would ask how good it ends, not how fast it is.
    """
    return chance + LEARNED_SHARE * (1 - chance)


def steps_to_threshold(history: pd.DataFrame, threshold: float) -> int | None:
    """The first optimiser step at which the validation accuracy was at least `threshold`; None if it never was.

    Args:
        history: Columns step and validation_accuracy (NaN between validations), in order of steps.
        threshold: An accuracy from 0 to 1.
    """
    reached = history.loc[history["validation_accuracy"] >= threshold, "step"]
    return int(reached.iloc[0]) if len(reached) else None


@dataclass(frozen=True)
class LearningOrder:
    """Which of two tasks was learned first, in trials paired by model and seed (paper, Figure 2).

    Attributes:
        pairs: A row per pair: model, seed, camera and label (the step at which each was learned, NaN if never).
        camera_first: Pairs in which the camera was learned first, or alone.
        label_first: Likewise the label.
        low: Lower end of the exact 95 % interval of the share `camera_first` among the decided pairs.
        high: Its upper end; NaN, as `low`, where no pair is decided.
    """

    pairs: pd.DataFrame
    camera_first: int
    label_first: int
    low: float
    high: float

    @property
    def first(self) -> Target | Literal["cannot tell"]:
        """What is learned first, where the interval of the share excludes one half."""
        if self.low > 0.5:
            return "camera"
        return "label" if self.high < 0.5 else "cannot tell"


def learning_order(
    camera: Mapping[tuple[str, int], int | None], label: Mapping[tuple[str, int], int | None]
) -> LearningOrder:
    """Compare the steps to the threshold of camera and label trials.

    The pairs, not the steps, are counted (a sign test), so that a trial which never got there still counts: as
    later than any that did. Pairs that tie, or where neither got there, decide nothing.

    Args:
        camera: Step, or None for never, of each camera trial by (model, seed).
        label: Likewise of the label trials; keys that one side lacks are excluded.
    """
    keys = [key for key in camera if key in label]
    rows = [(*key, camera[key], label[key]) for key in keys]
    pairs = pd.DataFrame(rows, columns=["model", "seed", "camera", "label"]).astype(
        {"camera": float, "label": float}
    )
    ends = pairs[["camera", "label"]].fillna(np.inf)
    camera_first = int((ends["camera"] < ends["label"]).sum())
    label_first = int((ends["label"] < ends["camera"]).sum())
    low, high = nan, nan
    if camera_first + label_first:
        low, high = exact_interval(camera_first, camera_first + label_first)
    return LearningOrder(pairs, camera_first, label_first, low, high)
