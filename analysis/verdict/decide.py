"""The verdict of an audit: decided by tests, in an order, and by no score.

By the first that applies:

- `cheating`: predictions depend on the camera given the label, at level 0.01.
- `cannot tell`: too few bias-conflicting test photos for a perfect shortcut to be found, or for an interval.
- `at risk`: the camera is identified within labels and associated with the label, both at level 0.01.
- `no evidence`: with the minimum detectable effect, which is at most 0.25, of a model that knows the task; else
  `cannot tell`.
"""

from __future__ import annotations

from math import isnan
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    JsonValue,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from camerabias.analysis.design.check import check_design
from camerabias.analysis.records.records import Records
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.number_format import without_nan
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.analysis.verdict.evidence.cues import CUES_TEST
from camerabias.analysis.verdict.evidence.moved_cues import MOVED_CUES
from camerabias.analysis.verdict.evidence.registry import all_tests
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT
from camerabias.analysis.verdict.findings import associated, gather, has_shortcut_effect, identifies_cameras
from camerabias.analysis.verdict.outcome import VerdictOutcome, meaning_of
from camerabias.analysis.verdict.wording import give_reasons, propose_next_steps, why_no_evidence_is_none
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import FACTS_FILE, CamerabiasError
from camerabias.trainables.records.documents import in_short

VERDICT_FILE = "verdict.json"
VERDICT_SCHEMA = 2


class _Document(BaseModel):
    """Fields that are None are left out where it is written: nothing is known of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


class Cue(_Document):
    """A cue in which cameras differ, and its probability."""

    name: str
    probability: float | None = None


class UsedCue(_Document):
    """What becomes of the risk difference when a cue is equalised, and with a sham of it; see `MovedCue`."""

    name: str
    before: float
    equalised: float
    sham: float
    used: bool


class ModelEffect(_Document):
    """What was found of one model."""

    name: str
    risk_difference: float | None = None
    p: float | None = None


class Verdict(_Document):
    """`report/verdict.json`.

    Attributes:
        schema_version: Raised when a reader of an older file would misread a newer one.
        verdict: What it comes to.
        level: Level of the tests that decide.
        reasons: Why, a sentence each; the first one decided, after what a network adds to a linear probe.
        next_steps: What to do, a sentence each.
        evidence: Every number behind the reasons, by name; None where the photos or the trials do not give it. The
            manual lists the names.
        cues: In what cameras differ, the most probable first; None where that was not measured.
        used_cues: Of cues that were equalised in test photos, the one that comes to most first.
        models: Of each model that was looked at: its name, risk difference, and p corrected for their number.
        attributes: Of attributes beside the camera.
        control: Reserved, as `attributes`, `pairs` and `repairs`; the numbers of the control head are in `evidence`.
        pairs: Of pairs of photos of one scene.
        repairs: Of what removes the shortcut effect.
    """

    schema_version: int = VERDICT_SCHEMA
    verdict: VerdictOutcome
    level: float = LEVEL
    reasons: list[str]
    next_steps: list[str]
    evidence: dict[str, float | None]
    cues: list[Cue] | None = None
    used_cues: list[UsedCue] | None = None
    models: list[ModelEffect] | None = None
    attributes: JsonValue = None
    control: JsonValue = None
    pairs: JsonValue = None
    repairs: JsonValue = None

    @property
    def meaning(self) -> str:
        """The verdict in a sentence."""
        largest, detectable = (
            self.evidence.get(f"{SHORTCUT_EFFECT.name}.{name}")
            for name in ("risk_difference_high", "minimum_detectable")
        )
        return meaning_of(self.verdict, largest, detectable)


def investigate(records: Records) -> Findings | None:
    """Gather what a verdict is decided by; None where nobody has audited the run."""
    facts = records.run.frame(FACTS_FILE)
    return None if facts is None else gather(records, check_design(facts))


def read_verdict(report: Folder) -> Verdict:
    """What stands in `verdict.json` of a report.

    Raises:
        CamerabiasError: It is missing or damaged, or another version of camerabias wrote it.
    """
    document = report.read_json(VERDICT_FILE)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != VERDICT_SCHEMA:
        raise CamerabiasError(
            f"{report.file(VERDICT_FILE)} has schema version {version}; this camerabias reads version "
            f"{VERDICT_SCHEMA}. Judge again, or use the camerabias that wrote it."
        )
    try:
        return Verdict.model_validate(document)
    except ValidationError as error:
        raise CamerabiasError(
            f"{report.file(VERDICT_FILE)} is damaged ({in_short(error)}); judge again."
        ) from error


def decide(found: Findings) -> Verdict:
    """The verdict on what an audit has found."""
    outcome, cues = _outcome(found), found.of(CUES_TEST)
    return Verdict(
        verdict=outcome,
        reasons=give_reasons(found, outcome),
        next_steps=propose_next_steps(found, outcome),
        evidence=_evidence(found),
        cues=[Cue(name=name, probability=cues.probabilities[name]) for name in cues.named] if cues else None,
        used_cues=_used(found),
        models=[
            ModelEffect(
                name=name, risk_difference=without_nan(effect.risk_difference.mean), p=without_nan(effect.p)
            )
            for name, effect in found.effects.items()
        ]
        or None,
    )


def _used(found: Findings) -> list[UsedCue] | None:
    return [
        UsedCue(
            name=cue,
            before=moved.before.mean,
            equalised=moved.equalised.mean,
            sham=moved.sham.mean,
            used=moved.is_used,
        )
        for cue, moved in (found.of(MOVED_CUES) or {}).items()
    ] or None


def _outcome(found: Findings) -> VerdictOutcome:
    if has_shortcut_effect(found):
        return "cheating"
    if not found.design.answers["use"].answerable:
        return "cannot tell"
    if found.design.associated_labels and not _could_show(found):
        return "cannot tell"
    if identifies_cameras(found) and associated(found):
        return "at risk"
    return "cannot tell" if why_no_evidence_is_none(found) else "no evidence"


def _could_show(found: Findings) -> bool:
    tested = found.of(SHORTCUT_EFFECT)
    enough = tested is not None and tested.effect.n_conflicting >= MIN_GROUPS
    return enough and tested is not None and not isnan(tested.minimum_detectable)


def _evidence(found: Findings) -> dict[str, float | None]:
    numbers: dict[str, float] = {}
    for test in all_tests():
        if (result := found.of(test)) is not None:
            numbers |= {f"{test.name}.{name}": value for name, value in test.evidence(result).items()}
    return {name: without_nan(value) for name, value in numbers.items()}
