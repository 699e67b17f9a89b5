"""Which cue does the classifier use?"""

from __future__ import annotations

from collections.abc import Mapping

from camerabias.analysis.cues.moved_cues import MovedCue, moved_cue
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.number_format import (
    points_decimals,
    show_points,
    show_points_ci,
    show_with_points,
)
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT
from camerabias.datasets.cues.names import probe_of, words_of


class MovedCuesTest(VerdictTest[Mapping[str, MovedCue]]):
    """Cues brought to another level in test photos; they explain, and never decide."""

    name = "moved_cues"

    def compute(self, audited: Audited) -> Mapping[str, MovedCue] | None:
        """By cue, the one that comes to most first; None where none was moved."""
        associated = audited.design.associated_labels
        found = {cue: moved_cue(seeds, associated) for cue, seeds in audited.moved.items()}
        known = {cue: moved for cue, moved in found.items() if moved is not None}
        return dict(sorted(known.items(), key=lambda pair: -pair[1].drop.mean)) or None

    def evidence(self, result: Mapping[str, MovedCue]) -> dict[str, float]:
        """Of every cue its risk differences, and the shares of predictions that change with it."""
        return {
            f"{probe_of(cue)}.{name}": number
            for cue, moved in result.items()
            for part, estimate in vars(moved).items()
            if isinstance(estimate, Estimate)
            for name, number in estimate.named(part).items()
        }

    def sentences(self, found: Findings) -> list[str]:
        """The cue that comes to most, where there is a shortcut effect."""
        result, tested = found.of(self), found.of(SHORTCUT_EFFECT)
        if result is None or tested is None or not tested.effect.p <= LEVEL:
            return []
        cue, moved = next(iter(result.items()))
        n = len({image for rows in found.label_rows for image in rows["image_id"]})
        among = f"Among {moved.photos:,} of {n:,} photos, " if moved.photos < n else ""
        equalised = f"{among}equalising {words_of(cue)} takes the shortcut effect"
        return [f"{_who(result)} {equalised[0].upper()}{equalised[1:]} {_levels(moved)}"]


def _who(result: Mapping[str, MovedCue]) -> str:
    """Which cue is used, as far as that was shown of the one that comes to most."""
    cue, moved = next(iter(result.items()))
    if moved.is_used:
        return f"The classifier {'mostly' if moved.is_most else 'partly'} uses {words_of(cue)}."
    if moved.may_be_most:
        return f"Perhaps the classifier uses {words_of(cue)}; that was not shown."
    return f"Which cue the classifier uses was not found (tested: {'; '.join(map(words_of, result))})."


def _levels(moved: MovedCue) -> str:
    """The risk differences in points, and what a sham is."""
    decimals = points_decimals(moved.before)
    before, equalised, sham = (
        show_points(arm.mean, decimals) for arm in (moved.before, moved.equalised, moved.sham)
    )
    levels = (
        f"from {before} to {equalised} points; a sham, which changes photos as much but does not make cameras alike, "
        f"leaves {sham}."
    )
    if moved.is_used:
        return levels
    beyond = (
        f"{show_with_points(moved.drop.mean, points_decimals(moved.drop))} ({show_points_ci(moved.drop)})"
    )
    return f"{levels} Beyond the sham that is {beyond}."


MOVED_CUES = register(MovedCuesTest())
