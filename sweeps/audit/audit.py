"""The audit: the design check, the experiments in the order in which they need each other, and the report.

What a later experiment would ask in vain is not run: no cue is looked for where cameras are not identified, or
where they have nothing to do with the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from camerabias.analysis.design.check import check_design
from camerabias.analysis.design.design import Design
from camerabias.analysis.records.load import load_records
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.analysis.verdict.evidence.identification import IDENTIFICATION
from camerabias.analysis.verdict.findings import associated, gather, has_shortcut_effect, identifies_cameras
from camerabias.datasets.dataset import Dataset, open_dataset
from camerabias.datasets.inspection.metadata import are_facts_of, facts_of
from camerabias.datasets.inspection.sensor_pattern import match_patterns
from camerabias.datasets.io.executor import Executor, LocalExecutor
from camerabias.datasets.schema import FACTS_FILE
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.execution.outcome import SweepOutcome
from camerabias.sweeps.execution.sweep import Request, plan_sweep, run_plan
from camerabias.sweeps.planning.plan import Plan
from camerabias.trainables.records.record import SENSOR_PATTERN_FILE
from camerabias.trainables.records.run import Run

SPREAD_FROM = 5000
"""Photos from which Ray's start, about ten seconds, costs less than it saves."""

SuiteName = Literal["quick", "default", "full"]


@dataclass(frozen=True)
class Step:
    """A study of a suite.

    Attributes:
        study: Its name.
        seeds: In place of the study's own.
    """

    study: str
    seeds: Sequence[int]


@dataclass(frozen=True)
class Suite:
    """What an audit runs.

    Attributes:
        first: Are cameras identified, and does the classifier use it?
        cues: Which cue? Run where there is one to be looked for.
        more: Everything else that is asked.
    """

    first: Step
    cues: Sequence[Step]
    more: Sequence[Step] = ()


THREE, FIVE = range(3), range(5)

SUITES: dict[SuiteName, Suite] = {
    # 6 + 11 trials: three seeds are the fewest whose interval covers seeds, one is enough to see a cue vanish
    "quick": Suite(Step("audit", THREE), [Step("cues", (0,))]),
    "default": Suite(Step("audit", FIVE), [Step("cues", (0, 1)), Step("cues_used", (0, 1))]),
    "full": Suite(
        Step("audit", FIVE),
        [Step("cues", (0, 1)), Step("cues_used", (0, 1))],
        [Step(study, THREE) for study in ("settings", "strengths", "unseen", "mitigations")],
    ),
}


def run_audit(request: Request, suite: Suite, listener: Listener | None = None) -> list[SweepOutcome]:
    """Run an audit's experiments; the same call resumes after any interruption.

    Args:
        request: What every sweep of the audit shares. Seeds that it names take the
            place of the suite's: all of them in its first step, in others as many as these have themselves.
        suite: What to run.
        listener: Hears how it goes; None keeps silent.

    Returns:
        How each sweep ended; `investigate` tells what was found.

    Raises:
        CamerabiasError: As `run_sweep`.
    """
    listener = listener or Listener()
    dataset, run = open_dataset(request.data), Run(request.run)
    first = replace(suite.first, seeds=request.seeds or suite.first.seeds)
    # all of them now, for what would stop it later, such as weights
    plans = {step.study: _plan(step, request) for step in (first, *suite.cues, *suite.more)}
    design = look_at_design(dataset, run, _where(dataset, request.executor), listener)
    listener.design(design)
    outcomes = [_run(plans[first.study], request, listener)]
    steps = list(suite.more)
    if why := _no_cue(gather(load_records(request.run), design)):
        listener.say(f"No cue is looked for: {why}.")
    else:
        steps = [*suite.cues, *steps]
    for step in steps:
        if outcomes[-1].n_left:  # somebody has interrupted it, which is meant for the audit as a whole
            break
        outcomes.append(_run(plans[step.study], request, listener))
    return outcomes


def _no_cue(found: Findings) -> str:
    """Why no cue is to be looked for; nothing where one is."""
    if found.of(IDENTIFICATION) is None:
        return "no trial that learns the cameras has finished"
    if not identifies_cameras(found):
        return "the camera was not shown to be identified within a label"
    if not (associated(found) or has_shortcut_effect(found)):
        return "camera and label are not significantly associated"
    return ""


def look_at_design(dataset: Dataset, run: Run, executor: Executor, listener: Listener) -> Design:
    """What the photos can tell before any training; what was found stays in the run."""
    facts = run.frame(FACTS_FILE)
    if facts is None or not are_facts_of(facts, dataset):
        with listener.counting("Reading headers, shards") as report:
            facts = facts_of(dataset, executor, report)
        with listener.counting("Matching sensor patterns, shards") as report:
            run.write_frame(SENSOR_PATTERN_FILE, match_patterns(dataset, executor, report))
        run.write_frame(FACTS_FILE, facts)
    return check_design(facts)


def _where(dataset: Dataset, executor: Executor) -> Executor:
    """Where photos are read: spread where they are many, but not on a cluster, which nobody has checked yet."""
    spread = dataset.manifest.n_images >= SPREAD_FROM and not executor.is_cluster
    return executor if spread else LocalExecutor()


def _plan(step: Step, request: Request) -> Plan:
    seeds = list(request.seeds or step.seeds)[: len(step.seeds)]
    return plan_sweep([step.study], replace(request, seeds=seeds))


def _run(plan: Plan, request: Request, listener: Listener) -> SweepOutcome:
    listener.skipped(plan)
    # earlier steps may have run some of its trials
    return run_plan(replace(plan, contents=Run(request.run).contents()), request, listener)
