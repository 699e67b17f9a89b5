"""What a check is given, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from camerabias.analysis.paper.evidence import ClaimedCells

ClaimOutcome = Literal["holds", "does not hold", "cannot tell", "not tested"]

CLOSE = 0.10
"""Accuracies are close where they differ by no more: a convention, about twice the largest difference, 4.8 points,
that the paper itself calls "broadly similar" (Table II). The numbers stand beside every outcome."""

OVERWHELMING = 0.90
"""Share from which on photos are given a label "overwhelmingly": nine of ten, well above the three quarters of a
model that predicts the camera's label every other time and at random otherwise."""

MOST = 0.5
"""Share from which on it is most of them."""


class Check(BaseModel):
    """One test of a claim.

    Attributes:
        decider: A key of `DECIDERS` or `RECORDED_DECIDERS`.
        cell: What is looked at.
        than: What it is compared with.
        expect: How it should compare.
        regions: Where energy should be, see `probes.REGIONS`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decider: str
    cell: ClaimedCells
    than: ClaimedCells | None = None
    expect: Literal["higher", "lower"] = "higher"
    regions: tuple[str, ...] = ()

    @property
    def reference(self) -> ClaimedCells:
        """`than`, which the deciders that compare must be given."""
        assert self.than is not None, f"{self.decider} compares with nothing"
        return self.than


@dataclass(frozen=True)
class ClaimResult:
    """What came of a claim, or of one check of it.

    Attributes:
        outcome: `cannot tell` where the interval decides neither, `not tested` where there is nothing to look at.
        numbers: The numbers behind it, or the reason for their absence.
    """

    outcome: ClaimOutcome
    numbers: str


def worst(outcomes: list[ClaimOutcome]) -> ClaimOutcome:
    """What several outcomes come to, where all must hold."""
    order: tuple[ClaimOutcome, ...] = ("does not hold", "not tested", "cannot tell", "holds")
    return next(outcome for outcome in order if outcome in outcomes)
