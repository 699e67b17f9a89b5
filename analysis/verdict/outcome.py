"""What a verdict can be."""

from __future__ import annotations

from typing import Literal, get_args

VerdictOutcome = Literal["cheating", "cannot tell", "at risk", "no evidence"]
OUTCOMES: tuple[VerdictOutcome, ...] = get_args(VerdictOutcome)

SMALL_EFFECT = 0.1
"""A shortcut effect is called small where the whole of its interval lies below this risk difference."""

_MEANINGS: dict[VerdictOutcome, str] = {
    "cheating": "The classifier uses the camera; its test accuracy does not say how well it knows the task.",
    "cannot tell": "Whether the classifier uses the camera cannot be said from what there is.",
    "at risk": "The camera shows in the photos and goes with the label; the judged model was not shown to use it.",
    "no evidence": "The classifier was not shown to use the camera; what would have been found is said below.",
}
"""Each in a sentence for somebody who sees it for the first time."""

_LITTLE = (
    "The classifier uses the camera, but little: fewer than one photo in ten gets its camera's label from it."
)


def meaning_of(outcome: VerdictOutcome, largest: float | None) -> str:
    """A verdict in a sentence.

    Args:
        outcome: The verdict.
        largest: Upper end of the risk difference's 95 % interval; None where it is not known, and so may be large.
    """
    if outcome == "cheating" and largest is not None and largest < SMALL_EFFECT:
        return _LITTLE
    return _MEANINGS[outcome]
