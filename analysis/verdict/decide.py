"""The verdict of an audit: decided by tests, in an order, and by no score."""

from __future__ import annotations

from math import isnan

from pydantic import BaseModel, ConfigDict

from camerabias.analysis.design.check import check_design
from camerabias.analysis.records.records import Records
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.findings import Findings, gather
from camerabias.analysis.verdict.outcome import Outcome
from camerabias.analysis.verdict.wording import give_reasons, propose_next_steps
from camerabias.trainables.records.record import FACTS_FILE

VERDICT_FILE = "verdict.json"
SCHEMA_VERSION = 1


class Verdict(BaseModel):
    """`report/verdict.json`.

    Attributes:
        schema_version: Raised when a reader of an older file would misread a newer one.
        verdict: What it comes to.
        level: Level of the tests that decide.
        reasons: Why, a sentence each; the first one decided.
        next_steps: What to do, a sentence each.
        cues: Families of cues that tell the cameras apart, the nearest first; empty where that was not asked, or
            the cameras are not told apart.
        evidence: Every number behind the reasons, by name; None where the photos or the trials do not give it. The
            manual lists the names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    verdict: Outcome
    level: float = LEVEL
    reasons: list[str]
    next_steps: list[str]
    cues: list[str]
    evidence: dict[str, float | None]


def investigate(records: Records) -> Findings | None:
    """Gather what a verdict is decided by; None where nobody has audited the run."""
    facts = records.run.frame(FACTS_FILE)
    return None if facts is None else gather(records, check_design(facts))


def decide(found: Findings) -> Verdict:
    """The verdict on what an audit has found."""
    outcome = _outcome(found)
    return Verdict(
        verdict=outcome,
        reasons=give_reasons(found, outcome),
        next_steps=propose_next_steps(found, outcome),
        cues=list(found.cues.named) if found.cues else [],
        evidence=_evidence(found),
    )


def _outcome(found: Findings) -> Outcome:
    if found.follows_cameras:
        return "cheating"
    if not found.design.answers["use"].answerable or (found.design.implied and not _could_show(found)):
        return "cannot tell"
    if found.tells_cameras and found.hang_together:
        return "at risk"
    return "no evidence" if found.used is not None else "cannot tell"


def _could_show(found: Findings) -> bool:
    used = found.used
    return used is not None and used.n_disagree >= MIN_GROUPS and not isnan(found.detectable)


# --- in numbers -----------------------------------------------------------------------------------------


def _evidence(found: Findings) -> dict[str, float | None]:
    association, used, reshot = found.design.association, found.used, found.reshot
    numbers: dict[str, float] = {
        **association.cramers_v.named("association.cramers_v"),
        "association.p": association.p,
        "design.smallest_effect": found.design.smallest_effect,
    }
    for name, seen in (("recognition", found.recognised), ("sensor_pattern", found.sensor)):
        if seen is not None:
            numbers |= {
                **seen.accuracy.named(f"{name}.accuracy"),
                f"{name}.chance": seen.chance,
                f"{name}.p": seen.p,
            }
    if found.label_accuracy is not None:
        numbers |= found.label_accuracy.named("label.accuracy")
    if used is not None:
        numbers |= {
            "use.share": used.share,
            "use.by_luck": used.by_luck,
            **used.gap.named("use.gap"),
            "use.p": used.p,
            "use.detectable": found.detectable,
            "use.n_agree": used.n_agree,
            "use.n_disagree": used.n_disagree,
            **used.accuracy_agree.named("use.accuracy_agree"),
            **used.accuracy_disagree.named("use.accuracy_disagree"),
        }
    if reshot is not None:
        for name in ("across", "noise", "excess", "directed"):
            numbers |= getattr(reshot, name).named(f"counterfactual.{name}")
        numbers["counterfactual.p"] = reshot.p
    if found.cues is not None:
        numbers |= {f"cues.{family}": distance for family, distance in found.cues.distances.items()}
    return {name: None if isnan(value) else float(value) for name, value in numbers.items()}
