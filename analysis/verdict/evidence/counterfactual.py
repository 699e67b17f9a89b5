"""What becomes of predictions when another camera takes the same object?"""

from __future__ import annotations

from math import isnan

from camerabias.analysis.effects.shortcut_effect import Counterfactual, counterfactual
from camerabias.analysis.statistics.number_format import show_estimate, show_p
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register


class CounterfactualTest(VerdictTest[Counterfactual]):
    """Predictions of simulated photos of the same object by every camera; None of real photos."""

    name = "counterfactual"

    def compute(self, audited: Audited) -> Counterfactual | None:
        """Of the audited model, by the probe of the same name."""
        associated, shots = audited.design.associated_labels, audited.counterfactuals
        return counterfactual(shots, associated) if shots and associated else None

    def evidence(self, result: Counterfactual) -> dict[str, float]:
        """The shares that change, and which way."""
        numbers: dict[str, float] = {}
        for name in ("across", "noise", "excess", "directed"):
            numbers |= getattr(result, name).named(name)
        return {**numbers, "p": result.p}

    def sentences(self, found: Findings) -> list[str]:
        """How many predictions change, and how many towards the new camera's associated label."""
        result = found.of(self)
        if result is None or isnan(result.p):
            return []
        beside = ""
        if not isnan(result.noise.mean):
            beside = f", and {show_estimate(result.noise)} by one with the same"
        return [
            f"Counterfactual photos: {show_estimate(result.across)} of the predictions change by a camera with "
            f"another associated label{beside}. {show_estimate(result.directed)} change to the new camera's "
            f"associated label, net of those that change against it ({show_p(result.p)})."
        ]


COUNTERFACTUAL = register(CounterfactualTest())
