"""A hyperparameter search from space file to recipe; called again after any interruption, it resumes."""

from __future__ import annotations

from dataclasses import replace

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.execution.executor import TrialExecutor
from camerabias.sweeps.execution.jobs import KnownJobs
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.execution.sweep import (
    THREADS,
    Setup,
    build_missing,
    check_same_dataset,
    expect,
    write_run_info,
)
from camerabias.sweeps.execution.watcher import SearchWatcher
from camerabias.sweeps.planning.plan import Plan, make_plan
from camerabias.sweeps.runs.lease import Lease
from camerabias.sweeps.search.space import SpaceFile, load_space
from camerabias.sweeps.search.tuning import Tuning
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import Confirmation, Search, SearchRecord, find_best, search_record
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Job, Progress
from camerabias.trainables.worker.node import Expected

_MAY_CHANGE = ("title", "trials", "confirm_seeds")
"""What a search may be asked for anew with; all that was tried stays comparable."""


def run_search(name: str, setup: Setup, listener: Listener | None = None) -> SearchRecord:
    """Run what is missing of a search.

    Args:
        name: Of its space file.
        setup: What else is asked.
        listener: Hears how it goes; None keeps silent.

    Returns:
        Its record, with the recipe found.

    Raises:
        CamerabiasError: Anything that is wrong with what is asked; or no candidate has ended with a loss.
    """
    listener = listener or Listener()
    space, dataset, run = load_space(name, setup.weights), open_dataset(setup.data), Run(setup.run)
    check_same_dataset(run, dataset)
    plan = make_plan([space.study()], dataset, run, setup.size, setup.executor.measure)
    search = _search_of(space, plan)
    record = search_record(run, search.name)
    _check_same_search(search, record)
    run.folder.check_access()
    for sentence in plan.precisions.sentences():
        listener.say(sentence)
    with Lease(run, listener.say) as lease:
        write_run_info(run, dataset, setup.executor, plan.precisions)
        record.write_search(search)
        expected = expect(run, dataset, lease)
        listener.nodes(setup.executor.join(expected))
        build_missing(
            dataset, [search.trial], {search.trial.weights: space.weights}, setup.executor, listener
        )
        job = Job(
            search.trial, dataset.folder.uri, record.folder.uri, space.weights, THREADS, purpose="search"
        )
        n_before = sum(one.state != "running" for one in record.candidates())
        with listener.searching(search.trials, n_before) as watcher:
            _run(search, record, job, setup.executor, expected, watcher, listener)
    return record


def _search_of(space: SpaceFile, plan: Plan) -> Search:
    """A search, spelt out for the dataset that its one trial is planned for."""
    (trial,) = plan.trials.values()
    return Search(
        name=space.name,
        title=space.title,
        trial=trial,
        space=space.space,
        trials=space.trials,
        prune_after=space.prune_after,
        confirm_seeds=space.confirm_seeds,
    )


def _check_same_search(search: Search, record: SearchRecord) -> None:
    if not record.exists():
        return
    before, now = (one.model_dump(exclude=set(_MAY_CHANGE)) for one in (record.search(), search))
    changed = [name for name in now if before[name] != now[name]]
    if changed:
        raise CamerabiasError(
            f"{record.folder} holds a search that differs in {', '.join(changed)}; its candidates do not "
            "compare with new ones. Give the space file another name, or remove that folder; only "
            f"{', '.join(_MAY_CHANGE)} may change."
        )


def _run(
    search: Search,
    record: SearchRecord,
    job: Job,
    executor: TrialExecutor,
    expected: Expected,
    watcher: SearchWatcher,
    listener: Listener,
) -> None:
    tuning = Tuning(search, record, watcher)
    candidates = _Candidates(tuning, job, search.trials)
    listener.say(f"Candidates run {executor.place(candidates)}.")
    executor.run(candidates, expected)
    if tuning.n_ended < search.trials:  # Tune returns when it is interrupted
        raise CamerabiasError(
            f"The search was interrupted after {tuning.n_ended} of {search.trials} candidates; run the same "
            "command to resume."
        )
    _write_recipe(search, record)
    _confirm(search, record, job, executor, expected, watcher)


