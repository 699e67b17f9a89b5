"""Which cue does the classifier use?"""

from __future__ import annotations

from collections.abc import Mapping

from camerabias.analysis.cues.moved_cues import MovedCue, moved_cue
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.number_format import show_estimate
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT
from camerabias.datasets.cues.names import probe_of


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
        sampled = f" in {moved.photos:,} of {n:,} photos" if moved.photos < n else ""
        levels = (
            f"with {cue} equalised{sampled} the risk difference {{}} from {moved.before.mean:z.2f} to "
            f"{moved.equalised.mean:z.2f} (sham: {moved.sham.mean:z.2f}"
        )
        if moved.is_used:
            return [f"{'Mostly' if moved.is_most else 'Partly'} the {cue}: {levels.format('falls')})."]
        who = (
            f"Perhaps the {cue}"
            if moved.may_be_most
            else f"Which cue is used was not found, {' or '.join(result)} not shown"
        )
        beyond = f"drop beyond it: {show_estimate(moved.drop)}"
        return [f"{who}: {levels.format('goes')}; {beyond})."]


MOVED_CUES = register(MovedCuesTest())
