"""The audit: the design check, the experiments in the order in which they need each other, and the report.

What a later experiment would ask in vain is not run: no cue is removed where cameras are not identified, and where
they have nothing to do with the label, no mitigation is tried either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from camerabias.analysis.cues.differences import compare_cameras
from camerabias.analysis.cues.to_move import cues_to_move
from camerabias.analysis.design.check import check_design
from camerabias.analysis.design.design import Design
from camerabias.analysis.records.load import load_records
from camerabias.analysis.verdict.decide import decide
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.analysis.verdict.evidence.cues import cues_of
from camerabias.analysis.verdict.evidence.identification import IDENTIFICATION
from camerabias.analysis.verdict.findings import (
    associated,
    gather,
    has_shortcut_effect,
    identifies_cameras,
    measured_pixels,
)
from camerabias.datasets.cues.names import probe_of
from camerabias.datasets.dataset import Dataset, open_dataset
from camerabias.datasets.inspection.metadata import are_facts_of, facts_of
from camerabias.datasets.inspection.pixels import pixels_of
from camerabias.datasets.inspection.sensor_pattern import match_patterns
from camerabias.datasets.io.executor import SPREAD_FROM, CoresExecutor, Executor
from camerabias.datasets.io.printable import typed
from camerabias.datasets.schema import FACTS_FILE, PIXELS_FILE, CamerabiasError
from camerabias.sweeps.audit.remaining import Remaining
from camerabias.sweeps.execution.executor import LocalTrialExecutor
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.execution.outcome import SweepOutcome
from camerabias.sweeps.execution.sweep import Request, plan_sweep, run_plan
from camerabias.sweeps.monitoring.console import duration
from camerabias.sweeps.planning.estimate import TimeEstimate, estimate_time, once_each
from camerabias.sweeps.planning.plan import Plan, with_probes
from camerabias.sweeps.planning.speed import SpeedMeasure
from camerabias.trainables.records.record import SENSOR_PATTERN_FILE
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, backbone_of, is_linear

LONG = 600
"""Seconds from which an audit says how long it will take, and asks, before it starts."""

SuiteName = Literal["quick", "default", "full"]

Confirm = Callable[[str], bool]
"""Is asked before something long starts, and given the estimate in a sentence."""


@dataclass(frozen=True)
class Step:
    """A study of a suite.

    Attributes:
        study: Its name.
        seeds: In place of the study's own.
        rotation: How many seeds test every photo between them; None where each tests a fold.
    """

    study: str
    seeds: Sequence[int]
    rotation: int | None = None


@dataclass(frozen=True)
class Suite:
    """What an audit runs.

    Attributes:
        first: Are cameras identified, and does the classifier use it?
        views: What is left when a cue is removed? Run where cameras are identified.
        more: Everything else that is asked.
        moves_cues: Whether cues are moved in test photos: for a linear probe where there is a shortcut effect, for a
            network right after its training, since its weights would have to be kept for later.
    """

    first: Step
    views: Sequence[Step] = ()
    more: Sequence[Step] = ()
    moves_cues: bool = False


THREE, FIVE = range(3), range(5)

MITIGATIONS = "mitigations"
"""The study of what helps."""

# the same folds throughout: what later steps share with the first is not trained again, and compares photo by photo
ROTATION = 5

_VIEWS = [Step(study, (0, 1), ROTATION) for study in ("cues", "cues_used")]
_MORE = [Step(study, THREE, ROTATION) for study in ("settings", "strengths", "unseen", MITIGATIONS)]
_EVERY_PHOTO = Step("audit", FIVE, ROTATION)

SUITES: dict[SuiteName, Suite] = {
    "quick": Suite(Step("audit", THREE)),  # three seeds are the fewest whose interval covers seeds
    "default": Suite(_EVERY_PHOTO, moves_cues=True),
    "full": Suite(_EVERY_PHOTO, _VIEWS, _MORE, moves_cues=True),
}
"""What an audit runs of a network."""

# a head takes seconds, and the features of every view minutes
LINEAR_SUITES = SUITES | {"quick": Suite(_EVERY_PHOTO)}
"""What an audit runs of a linear probe."""


def suite_of(model: str, name: SuiteName) -> Suite:
    """What an audit runs of a model."""
    return (LINEAR_SUITES if is_linear(model) else SUITES)[name]


@dataclass(frozen=True)
class Audit:
    """What an audit does with one model.

    Attributes:
        request: What all of its sweeps share. Seeds that it names take the place of the suite's: all of them in
            its first step, in others as many as these have themselves.
        suite: What to run.
    """

    request: Request
    suite: Suite


def run_audits(
    audits: Sequence[Audit], listener: Listener | None = None, confirm: Confirm | None = None
) -> list[SweepOutcome]:
    """Audit models on the same photos, one after the other; the same call resumes after any interruption.

    Args:
        audits: The models, of one dataset and one run.
        listener: Hears how it goes; None keeps silent.
        confirm: Asked before a model is audited that takes longer than `LONG`; None starts it.

    Returns:
        How each sweep ended; `investigate` tells what was found.

    Raises:
        CamerabiasError: As `run_sweep`; or it was not confirmed.
    """
    listener, shared = listener or Listener(), audits[0].request
    # all of them now, for what would stop it later, such as weights
    plans = [_plan_steps(audit) for audit in audits]
    dataset, run = open_dataset(shared.data), Run(shared.run)
    audits = [_in_process(audit, dataset) for audit in audits]
    design = look_at_design(dataset, run, _where(dataset, shared.executor), listener)
    outcomes: list[SweepOutcome] = []
    for audit, planned in zip(audits, plans, strict=True):
        _announce(list(planned.values()), audit.request, listener, confirm)
        outcomes += _run_steps(audit, planned, design, listener)
        if outcomes[-1].n_left:  # somebody has interrupted it, which is meant for the audit as a whole
            break
    return outcomes


def say_what_fine_tuning_takes(audit: Audit, listener: Listener) -> None:
    """Say, after a linear probe, what training a network would add and how long it would take here.

    Args:
        audit: Of the network, which is not run.
        listener: Hears it.
    """
    names = ", ".join(audit.request.models or ())
    try:
        estimate, seconds = _estimate(list(_plan_steps(audit).values()), audit.request)
    except CamerabiasError as error:  # the audit is done: what cannot follow does not undo it
        listener.say(f"`--fine-tune` would train {names} too, but cannot: {error}")
        return
    listener.say(
        "A linear probe sees what a frozen network's features give away; a network trained on these photos may learn "
        f"finer traces. This trains {names} too, for up to {duration(seconds)} (from {estimate.origin}): "
        f"`camerabias audit {typed(audit.request.data)} --run {typed(audit.request.run)} --fine-tune`."
    )


def _in_process(audit: Audit, dataset: Dataset) -> Audit:
    """An audit of few photos by a linear probe runs in this process: Ray's start would take longer."""
    linear = all(map(is_linear, audit.request.models or ()))
    if not linear or dataset.manifest.n_images >= SPREAD_FROM or audit.request.executor.is_cluster:
        return audit
    return replace(audit, request=replace(audit.request, executor=LocalTrialExecutor()))


