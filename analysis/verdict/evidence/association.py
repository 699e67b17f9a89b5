"""Are label and camera associated in the photos, and what could the photos show?"""

from __future__ import annotations

from math import isnan

from camerabias.analysis.design.design import Answerable
from camerabias.analysis.statistics.number_format import show_estimate, show_p
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register


class AssociationTest(VerdictTest[Answerable]):
    """Cramér's V of label and camera."""

    name = "association"

    def compute(self, audited: Audited) -> Answerable:
        """The design check has it."""
        return audited.design

    def evidence(self, result: Answerable) -> dict[str, float]:
        """V, p, and the smallest risk difference that all photos could show."""
        association, most = result.association, {"minimum_detectable": result.minimum_detectable_effect}
        if association is None:
            return most
        return {**association.cramers_v.named("cramers_v"), "p": association.p, **most}

    def sentences(self, found: Findings) -> list[str]:
        """Whether they are associated, and how much."""
        association = found.design.association
        if association is None or isnan(association.p):
            return []
        how = "are associated" if association.p <= LEVEL else "show no significant association"
        v = show_estimate(association.cramers_v)
        return [f"Label and camera {how}: Cramér's V {v} ({show_p(association.p)})."]


ASSOCIATION = register(AssociationTest())
