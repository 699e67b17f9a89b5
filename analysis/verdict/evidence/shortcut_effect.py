"""Do the model's predictions depend on the camera, given the label?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan, nan

import pandas as pd

from camerabias.analysis.effects.given_labels import given_labels
from camerabias.analysis.effects.shortcut_effect import ShortcutEffect, minimum_detectable
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.number_format import (
    points_decimals,
    show_estimate,
    show_p,
    show_points_ci,
    show_share,
    show_with_points,
)
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register

SMALL = 0.02
"""A minimum detectable effect below which its points have a decimal."""


@dataclass(frozen=True)
class EffectFound:
    """The shortcut effect, and what could have been found.

    Attributes:
        effect: Of the audited model, p corrected for the number of models.
        minimum_detectable: The smallest risk difference that would have been found; NaN where not even the largest.
        label_accuracy: Accuracy of the label.
        camera_baseline: Accuracy of always naming the camera's associated label, on photos of cameras that have one.
    """

    effect: ShortcutEffect
    minimum_detectable: float
    label_accuracy: Estimate
    camera_baseline: float


class ShortcutEffectTest(VerdictTest[EffectFound]):
    """The risk difference of the associated label."""

    name = "shortcut_effect"

    def compute(self, audited: Audited) -> EffectFound | None:
        """Of the audited model on photos as they are; None before such a trial has finished."""
        if audited.model not in audited.effects:
            return None
        effect, associated = audited.effects[audited.model], audited.design.associated_labels
        rows = audited.label_rows
        detectable = nan if isnan(effect.p) else minimum_detectable(rows, associated)
        named = (
            pd.concat(rows)
            .assign(usual=lambda photos: photos["camera"].map(associated))
            .dropna(subset="usual")
        )
        camera_baseline = float((named["usual"] == named["label"]).mean())
        return EffectFound(effect, detectable, accuracy(rows), camera_baseline)

    def evidence(self, result: EffectFound) -> dict[str, float]:
        """Shares, risk difference, p, and accuracies of bias-aligned and bias-conflicting photos."""
        effect = result.effect
        return {
            **result.label_accuracy.named("accuracy"),
            "share": effect.share,
            "expected": effect.expected,
            **effect.risk_difference.named("risk_difference"),
            "p": effect.p,
            "minimum_detectable": result.minimum_detectable,
            "camera_baseline": result.camera_baseline,
            "n_bias_aligned": effect.n_aligned,
            "n_bias_conflicting": effect.n_conflicting,
            **effect.accuracy_aligned.named("accuracy_bias_aligned"),
            **effect.accuracy_conflicting.named("accuracy_bias_conflicting"),
            **effect.accuracy_difference.named("accuracy_difference"),
        }

    def sentences(self, found: Findings) -> list[str]:
        """The risk difference, and what could have been found where none was."""
        result = found.of(self)
        if not found.design.associated_labels:
            return [found.design.answers["use"].why, *_where_tied(found)]
        if result is None or isnan(result.effect.p):
            return []
        effect = result.effect
        return [
            _difference(effect, found.judged),
            *([_power(result)] if effect.p > LEVEL else []),
            *([_accuracies(effect, found.noun)] if effect.has_both else []),
            *(_for_instance(found) if effect.p <= LEVEL else []),
        ]


def _difference(effect: ShortcutEffect, judged: bool) -> str:
    points = show_with_points(effect.risk_difference.mean, points_decimals(effect.risk_difference))
    sure = ", ".join(filter(None, [show_points_ci(effect.risk_difference), show_p(effect.p)]))
    found = "No significant shortcut effect" if effect.p > LEVEL else "Shortcut effect"
    explained = "the label that goes with their camera (its associated label)"
    own = (
        "their camera's associated label" if judged else explained
    )  # judged, the sentence before names these
    return (
        f"{found}: {points} ({sure}). Photos are named {own} that much more often than others of their label."
    )


def _where_tied(found: Findings) -> list[str]:
    """What the same model does where it gains something from the camera; nothing where that was not tried."""
    if found.contrast is None:
        return []
    tied = found.contrast.tied
    does = "uses the camera" if tied.falls else "was not shown to use the camera"
    return [
        f"Trained where every camera has one label, the same model {does}: right for {show_share(tied.aligned.mean)} "
        f"of photos where they go together, and for {show_share(tied.conflicting.mean)} of others."
    ]


def _accuracies(effect: ShortcutEffect, noun: str) -> str:
    """Of both kinds of photos."""
    both = (
        f"Accuracy is {show_estimate(effect.accuracy_aligned)} on bias-aligned photos, which have their camera's "
        f"associated label ({effect.n_aligned} {noun}), and {show_estimate(effect.accuracy_conflicting)} on "
        f"bias-conflicting ones, which have another ({effect.n_conflicting} {noun})."
    )
    return (
        f"{both} No label has both, so that these do not compare."
        if isnan(effect.accuracy_difference.mean)
        else both
    )


def _for_instance(found: Findings) -> list[str]:
    """The label and camera of which most photos are given the camera's associated label beyond what others are.

    Of predictions alone: an audit has its cues to say, and a page with photos.
    """
    if not found.judged:
        return []
    rows = found.label_rows
    table = given_labels(rows, found.design.associated_labels)
    if table.empty:
        return []
    first = table.iloc[0]
    once = sum(map(len, rows)) == len({image for one in rows for image in one["image_id"]})
    what = "photos" if once else "predictions"
    return [
        f"For instance, {first.given} of {first.photos} {what} of {first.label!r} by {first.camera!r} are called "
        f"{first.associated_label!r}, and {first.given_of_others} of {first.photos_of_others} by cameras that do not "
        "go with that."
    ]


def _power(result: EffectFound) -> str:
    if isnan(result.minimum_detectable):
        return (
            "Not even a model that always predicts the associated label would have been detected (power 0.8)."
        )
    decimals = int(result.minimum_detectable < SMALL)
    return (
        f"A shortcut effect of {show_with_points(result.minimum_detectable, decimals)} or more would have been found "
        "(minimum detectable effect, power 0.8)."
    )


SHORTCUT_EFFECT = register(ShortcutEffectTest())
