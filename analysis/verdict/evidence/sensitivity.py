"""Do predictions or scores depend on the camera given the label, in whatever direction?"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from camerabias.analysis.effects.sensitivity import Sensitivity, predictions_sensitivity, scores_sensitivity
from camerabias.analysis.statistics.number_format import show_p, show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT


@dataclass(frozen=True)
class SensitivityFound:
    """What depends on the camera, in whatever direction.

    Attributes:
        predictions: Whether predictions do.
        scores: Whether scores do; None where there are none.
    """

    predictions: Sensitivity
    scores: Sensitivity | None


class SensitivityTest(VerdictTest[SensitivityFound]):
    """Of predictions that are judged alone; it never decides, since it also arises on balanced photos."""

    name = "sensitivity"

    def compute(self, audited: Audited) -> SensitivityFound | None:
        """None of a run."""
        if not audited.judged:
            return None
        rows, scores = audited.label_rows, audited.score_rows
        return SensitivityFound(
            predictions_sensitivity(rows), scores_sensitivity(rows, scores) if scores else None
        )

    def evidence(self, result: SensitivityFound) -> dict[str, float]:
        """Shares explained, and p."""
        numbers = {"predictions": result.predictions.explained, "p_predictions": result.predictions.p}
        if result.scores is not None:
            numbers |= {"scores": result.scores.explained, "p_scores": result.scores.p}
        return numbers

    def sentences(self, found: Findings) -> list[str]:
        """Which of them do, and what that does not mean."""
        result = found.of(self)
        if result is None or isnan(result.predictions.p):
            return []
        looked = {"predictions": result.predictions} | ({"scores": result.scores} if result.scores else {})
        depend = {name: one for name, one in looked.items() if one.p <= LEVEL}
        if not depend:
            return [f"Not significantly camera-sensitive: within a label, {_numbers(looked)} by the camera."]
        effect = found.of(SHORTCUT_EFFECT)
        if effect is not None and effect.effect.p <= LEVEL:
            return []  # the direction is known, and says more
        return [
            f"Camera-sensitive: within a label, {_numbers(looked)} by the camera, in whatever direction. That alone "
            "is not called cheating: it also arises on balanced photos, where some cameras' photos are harder."
        ]


def _numbers(looked: dict[str, Sensitivity]) -> str:
    shares = [
        f"{show_share(max(0.0, one.explained))} of the variance of {name} ({show_p(one.p)})"
        for name, one in looked.items()
    ]
    return f"{' and '.join(shares)} {'are' if len(shares) > 1 else 'is'} explained"


SENSITIVITY = register(SensitivityTest())
