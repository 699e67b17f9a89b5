"""Whose verdict is it, and does that model know the task at all?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import pandas as pd

from camerabias.analysis.records.wording import describe_model
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.number_format import show_estimate, show_share
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT


@dataclass(frozen=True)
class Task:
    """What a model can do.

    Attributes:
        accuracy: Of the label.
        majority_baseline: What always naming the commonest label comes to, on the same photos.
    """

    accuracy: Estimate
    majority_baseline: float

    @property
    def is_known(self) -> bool:
        """Whether the model names labels better than that, by its interval."""
        return self.accuracy.low > self.majority_baseline


class TaskTest(VerdictTest[Task]):
    """Accuracy of the label: a model that does not know the task cannot show what it would do if it did."""

    name = "task"

    def compute(self, audited: Audited) -> Task | None:
        """None before a trial has finished."""
        rows = list(audited.label_rows)
        if not rows:
            return None
        labels = pd.concat(rows)["label"]
        return Task(accuracy(rows), float(labels.value_counts(normalize=True).max()))

    def evidence(self, result: Task) -> dict[str, float]:
        """Accuracy and its baseline."""
        return {**result.accuracy.named("accuracy"), "majority_baseline": result.majority_baseline}

    def sentences(self, found: Findings) -> list[str]:
        """Which model, how accurate, and how many others there were."""
        result = found.of(self)
        if result is None:
            return []
        others = len(found.effects) - 1
        tested = any(not isnan(effect.p) for effect in found.effects.values())
        why = "has the clearest shortcut effect (p corrected)" if tested else "names labels best"
        beside = f" Of {others + 1} models, it {why}." if others else ""
        return [
            f"Judged: {describe_model(found.model)}, label accuracy {show_estimate(result.accuracy)}, majority "
            f"baseline {show_share(result.majority_baseline)}.{beside}",
            *_by_the_camera_alone(found, result.accuracy.mean),
        ]


def _by_the_camera_alone(found: Findings, accuracy: float) -> list[str]:
    """What always naming the camera's associated label comes to, where both kinds of photos were tested."""
    tested = found.of(SHORTCUT_EFFECT)
    if tested is None or not tested.effect.has_both:
        return []
    return [
        "Always naming the camera's associated label would be right for "
        f"{show_share(tested.camera_baseline)} of these photos; the model is right for {show_share(accuracy)} of all."
    ]


TASK = register(TaskTest())
