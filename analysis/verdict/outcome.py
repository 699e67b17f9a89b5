"""What a verdict can be."""

from __future__ import annotations

from typing import Literal, get_args

Outcome = Literal["cheating", "cannot tell", "at risk", "no evidence"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
