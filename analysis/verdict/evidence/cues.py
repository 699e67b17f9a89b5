"""In which cues do cameras differ?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from camerabias.analysis.cues.naming import CueNaming, name_cues
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.statistics.number_format import show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register
from camerabias.datasets.cues.names import words_of
from camerabias.datasets.pixels.registry import STATISTICS


def cues_of(pixels: pd.DataFrame) -> CueNaming | None:
    """Cues in which cameras differ, by `Audited.pixels`; None where no label has two cameras."""
    return name_cues(pixels[[*STATISTICS]], pixels["label"], pixels["camera"])


class CuesTest(VerdictTest[CueNaming]):
    """Cues by the pixel statistics of photos: no classifier is asked."""

    name = "cues"

    def compute(self, audited: Audited) -> CueNaming | None:
        """None where pixels were not measured, or no label has two cameras."""
        return None if audited.pixels is None else cues_of(audited.pixels)

    def evidence(self, result: CueNaming) -> dict[str, float]:
        """The probability of each cue, and of any; how strange the cameras are."""
        return {**result.probabilities, "any": result.any, "strangeness": result.strangeness}

    def sentences(self, found: Findings) -> list[str]:
        """The cues, and the views that keep and that remove the shortcut effect."""
        result = found.of(self)
        return ([] if result is None else [_name(result)]) + _by_view(found)


def _name(found: CueNaming) -> str:
    if found.is_strange:
        return "No cue is named: cameras differ in ways that no simulated cameras did, and names come from these."
    if found.named:
        return f"Cameras differ in {_listed(found, found.named)}."
    if found.inseparable:
        return f"Cameras differ in one or more of several cues, inseparable: {_listed(found, found.inseparable)}."
    return f"No cue is named; the most probable is {_listed(found, [*found.probabilities][:1])}."


def _listed(found: CueNaming, cues: Sequence[str]) -> str:
    """`noise (probability 0.97) and JPEG compression (0.88)`."""
    first, *others = (f"{words_of(cue)} ({show_share(found.probabilities[cue])})" for cue in cues)
    first = first.replace("(", "(probability ", 1)
    return " and ".join(part for part in (", ".join([first, *others[:-1]]), *others[-1:]) if part)


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


CUES_TEST = register(CuesTest())