def _plan_steps(audit: Audit) -> dict[str, Plan]:
    """Plans of all steps of a suite, by study."""
    first = replace(audit.suite.first, seeds=audit.request.seeds or audit.suite.first.seeds)
    steps = (first, *audit.suite.views, *audit.suite.more)
    return {step.study: _plan(step, audit.request) for step in steps}


def _run_steps(
    audit: Audit, plans: Mapping[str, Plan], design: Design, listener: Listener
) -> list[SweepOutcome]:
    """Run the steps of a suite, those that remove cues only where cameras are identified."""
    suite, request = audit.suite, audit.request
    first, linear = suite.first.study, all(map(is_linear, request.models or ()))
    if suite.moves_cues and not linear and design.associated_labels:
        plans = {**plans, first: _moving(plans[first], Run(request.run))}
    steps = _Steps(plans, request, listener)
    outcomes = [steps.run(first)]
    if outcomes[-1].n_left or suite == Suite(suite.first):
        return outcomes
    found = gather(load_records(request.run), design)
    own = any(backbone_of(model) == OWN_FEATURES for model in request.models or ())
    if suite.moves_cues and linear and not own and has_shortcut_effect(found):
        verdict = decide(found)  # moved cues have no say in it
        listener.say(f"So far `{verdict.verdict}`. {verdict.reasons[0]}")
        listener.say("Which cue is used? Test photos are changed, and classified again.")
        outcomes.append(_run(_moving(plans[first], Run(request.run)), request, listener))
    further = _asked_further(suite, found, listener)
    steps.leave(further)
    for study in further:
        if outcomes[-1].n_left:
            break
        outcomes.append(steps.run(study))
    return outcomes


class _Steps:
    """Runs the steps of an audit by the names of their studies, and says of several how long is left."""

    def __init__(self, plans: Mapping[str, Plan], request: Request, listener: Listener) -> None:
        self._plans, self._request, self._listener = dict(plans), request, listener
        self._measure = once_each(request.executor.measure)
        self._remaining = Remaining(self._seconds_left()) if len(plans) > 1 else None

    def leave(self, studies: Sequence[str]) -> None:
        """Run none but these of the steps that are left, after the first."""
        first, *_ = self._plans
        self._plans = {study: self._plans[study] for study in (first, *studies)}
        if self._remaining is not None:
            self._remaining.expect(self._seconds_left())

    def run(self, study: str) -> SweepOutcome:
        plan = self._plans[study]
        if self._remaining is not None:
            self._listener.say(self._remaining.say([*self._plans].index(study), plan.studies[0].title))
        return _run(plan, self._request, self._listener)

    def _seconds_left(self) -> list[float]:
        """Of every step, the seconds that it and all after it take; the speed of a model is measured once."""
        plans = [*self._plans.values()]
        return [_estimate(plans[step:], self._request, self._measure)[1] for step in range(len(plans))]


