"""How a sweep ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from camerabias.trainables.spec.trial import TrialConfig


@dataclass(frozen=True)
class SweepOutcome:
    """How a sweep ended: counts of its trials, and name and reason of each that failed."""

    n_trials: int
    n_ran: int
    failures: list[tuple[str, str]]
    probe_failures: list[tuple[str, str]]
    """Likewise of probes, whose trials are done."""
    without_weights: list[TrialConfig]
    """Trials that lack a probe, and weights to make it with."""
    n_left: int
    """Trials that have not ended: somebody has interrupted the sweep."""
