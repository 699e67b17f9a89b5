"""What a verdict can be."""

from __future__ import annotations

from typing import Literal, get_args

VerdictOutcome = Literal["cheating", "cannot tell", "at risk", "no evidence"]
OUTCOMES: tuple[VerdictOutcome, ...] = get_args(VerdictOutcome)

SMALL_EFFECT, PARTIAL_EFFECT = 0.1, 0.5
"""A shortcut effect is called small, or partial, where the whole of its interval lies below this risk difference."""

_MEANINGS: dict[VerdictOutcome, str] = {
    "cheating": "The classifier uses the camera; its test accuracy does not say how well it knows the task.",
    "cannot tell": "Whether the classifier uses the camera cannot be said from what there is.",
    "at risk": "The camera shows in the photos and goes with the label; the judged model was not shown to use it.",
    "no evidence": "The classifier was not shown to use the camera; the reasons say what would have been found.",
}
"""Each in a sentence for somebody who sees it for the first time."""

_LITTLE = (
    "The classifier uses the camera, but little: fewer than one photo in ten gets its camera's label from it."
)


_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


_NOTHING_TO_USE = (
    "Every camera has the labels in the same proportions here, so that a classifier gains nothing from it."
)


def meaning_of(outcome: VerdictOutcome, largest: float | None, detectable: float | None) -> str:
    """A verdict in a sentence.

    Args:
        outcome: The verdict.
        largest: Upper end of the risk difference's 95 % interval; None where it is not known, and so may be large.
        detectable: The minimum detectable effect; None where no camera has an associated label.
    """
    if outcome == "no evidence" and detectable is None:
        return _NOTHING_TO_USE
    if outcome == "cheating" and largest is not None and largest < SMALL_EFFECT:
        return _LITTLE
    if outcome == "cheating" and largest is not None and largest < PARTIAL_EFFECT:
        of = _WORDS[min(int(1 / largest), 9)]
        return f"The classifier uses the camera in part: fewer than one photo in {of} gets its label from it."
    return _MEANINGS[outcome]