def _moving(plan: Plan, run: Run) -> Plan:
    """The same trials with what their models of the label say of photos whose cues are moved.

    Not where one that is done has not kept the weights that this takes.
    """
    pixels = measured_pixels(run)
    named = None if pixels is None else cues_of(pixels)
    cues = cues_to_move(named) if named else []
    moving = with_probes(plan, "label", list(map(probe_of, cues)))
    return plan if moving.without_weights() else moving


def _asked_further(suite: Suite, found: Findings, listener: Listener) -> list[str]:
    """Studies of the steps after the first that can find something; of the others it is said why not."""
    views, more = ([step.study for step in steps] for steps in (suite.views, suite.more))
    if views and (why := _no_views(found)):
        listener.say(f"No cue is removed: {why}.")
        views = []
    if (why := _not_associated(found)) and MITIGATIONS in more:
        listener.say(f"No mitigation is tried: {why}, so there is no bias to remove.")
        more.remove(MITIGATIONS)
    return [*views, *more]


def _no_views(found: Findings) -> str:
    """Why no cue is to be removed; nothing where one may be."""
    if found.of(IDENTIFICATION) is None:
        return "no trial that learns the cameras has finished"
    if not identifies_cameras(found):
        return "the camera was not shown to be identified within a label"
    return _not_associated(found)


def _not_associated(found: Findings) -> str:
    """Why nothing can be gained from the camera; nothing where something may be."""
    if associated(found) or has_shortcut_effect(found):
        return ""
    return "camera and label are not significantly associated"


def look_at_design(dataset: Dataset, run: Run, executor: Executor, listener: Listener) -> Design:
    """What the photos can tell before any training; what was found stays in the run."""
    facts = run.frame(FACTS_FILE)
    if facts is None or not are_facts_of(facts, dataset):
        with listener.counting("Reading headers, shards") as report:
            facts = facts_of(dataset, executor, report)
        with listener.counting("Matching sensor patterns, shards") as report:
            run.write_frame(SENSOR_PATTERN_FILE, match_patterns(dataset, executor, report))
        run.write_frame(FACTS_FILE, facts)
    # kept in the DATASET: the next time they are read
    with listener.counting("Measuring pixels, shards") as report:
        pixels = pixels_of(dataset, executor, report)
    run.write_frame(PIXELS_FILE, pixels)
    design, named = check_design(facts), facts[["image_id", "label", "camera", "group"]]
    listener.design(design)
    listener.differences(compare_cameras(named.merge(pixels, on="image_id", validate="1:1")))
    return design


def _where(dataset: Dataset, executor: Executor) -> Executor:
    """Where photos are read: spread where they are many, but not on a cluster, which nobody has checked yet."""
    spread = dataset.manifest.n_images >= SPREAD_FROM and not executor.is_cluster
    return executor if spread else CoresExecutor()


def _plan(step: Step, request: Request) -> Plan:
    seeds = list(request.seeds or step.seeds)[: len(step.seeds)]
    return plan_sweep([step.study], replace(request, seeds=seeds, rotation=step.rotation))


def _announce(plans: Sequence[Plan], request: Request, listener: Listener, confirm: Confirm | None) -> None:
    """Say how long an audit will take that takes long, and have it confirmed.

    Raises:
        CamerabiasError: It is not.
    """
    estimate, seconds = _estimate(plans, request)
    if seconds <= LONG:
        return
    takes = (
        f"Training {', '.join(request.models or ())} will take up to {duration(seconds)} "
        f"(from {estimate.origin}); trials that converge early take less."
    )
    listener.say(takes)
    if confirm is not None and not confirm(takes):
        raise CamerabiasError(
            "Nothing was started. Without --full, --model and --fine-tune it takes minutes; a smaller network "
            "(--model small_cnn), fewer trials (--quick) or smaller images (--size) take less; --yes starts without "
            "asking."
        )


def _estimate(
    plans: Sequence[Plan], request: Request, measure: SpeedMeasure | None = None
) -> tuple[TimeEstimate, float]:
    """How long plans take together: on one core or GPU, and the seconds of as many as work at a time."""
    studies = [study for plan in plans for study in plan.studies]
    trials = {trial_id: config for plan in plans for trial_id, config in plan.trials.items()}
    together = replace(plans[0], studies=studies, trials=trials)
    estimate = estimate_time(together, Run(request.run), measure or request.executor.measure)
    return estimate, estimate.seconds / request.executor.at_once


def _run(plan: Plan, request: Request, listener: Listener) -> SweepOutcome:
    listener.skipped(plan)
    # earlier steps may have run some of its trials
    return run_plan(replace(plan, contents=Run(request.run).contents()), request, listener)
