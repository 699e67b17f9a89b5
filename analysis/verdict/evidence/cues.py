"""Which cue identifies the cameras?"""

from __future__ import annotations

from camerabias.analysis.effects.cues import Attribution, name_cue
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register


class CuesTest(VerdictTest[Attribution]):
    """Families of cues, by what every view leaves of the identification."""

    name = "cues"

    def compute(self, audited: Audited) -> Attribution | None:
        """None where views were not asked for, or cameras are not identified in photos as they are."""
        cameras = audited.cameras.set_index("view")
        if not (cameras["p"].get(PLAIN, 1.0) <= LEVEL):
            return None
        return name_cue({str(view): share for view, share in cameras["kept"].items()})

    def evidence(self, result: Attribution) -> dict[str, float]:
        """The distance of the nearest fingerprint of each family."""
        return dict(result.distances)

    def sentences(self, found: Findings) -> list[str]:
        """The most likely cue, and the views that keep and that remove the shortcut effect."""
        result = found.of(self)
        if result is None:
            return []
        most, *others = result.named
        beside = f", then {' and '.join(others)}" if others else ""
        return [f"Most likely cue: {most}{beside}.", *_by_view(found)]


def _by_view(found: Findings) -> list[str]:
    effect = found.effects.get(found.model)
    if effect is None or not effect.p <= LEVEL:
        return []
    views = found.labels[found.labels["view"] != PLAIN]
    significant, rest = (
        views.loc[which, "view"] for which in (views["p_holm"] <= LEVEL, views["p_holm"] > LEVEL)
    )
    shown = (("The shortcut effect remains", significant), ("It was not significant", rest))
    return [f"{what} in the views {', '.join(names)}." for what, names in shown if len(names)]


NEAREST_CUES = register(CuesTest())
