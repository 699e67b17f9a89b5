"""What a verdict can be."""

from __future__ import annotations

from typing import Literal, get_args

VerdictOutcome = Literal["cheating", "cannot tell", "at risk", "no evidence"]
OUTCOMES: tuple[VerdictOutcome, ...] = get_args(VerdictOutcome)

MEANINGS: dict[VerdictOutcome, str] = {
    "cheating": "The classifier uses the camera; its test accuracy does not say how well it knows the task.",
    "cannot tell": "Whether the classifier uses the camera cannot be said from what there is.",
    "at risk": "The camera shows in the photos and goes with the label; this classifier was not shown to use it.",
    "no evidence": "The classifier was not shown to use the camera; what would have been found is said below.",
}
"""Each in a sentence for somebody who sees it for the first time."""
