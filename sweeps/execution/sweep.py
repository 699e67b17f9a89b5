"""A sweep from studies to records: check everything first, then build variants, then run what is missing."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from camerabias.datasets.dataset import Dataset, open_dataset
from camerabias.datasets.io.executor import Executor, LocalExecutor, RayExecutor
from camerabias.datasets.schema import RUN_FILE, CamerabiasError
from camerabias.datasets.views.build import build_variants, is_built
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.sweeps.execution.executor import TrialExecutor, trial_executor
from camerabias.sweeps.execution.jobs import KnownJobs
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.execution.outcome import SweepOutcome
from camerabias.sweeps.execution.watcher import Watchers
from camerabias.sweeps.monitoring.loggers import check_loggers, open_loggers
from camerabias.sweeps.planning.plan import Plan, make_plan
from camerabias.sweeps.planning.precision import Precisions, chosen_before
from camerabias.sweeps.planning.study import Study, load_study
from camerabias.sweeps.runs.examples import write_examples
from camerabias.sweeps.runs.lease import Lease
from camerabias.trainables.records.record import Contents
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.linear_probe import Embedding
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Job
from camerabias.trainables.worker.node import Expected, versions

THREADS = 1
"""CPU threads of a trial: small models gain nothing from more, and records are equal to the bit for one number."""


@dataclass(frozen=True)
class Setup:
    """What sweeps and searches are asked for alike.

    Attributes:
        data: Location of the DATASET.
        run: Location of the records.
        size: Side of the models' input in pixels; None is the dataset's own.
        weights: `imagenet`, `none` or a file; None is what each study says.
        executor: Where trials run.
    """

    data: str
    run: str
    size: int | None = None
    weights: str | None = None
    executor: TrialExecutor = field(default_factory=lambda: trial_executor(None))


@dataclass(frozen=True, kw_only=True)
class Request(Setup):
    """What a user asks of sweeps besides their studies; None leaves it to the study.

    Attributes:
        models: Names of models.
        seeds: Seeds of trials.
        recipe: Name or file of a recipe.
        rotation: How many seeds test every photo between them, see `Study.rotation`.
        retry_failed: Whether failed trials run again.
        log: Names of loggers.
        no_photos: Whether to keep pictures out of the run and so of its report: example photos, and probes that keep
            pixels.
    """

    models: list[str] | None = None
    seeds: list[int] | None = None
    recipe: str | None = None
    rotation: int | None = None
    retry_failed: bool = False
    log: Sequence[str] = ()
    no_photos: bool = False


def plan_sweep(names: Sequence[str], request: Request) -> Plan:
    """Read, check and spell out what is asked, changing nothing.

    Raises:
        CamerabiasError: Anything that would stop the sweep later: studies, dataset, run, weights.
    """
    studies = _load_studies(names, request)
    dataset = open_dataset(request.data)
    run = Run(request.run)
    check_same_dataset(run, dataset)
    return make_plan(studies, dataset, run, request.size, request.executor.measure)


def run_sweep(names: Sequence[str], request: Request, listener: Listener | None = None) -> SweepOutcome:
    """Run what is missing of some studies; called again after any interruption, it resumes.

    Args:
        names: Of the studies: shipped ones, or files.
        request: What else is asked.
        listener: Hears how it goes; None keeps silent.

    Raises:
        CamerabiasError: What is asked cannot be done, another driver is at work on the run, or the storage or a
            node fails for good. What is done stays done.
    """
    check_loggers(request.log)
    return run_plan(plan_sweep(names, request), request, listener or Listener())


def run_plan(plan: Plan, request: Request, listener: Listener) -> SweepOutcome:
    """Run what is missing of a plan; raises what `run_sweep` does."""
    run = Run(request.run)
    trials = plan.to_run(request.retry_failed)
    for sentence in plan.precisions.sentences():
        listener.say(sentence)
    if trials:
        run.folder.check_access()
        with Lease(run, listener.say) as lease:
            _write_intentions(plan, run, request)
            _run_missing(plan, trials, request, lease, listener)
    else:
        _write_intentions(plan, run, request)
    outcome = _outcome(plan, run, len(trials))
    listener.ended(outcome)
    return outcome


def expect(run: Run, dataset: Dataset, lease: Lease) -> Expected:
    """What every node must find."""
    return Expected(
        run=run.folder.uri,
        dataset=dataset.folder.uri,
        fingerprint=dataset.manifest.fingerprint,
        owner=lease.owner,
        versions=versions(),
    )


def _load_studies(names: Sequence[str], request: Request) -> list[Study]:
    found: dict[str, Study] = {}
    for name in names:
        changes = {
            field: getattr(request, field) for field in ("models", "seeds", "recipe", "rotation", "weights")
        }
        for study in load_study(name, **changes):
            if request.no_photos:
                study = _without_photos(study)
            if found.setdefault(study.name, study) != study:
                raise CamerabiasError(
                    f"Two different studies are named {study.name!r}; their tables would be one. Run them one after "
                    "the other, or rename one."
                )
    return list(found.values())


def _without_photos(study: Study) -> Study:
    """A study without the probes that keep pixels of photos."""
    grids = [
        grid.model_copy(update={"probes": [probe for probe in grid.probes if not probe.kind.keeps_photos]})
        for grid in study.grids
    ]
    return study.model_copy(update={"grids": grids})


def check_same_dataset(run: Run, dataset: Dataset) -> None:
    """Refuse a run that holds records of another dataset, with a `CamerabiasError`."""
    if not run.folder.exists(RUN_FILE):
        return
    info = run.info()
    if info.get("dataset") != dataset.manifest.fingerprint:
        raise CamerabiasError(
            f"The run {run.folder} holds records of another dataset ({info.get('dataset_location')}); a run is of "
            "one dataset. Choose another --run."
        )


def write_run_info(run: Run, dataset: Dataset, executor: TrialExecutor, precisions: Precisions) -> None:
    """Write `run.json`."""
    manifest = dataset.manifest
    run.write_info(
        {
            "dataset": manifest.fingerprint,
            "dataset_location": dataset.folder.uri,
            "source": {key: value for key, value in manifest.source.items() if key != "photos"},
            "n_images": manifest.n_images,
            "labels": list(manifest.labels),
            "cameras": list(manifest.cameras),
            "has_split": manifest.has_split,
            "executor": executor.name,
            "precisions": chosen_before(run) | precisions.used,
            "versions": _versions(executor),
            "machine": {"system": platform.platform(), "cpus": os.cpu_count(), "host": platform.node()},
        }
    )


def _write_intentions(plan: Plan, run: Run, request: Request) -> None:
    write_run_info(run, plan.dataset, request.executor, plan.precisions)
    before = run.studies()
    for study in plan.studies:
        run.write_study(study.joined_to(before[study.name]) if study.name in before else study)
    if request.no_photos:
        return
    cells = [cell for study in plan.studies for cell in study.cells]
    views = [name for cell in cells for name in (cell.train_view, cell.test_view)]
    write_examples(plan.dataset, run, map(View.model_validate, views))


def _versions(executor: TrialExecutor) -> dict[str, str]:
    names = ["camerabias", "torch", "torchvision", "timm", "numpy", "pyarrow", *executor.packages]
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def build_missing(
    dataset: Dataset,
    trials: Sequence[TrialConfig],
    sources: dict[str, str],
    executor: Executor,
    listener: Listener,
) -> None:
    """Build the variants and embeddings that trials need and the dataset lacks; sources are those of their plan."""
    wanted = dict.fromkeys(stored for trial in trials for stored in trial.stored)
    variants = [one for one in wanted if isinstance(one, Variant) and not is_built(dataset, one)]
    if variants:
        with listener.counting(f"Building {_views(variants)} shards") as report:
            build_variants(dataset, variants, executor, report)
    embeddings = [one for one in wanted if isinstance(one, Embedding) and not is_built(dataset, one)]
    if embeddings:
        from camerabias.trainables.embeddings.build import (
            build_embeddings,  # late: torch is not needed to plan
        )

        with listener.counting(f"Computing {_views(embeddings)} features, shards") as report:
            # on this machine, features take all cores by themselves
            where = executor if isinstance(executor, RayExecutor) else LocalExecutor()
            build_embeddings(dataset, embeddings, sources, where, report)


def _views(stored: Sequence[Variant | Embedding]) -> str:
    return ", ".join(sorted({str(one.view) for one in stored}))


def _run_missing(
    plan: Plan, trials: list[TrialConfig], request: Request, lease: Lease, listener: Listener
) -> None:
    run = Run(request.run)
    expected = expect(run, plan.dataset, lease)
    listener.nodes(request.executor.join(expected))
    build_missing(plan.dataset, trials, plan.sources, request.executor, listener)
    jobs = [
        Job(
            config=config,
            dataset=plan.dataset.folder.uri,
            run=run.folder.uri,
            weights=plan.sources[config.weights],
            threads=THREADS,
            probes=plan.probes[config.id],
        )
        for config in trials
    ]
    n_all = len(plan.trials)
    with (
        open_loggers(request.log, run, listener.say) as loggers,
        listener.training(n_all, n_all - len(trials)) as watcher,
    ):
        source = KnownJobs(jobs, Watchers(watcher, loggers))
        listener.say(f"Trials run {request.executor.place(source)}.")
        request.executor.run(source, expected)


def _outcome(plan: Plan, run: Run, n_ran: int) -> SweepOutcome:
    # listing a bucket takes a request per 1,000 files, so it is done again only where something may have changed
    contents = run.contents() if n_ran else plan.contents
    without_weights = replace(plan, contents=contents).without_weights()
    lacking = {config.id for config in without_weights}
    failures, probe_failures, n_left = [], [], 0
    for trial_id, config in plan.trials.items():
        record, found = run.record(trial_id), contents.get(trial_id, Contents())
        if found.status == "failed":
            failures.append((config.name, record.failure().reason))
        elif found.status != "done":
            n_left += 1
        elif trial_id not in lacking:
            probe_failures += [
                (f"{config.name}, probe {probe}", record.probe_failure(str(probe)).reason)
                for probe in plan.probes[trial_id]
                if found.probe_status(str(probe)) == "failed"
            ]
    return SweepOutcome(len(plan.trials), n_ran, failures, probe_failures, without_weights, n_left)
