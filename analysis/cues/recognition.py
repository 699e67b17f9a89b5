"""How well camera and label are predicted from pixel statistics alone, by a regression on other groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import Estimate, Floats
from camerabias.datasets.pixels.registry import STATISTICS
from camerabias.datasets.schema import Target

SPLITS = 5
"""Parts that are predicted from the others; whole folds, which keep groups together."""

FAR = 4.0
"""Standard deviations beyond which a number counts as this far."""

STRENGTH = 0.1
"""Inverse strength of the regression's penalty, on standardised numbers."""


@dataclass(frozen=True)
class Recognition:
    """How well a target is predicted from pixel statistics.

    Attributes:
        target: What is predicted: the camera within a label, or the label.
        accuracy: Share of photos that are predicted right, out of fold, with a 95 % interval.
        majority_baseline: The share of the commonest camera of each label; of the commonest label.
    """

    target: Target
    accuracy: Estimate
    majority_baseline: float

    @property
    def works(self) -> bool:
        """Whether all of the interval lies above the baseline."""
        return self.accuracy.low > self.majority_baseline


def recognise(rows: pd.DataFrame, target: Target) -> Recognition | None:
    """Predict a target of every photo from its pixel statistics, by a logistic regression on the other groups.

    Args:
        rows: A row per photo: `label`, `camera`, `group`, `fold`, and a column per statistic.
        target: `camera` is predicted from the label beside the statistics, of labels that several cameras took.

    Returns:
        What was found; None where there is nothing to tell from each other.
    """
    if target == "camera":
        rows = rows[rows.groupby("label")["camera"].transform("nunique") > 1]
    if rows[target].nunique() < 2 or rows["fold"].nunique() < 2:
        return None
    split = rows["fold"].to_numpy() % SPLITS
    known = (
        pd.get_dummies(rows["label"]).to_numpy(np.float64) if target == "camera" else np.empty((len(rows), 0))
    )
    truth = rows[target].astype(str).to_numpy()
    predicted = truth.copy()
    for part in np.unique(split):
        tested = split == part
        predicted[tested] = _predict(rows, known, truth, tested)
    within = rows["label"] if target == "camera" else pd.Series("", rows.index)
    commonest = rows.groupby(within)[target].agg(lambda names: names.value_counts().iloc[0]).sum()
    judged = pd.DataFrame({"group": rows["group"], "prediction": predicted, "truth": truth})
    return Recognition(target, accuracy([judged]), float(commonest / len(rows)))


def _predict(rows: pd.DataFrame, known: Floats, truth: Any, tested: Any) -> Any:
    from sklearn.linear_model import LogisticRegression  # late: it costs a second
    from threadpoolctl import threadpool_limits

    if len(set(truth[~tested])) < 2:
        return truth[~tested][0]
    features = np.hstack([_standardised(rows[[*STATISTICS]].to_numpy(np.float64), ~tested), known])
    with threadpool_limits(1):  # the same bits on any number of cores
        model = LogisticRegression(C=STRENGTH, tol=1e-3, max_iter=200).fit(features[~tested], truth[~tested])
        return model.predict(features[tested])


def _standardised(numbers: Floats, training: Any) -> Floats:
    """Numbers in standard deviations of those that train, none far off; missing ones are average, and marked."""
    missing = np.isnan(numbers)
    some = (~missing[training]).any(axis=0)
    numbers, missing = numbers[:, some], missing[:, some]
    numbers = np.where(missing, np.nanmedian(numbers[training], axis=0), numbers)
    middle, spread = numbers[training].mean(axis=0), numbers[training].std(axis=0)
    standard = np.clip((numbers - middle) / np.where(spread > 0, spread, 1), -FAR, FAR)
    return np.hstack([standard, missing[:, missing.any(axis=0)].astype(np.float64)])
