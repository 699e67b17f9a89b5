"""The claims of the paper, decided for a run and for the paper's own printed numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.paper.checks import run_check
from camerabias.analysis.paper.evidence import Evidence, Printed, Recorded
from camerabias.analysis.paper.outcome import Check, ClaimResult, worst
from camerabias.analysis.records.records import Records

CLAIM_COLUMNS = ["number", "says", "where", "outcome", "numbers", "paper_outcome", "paper_numbers"]


class Claim(BaseModel):
    """Something that the paper says.

    Attributes:
        number: Its number.
        says: What it says.
        where: The table, figure or section that says so.
        checks: What must hold.
        rests_on: Numbers of other claims that must hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    says: str
    where: str
    checks: tuple[Check, ...] = ()
    rests_on: tuple[int, ...] = ()


@dataclass(frozen=True)
class DecidedClaim:
    """A claim with what came of it.

    Attributes:
        claim: The claim.
        run: What the run at hand says.
        paper: What the paper's printed numbers say, by the same deciders.
    """

    claim: Claim
    run: ClaimResult
    paper: ClaimResult


@cache
def load_claims() -> tuple[Claim, ...]:
    """The claims of the paper, by number."""
    text = (resources.files("camerabias.analysis.paper") / "claims.yaml").read_text(encoding="utf-8")
    return tuple(Claim.model_validate(entry) for entry in yaml.safe_load(text))


def decide_claims(records: Records) -> list[DecidedClaim]:
    """Decide every claim; none where no study of the run repeats the paper.

    Raises:
        CamerabiasError: A file of a finished trial is damaged; it is named.
    """
    recorded = Recorded(records)
    if not recorded.records.studies:
        return []
    run, paper = _decide_all(recorded), _decide_printed()
    return [DecidedClaim(claim, run[claim.number], paper[claim.number]) for claim in load_claims()]


def claims_table(decided: list[DecidedClaim]) -> pd.DataFrame:
    """A row per claim, columns `CLAIM_COLUMNS`."""
    rows = [
        (
            d.claim.number,
            d.claim.says,
            d.claim.where,
            d.run.outcome,
            d.run.numbers,
            d.paper.outcome,
            d.paper.numbers,
        )
        for d in decided
    ]
    return pd.DataFrame(rows, columns=CLAIM_COLUMNS)


@cache
def _decide_printed() -> dict[int, ClaimResult]:
    """Results of the paper's own numbers, which are the same for every run."""
    return _decide_all(Printed())


def _decide_all(evidence: Evidence[Any]) -> dict[int, ClaimResult]:
    """Results by number; a claim rests on earlier ones alone."""
    results: dict[int, ClaimResult] = {}
    for claim in load_claims():
        parts = [run_check(check, evidence) for check in claim.checks]
        outcomes = [part.outcome for part in parts] + [results[number].outcome for number in claim.rests_on]
        numbers = list(dict.fromkeys(part.numbers for part in parts))
        numbers += [f"claim {number} {results[number].outcome}" for number in claim.rests_on]
        results[claim.number] = ClaimResult(worst(outcomes), "; ".join(numbers))
    return results
