"""A hyperparameter search from space file to recipe; called again after any interruption, it resumes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from camerabias.datasets.dataset import Dataset, open_dataset
from camerabias.datasets.schema import CamerabiasError, Executor
from camerabias.sweeps.execution.cluster import join
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.execution.runner import run_jobs
from camerabias.sweeps.execution.sweep import (
    THREADS,
    build_missing,
    check_same_dataset,
    check_weights,
    expect,
    write_run_info,
)
from camerabias.sweeps.execution.watcher import SearchWatcher
from camerabias.sweeps.planning.plan import make_plan
from camerabias.sweeps.runs.lease import Lease
from camerabias.sweeps.search.space import SpaceFile, load_space
from camerabias.sweeps.search.tuning import Tuning
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import Outcome, Search, SearchRecord, find_best, search_record
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Job, Progress
from camerabias.trainables.worker.node import Expected

_MAY_CHANGE = ("title", "trials", "confirm_seeds")
"""What a search may be asked for anew with; all that was tried stays comparable."""


@dataclass(frozen=True)
class SearchRequest:
    """What a user asks of a search; None leaves it to the model or the dataset."""

    space: str
    data: str
    run: str
    weights: str = "imagenet"
    size: int | None = None
    address: str | None = None
    executor: Executor = "ray"
    allow_unauthenticated: bool = False


def run_search(request: SearchRequest, listener: Listener | None = None) -> SearchRecord:
    """Run what is missing of a search.

    Returns:
        Its record, with the recipe found.

    Raises:
        CamerabiasError: Anything that is wrong with what is asked; or no candidate has ended with a loss.
    """
    listener = listener or Listener()
    space, dataset, run = load_space(request.space), open_dataset(request.data), Run(request.run)
    check_same_dataset(run, dataset)
    search = plan_search(space, dataset, run, request)
    record = search_record(run, search.name)
    _check_same_search(search, record)
    run.folder.check_access()
    with Lease(run, listener.say) as lease:
        write_run_info(run, dataset, request.executor)
        record.write_search(search)
        expected = expect(run, dataset, lease)
        if request.executor == "ray":
            listener.nodes(join(request.address, expected, request.allow_unauthenticated))
        build_missing(dataset, [search.trial], request.executor, listener)
        job = Job(
            search.trial, dataset.folder.uri, record.folder.uri, request.weights, THREADS, purpose="search"
        )
        n_before = sum(one.state != "running" for one in record.candidates())
        with listener.searching(search.trials, n_before) as watcher:
            _run(search, record, job, request.executor, expected, watcher)
    return record


def plan_search(space: SpaceFile, dataset: Dataset, run: Run, request: SearchRequest) -> Search:
    """Spell out a space file for a dataset, changing nothing."""
    weights = {space.model: check_weights(space.model, request.weights)}
    (trial,) = make_plan([space.study()], dataset, run, request.size, weights).trials.values()
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
    executor: Executor,
    expected: Expected,
    watcher: SearchWatcher,
) -> None:
    tuning = Tuning(search, record, watcher)
    _run_candidates(tuning, job, executor, expected)
    if tuning.n_ended < search.trials:  # Tune returns when it is interrupted
        raise CamerabiasError(
            f"The search was interrupted after {tuning.n_ended} of {search.trials} candidates; run the same "
            "command to resume."
        )
    _write_recipe(search, record)
    _confirm(search, record, job, executor, expected, watcher)


def _run_candidates(tuning: Tuning, job: Job, executor: Executor, expected: Expected) -> None:
    if executor == "ray":
        from camerabias.sweeps.search.ray_search import search_on_ray  # late: Ray need not be installed

        search_on_ray(tuning, job, expected)
        return
    from camerabias.trainables.worker.trial import Trial  # late: torch is not needed to plan

    while (one := tuning.ask()) is not None:
        trial = Trial(replace(job, config=tuning.config(one.number)))
        progress = trial.advance(seconds=0.0)
        while not tuning.tell(one.number, progress) and progress.status == "running":
            progress = trial.advance(seconds=0.0)


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
    executor: Executor,
    expected: Expected,
    watcher: SearchWatcher,
) -> None:
    """Train the recipe found, and the one that the search started from, on other seeds; failures run again."""
    best = find_best(record.candidates())
    assert best is not None
    confirming = _Confirming(record, search.confirming(best), watcher)
    jobs = [replace(job, config=config) for config in confirming.missing()]
    run_jobs(jobs, executor, confirming, expected)
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
        self._outcomes[trial.id] = Outcome(
            loss=None if failed else progress.validation_loss,
            accuracy=None if failed else progress.validation_accuracy,
            reason=progress.reason,
        )
        self._record.write_confirmed(self._outcomes)
        for (recipe, seed), config in self._trials.items():
            if config.id == trial.id:
                self._watcher.confirmed(recipe, seed, progress)
