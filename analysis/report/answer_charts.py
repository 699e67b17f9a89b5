"""The three charts of a report's first screen, from the numbers of its verdict: what happens, how much, with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor

from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.number_format import (
    points_decimals,
    show_interval,
    show_points,
    show_share,
    show_with_points,
)
from camerabias.analysis.statistics.permutation import LEVEL

_SHORT_AXIS = 0.8
_MARGIN = 0.05
_ROUNDING = 1e-9

EvidenceNumbers = Mapping[str, float | None]
"""The evidence of a verdict."""


@dataclass(frozen=True)
class Mark:
    """A number with its 95 % interval, in a row of a chart.

    Attributes:
        name: What it is of.
        value: The number.
        low: Lower end of the interval; None where there is none.
        high: Upper end, likewise.
        bar: Whether it is drawn as a bar from 0, else as a point.
        points: Whether it is a difference, shown in points.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    bar: bool = False
    points: bool = False

    @property
    def shown(self) -> str:
        """The number and its interval in text."""
        if self.points:
            return self._shown_in_points()
        if self.low is None or self.high is None:
            return show_share(self.value)
        return show_interval(self.value, self.low, self.high)

    def _shown_in_points(self) -> str:
        if self.low is None or self.high is None:
            return show_with_points(self.value)
        decimals = points_decimals(Estimate(self.value, self.low, self.high, 0, 0))
        value, low, high = (show_points(one, decimals) for one in (self.value, self.low, self.high))
        return f"{value} points [{low}, {high}]"


@dataclass(frozen=True)
class AnswerChart:
    """A chart that answers a question.

    Attributes:
        question: The question.
        answer: The answer in a few words.
        marks: Numbers, a row each.
        lines: Values to compare with, by name.
        start: Left end of the axis.
        end: Right end.
        points: Whether the axis has points of differences, else shares.
    """

    question: str
    answer: str
    marks: tuple[Mark, ...]
    lines: Mapping[str, float]
    start: float = 0.0
    end: float = 1.0
    points: bool = False

    def tick(self, value: float) -> str:
        """A round number on the axis, as text."""
        return show_points(value) if self.points else f"{value:g}"

    def line(self, value: float) -> str:
        """A value to compare with, as text."""
        return show_points(value) if self.points else f"{value:.2f}"

    @property
    def ticks(self) -> list[float]:
        """Round numbers on the axis, ascending."""
        step = 0.2 if self.end - self.start <= _SHORT_AXIS else 0.5
        first, last = ceil(self.start / step - _ROUNDING), floor(self.end / step + _ROUNDING)
        return [round(step * n, 1) for n in range(first, last + 1)]

    def place(self, value: float) -> float:
        """Where a value stands on the axis, from 0 to 100."""
        share = (value - self.start) / (self.end - self.start)
        return round(100 * min(max(share, 0.0), 1.0), 2)


def answer_charts(evidence: EvidenceNumbers) -> list[AnswerChart]:
    """The charts whose numbers are known.

    Args:
        evidence: Numbers of a verdict by name, as `verdict.json` has them.
    """
    return [chart for make in _CHARTS if (chart := make(evidence)) is not None]


def paired_charts(
    first: EvidenceNumbers, second: EvidenceNumbers
) -> list[tuple[AnswerChart | None, AnswerChart | None]]:
    """The charts of two verdicts, question by question, on common axes; None where one does not know the numbers."""
    pairs = [(make(first), make(second)) for make in _CHARTS]
    return [_on_common_axis(*pair) for pair in pairs if any(pair)]


def _on_common_axis(
    first: AnswerChart | None, second: AnswerChart | None
) -> tuple[AnswerChart | None, AnswerChart | None]:
    if first is None or second is None:
        return first, second
    start, end = min(first.start, second.start), max(first.end, second.end)
    return replace(first, start=start, end=end), replace(second, start=start, end=end)


def _accuracies(evidence: EvidenceNumbers) -> AnswerChart | None:
    aligned = _mark(evidence, "bias-aligned", "shortcut_effect.accuracy_bias_aligned", bar=True)
    conflicting = _mark(evidence, "bias-conflicting", "shortcut_effect.accuracy_bias_conflicting", bar=True)
    if aligned is None or conflicting is None:
        return None
    return AnswerChart(
        "Does accuracy fall on bias-conflicting photos?",
        f"Right in {aligned.value:.0%} of photos with the label that goes with their camera (bias-aligned), and in "
        f"{conflicting.value:.0%} of those with another (bias-conflicting).",
        (aligned, conflicting),
        {},
    )


def _dependence(evidence: EvidenceNumbers) -> AnswerChart | None:
    mark = _mark(evidence, "shortcut effect", "shortcut_effect.risk_difference")
    if mark is None:
        return None
    mark = replace(mark, points=True)
    lines = {"none": 0.0}
    if (least := evidence.get("shortcut_effect.minimum_detectable")) is not None:
        lines["detectable"] = least
    drawn = [mark.value, *(end for end in (mark.low, mark.high) if end is not None), *lines.values()]
    return AnswerChart(
        "How far do predictions depend on the camera?",
        _how_far(evidence, mark.value),
        (mark,),
        lines,
        min(-0.1, min(drawn) - _MARGIN),
        max(0.4, max(drawn) + _MARGIN),
        points=True,
    )


def _how_far(evidence: EvidenceNumbers, difference: float) -> str:
    p, least = evidence.get("shortcut_effect.p"), evidence.get("shortcut_effect.minimum_detectable")
    if p is not None and p <= LEVEL:
        return (
            f"Photos are named the label that goes with their camera {show_with_points(difference)} more often than "
            "others of the same true label."
        )
    could = "" if least is None else f"; {show_points(least)} would have been found (power 0.8)"
    return f"No shortcut effect was shown: {show_with_points(difference)}{could}."


def _identification(evidence: EvidenceNumbers) -> AnswerChart | None:
    mark = _mark(evidence, "accuracy on the camera", "identification.accuracy")
    baseline = evidence.get("identification.majority_baseline")
    if mark is None or baseline is None:
        return None
    p = evidence.get("identification.p")
    named = "A model names" if p is not None and p <= LEVEL else "It was not shown to: a model names"
    commonest = f"always naming the commonest is right for {baseline:.0%}"
    return AnswerChart(
        "Does the camera show in photos of one label?",
        f"{named} the camera of {mark.value:.0%} of them; {commonest}.{_no_gain(evidence)}",
        (mark,),
        {"commonest": baseline},
    )


def _no_gain(evidence: EvidenceNumbers) -> str:
    """What recognising the camera is worth where label and camera were not shown to go together."""
    p = evidence.get("association.p")
    if p is None or p <= LEVEL:
        return ""
    return (
        " This alone is no fault: while every camera has its labels alike, to know the camera gains nothing."
    )


_CHARTS: tuple[Callable[[EvidenceNumbers], AnswerChart | None], ...] = (
    _accuracies,
    _dependence,
    _identification,
)


def _mark(evidence: EvidenceNumbers, label: str, name: str, bar: bool = False) -> Mark | None:
    value = evidence.get(name)
    if value is None:
        return None
    return Mark(label, value, evidence.get(f"{name}_low"), evidence.get(f"{name}_high"), bar)