class _Candidates:
    """Candidates as a source of jobs: what comes next depends on how others went.

    Args:
        tuning: Asked and told.
        job: Of which each candidate's differs in the trial alone.
        n: How many there may be.
    """

    n_jobs = None

    def __init__(self, tuning: Tuning, job: Job, n: int) -> None:
        self.threads, self.pixels = job.threads, n * job.config.pixels
        self._tuning, self._job = tuning, job
        self._numbers: dict[str, int] = {}

    def ask(self) -> Job | None:
        """The next candidate's; candidates that run have trials of their own."""
        one = self._tuning.ask()
        if one is None:
            return None
        self._numbers[one.trial] = one.number
        return replace(self._job, config=self._tuning.config(one.number))

    def tell(self, job: Job, progress: Progress) -> bool:
        """Take a report; returns whether the candidate is pruned."""
        return self._tuning.tell(self._numbers[job.config.id], progress)

    def give_up(self, job: Job, reason: str, traceback: str) -> None:
        """Take that a candidate has failed."""
        self.tell(job, Progress.of_failure(job.config, reason))


def _write_recipe(search: Search, record: SearchRecord) -> None:
    candidates = record.candidates()
    best = find_best(candidates)
    if best is None:
        raise CamerabiasError(
            f"None of the {len(candidates)} candidates of {search.name} has ended with a loss, so there is no "
            f"recipe. The first one's reason: {candidates[0].reason}"
        )
    record.write_recipe(
        search.recipe(best.params),
        f"Found by the search {search.name} ({search.trial.name}): candidate {best.number} of {len(candidates)}, "
        f"validation loss {best.loss:.4f}. Test images were not looked at.",
    )


def _confirm(
    search: Search,
    record: SearchRecord,
    job: Job,
    executor: TrialExecutor,
    expected: Expected,
    watcher: SearchWatcher,
) -> None:
    """Train the recipe found, and the one that the search started from, on other seeds; failures run again."""
    best = find_best(record.candidates())
    assert best is not None
    confirming = _Confirming(record, search.confirming(best), watcher)
    jobs = [replace(job, config=config) for config in confirming.missing()]
    if jobs:
        executor.run(KnownJobs(jobs, confirming), expected)
    if confirming.n_silent:  # Tune returns when it is interrupted
        raise CamerabiasError(
            f"The search was interrupted with {confirming.n_silent} trials on other seeds remaining; run the "
            "same command to resume."
        )


class _Confirming:
    """Keeps what trials on other seeds come to."""

    def __init__(
        self, record: SearchRecord, trials: dict[tuple[str, int], TrialConfig], watcher: SearchWatcher
    ) -> None:
        self._record, self._trials, self._watcher = record, trials, watcher
        self._outcomes = record.confirmed()

    def missing(self) -> list[TrialConfig]:
        """What has not ended well; the same trial once, should both recipes be the same."""
        trials = {config.id: config for config in self._trials.values()}
        return [
            config
            for trial_id, config in trials.items()
            if trial_id not in self._outcomes or self._outcomes[trial_id].loss is None
        ]

    @property
    def n_silent(self) -> int:
        """Trials that nothing is known of."""
        return len({config.id for config in self._trials.values()} - self._outcomes.keys())

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""
        if progress.status == "running":
            return
        failed = progress.status == "failed"
        self._outcomes[trial.id] = Confirmation(
            loss=None if failed else progress.validation_loss,
            accuracy=None if failed else progress.validation_accuracy,
            reason=progress.reason,
        )
        self._record.write_confirmed(self._outcomes)
        for (recipe, seed), config in self._trials.items():
            if config.id == trial.id:
                self._watcher.confirmed(recipe, seed, progress)
