"""Does a shortcut effect come from the association of label and camera in training?"""

from __future__ import annotations

from camerabias.analysis.effects.control import ControlEffect, control_effect
from camerabias.analysis.statistics.number_format import show_p, show_points, show_with_points
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT


class ControlTest(VerdictTest[ControlEffect]):
    """Control heads of a linear probe; they explain, and never decide."""

    name = "control"

    def compute(self, audited: Audited) -> ControlEffect | None:
        """None of networks, and where the cells cannot be weighted."""
        return control_effect(audited.label_rows, audited.controls, audited.design.associated_labels)

    def evidence(self, result: ControlEffect) -> dict[str, float]:
        """Both risk differences, p, and what the weights leave of the sample."""
        return {
            "exposed_risk_difference": result.exposed,
            "risk_difference": result.control,
            "p": result.p,
            "effective_share": result.effective,
        }

    def sentences(self, found: Findings) -> list[str]:
        """What becomes of the effect, where there is one."""
        result, tested = found.of(self), found.of(SHORTCUT_EFFECT)
        if tested is None or not tested.effect.p <= LEVEL:
            return []
        if result is None:
            why = [str(arrays["why"]) for arrays in found.controls if "why" in arrays]
            return (
                [f"There is no control (the same linear probe, trained as if labels were even): {why[0]}."]
                if why
                else []
            )
        means = (
            "So it comes from which labels each camera took in training."
            if result.p <= LEVEL
            else "That it comes from which labels each camera took in training was not shown."
        )
        return [
            "Control: the same linear probe, its training photos weighted as if cameras had taken labels in "
            f"the same shares, has a shortcut effect of {show_with_points(result.control)} in place of "
            f"{show_points(result.exposed)} ({show_p(result.p)}). {means}"
        ]


CONTROL = register(ControlTest())
