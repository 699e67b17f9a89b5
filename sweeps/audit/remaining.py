"""How long the steps of an audit that are left will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from camerabias.sweeps.monitoring.console import duration

SOON = 30.0
"""Seconds up to which nothing is said of what is left."""


class Remaining:
    """Steps of an audit, and the time that is left, by the pace of the steps before.

    Args:
        seconds: Of every step, what it and all after it are estimated to take.
        clock: Gives the seconds that pass.
    """

    def __init__(self, seconds: Sequence[float], clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock, self._began = seconds, clock, clock()

    def expect(self, seconds: Sequence[float]) -> None:
        """Count other steps from here on, which begin with those that are done.

        Args:
            seconds: As above.
        """
        self._seconds = seconds

    def say(self, step: int, title: str) -> str:
        """What a step is, and how long it and all after it will take, in a line.

        Args:
            step: Its number, from 0.
            title: What it is about.
        """
        left = self._seconds[step] * self._pace(step)
        remain = f" About {duration(left)} remain in all." if left > SOON else ""
        return f"Step {step + 1} of {len(self._seconds)}: {title}.{remain}"

    def _pace(self, step: int) -> float:
        """How much longer the steps before have taken than estimated."""
        estimated = self._seconds[0] - self._seconds[step]
        return (self._clock() - self._began) / estimated if estimated > SOON else 1.0
