"""What models do after training with and without a tie of camera and label, as a headline and charts."""

from __future__ import annotations

from collections.abc import Sequence

from camerabias.analysis.effects.by_setting import SettingContrast, Sides
from camerabias.analysis.report.answer_charts import AnswerChart, Mark


def contrast_headline(contrasts: Sequence[SettingContrast]) -> str:
    """What the models have in common, in two sentences."""
    falling = [one for one in contrasts if one.tied.falls]
    without = contrasts[0].without.setting
    after = f"After {without} training, {sum(one.without.falls for one in contrasts)} of {len(contrasts)} do."
    start = f"Trained where every camera has one label, {len(falling)} of {len(contrasts)} models go by the camera"
    if not falling:
        return f"{start}. {after}"
    right = _range([one.tied.aligned.mean for one in falling])
    elsewhere = _range([one.tied.conflicting.mean for one in falling])
    return f"{start}: right on {right} of photos where it goes with the label, and on {elsewhere} of others. {after}"


def _range(shares: Sequence[float]) -> str:
    low, high = min(shares), max(shares)
    return f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"


def contrast_charts(contrasts: Sequence[SettingContrast]) -> list[AnswerChart]:
    """A chart per model: four accuracies."""
    return [
        AnswerChart(
            f"{one.model}: right where the camera goes with the label, and where it does not?",
            f"After {one.tied.setting} training right in {one.tied.aligned.mean:.0%} and "
            f"{one.tied.conflicting.mean:.0%}, after {one.without.setting} training in "
            f"{one.without.aligned.mean:.0%} and {one.without.conflicting.mean:.0%}.",
            tuple(mark for sides in (one.tied, one.without) for mark in _marks(sides)),
            {},
        )
        for one in contrasts
    ]


def _marks(sides: Sides) -> list[Mark]:
    named = {"camera goes with label": sides.aligned, "camera does not": sides.conflicting}
    return [
        Mark(f"{sides.setting}, {name}", found.mean, found.low, found.high, bar=True)
        for name, found in named.items()
    ]
