"""What a verdict can be."""

from __future__ import annotations

from typing import Literal, get_args

VerdictOutcome = Literal["cheating", "cannot tell", "at risk", "no evidence"]
OUTCOMES: tuple[VerdictOutcome, ...] = get_args(VerdictOutcome)
