"""Running jobs on Ray Tune. A fresh Tuner runs what is missing; what is done is known from the records alone.

Its searcher asks and its scheduler tells the `JobSource`, which does the thinking. Not Ray's `OptunaSearch` and
`ASHAScheduler`: the scheduler's rungs cannot be given back to it, so that a resumed search would prune otherwise than
one that was never interrupted; and with one source the local executor searches just so.
"""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from camerabias.datasets.io.executor import MEMORY_FULL
from camerabias.datasets.io.ray_connection import connect_ray
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.execution.jobs import WORKER_DIED, WORKER_RETRIES, JobSource
from camerabias.sweeps.planning.speed import Speed, measure_here
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Job, Progress, job_fields, job_from
from camerabias.trainables.worker.node import Expected
from camerabias.trainables.worker.tune_adapter import TuneTrial

LOST_IN_A_ROW = 3
"""How many trials may fail in a row, none reporting anything between, because Ray's memory monitor kills their
workers: memory is full of something else then, and every other trial would fail, too."""

GPU_WORKERS = "gpu_workers"
"""Resource by which a cluster's head says how many GPU workers start on demand, none of which may be there yet."""

MAX_PENDING = 200
"""Trials that Ray knows to be waiting, as many as of a grid: by them a cluster sees how far to grow."""

_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # records hold everything that Tune's own logs would
    "TUNE_GLOBAL_CHECKPOINT_S": "600",  # Tune's state is never restored, so it need not be saved often
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}


def run_on_ray(jobs: JobSource, expected: Expected) -> None:
    """Run jobs side by side on the Ray that this process has joined; see `TrialExecutor.run`."""
    os.environ.update(_QUIET)
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(MAX_PENDING))
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # what goes wrong is said by us, once
    halt = _Halt()
    with tempfile.TemporaryDirectory(prefix="camerabias-tune-") as state:
        tune.Tuner(
            tune.with_resources(TuneTrial, _resources_per_trial(jobs.threads)),
            tune_config=tune.TuneConfig(
                reuse_actors=True,
                trial_name_creator=lambda trial: _job(trial).config.name.replace("/", "_"),
                trial_dirname_creator=lambda trial: trial.trial_id,
                search_alg=_Asking(jobs, expected),
                scheduler=_Telling(jobs, halt),
                num_samples=-1 if jobs.n_jobs is None else jobs.n_jobs,
                # where results decide what comes next, asking ahead would know less
                max_concurrent_trials=_slots(jobs.threads) if jobs.n_jobs is None else None,
            ),
            run_config=_run_config(state, _GivingUp(jobs, halt), halt),
        ).fit()
    if halt.error is not None:
        raise halt.error


def _run_config(state: str, callback: tune.Callback, halt: _Halt) -> tune.RunConfig:
    return tune.RunConfig(
        name="sweep",
        storage_path=state,
        verbose=0,
        # records are what counts; Tune would save every trial once more as it ends
        checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        failure_config=tune.FailureConfig(max_failures=WORKER_RETRIES),
        callbacks=[callback],
        stop=halt,
    )


def measure_on_ray(config: TrialConfig, address: str | None) -> Speed:
    """Time a trial's training steps where that Ray would run it; see `estimate.measure_here`."""
    connect_ray(address)
    resources = _resources_per_trial(threads=1)
    task = ray.remote(num_cpus=1, num_gpus=resources.get("gpu", 0))(measure_here)
    speed: Speed = ray.get(task.remote(config))
    return speed


def _resources_per_trial(threads: int) -> dict[str, float]:
    there = _cluster()
    with_gpu = there.get("GPU", 0) >= 1 or GPU_WORKERS in there
    return {"cpu": threads, "gpu": 1} if with_gpu else {"cpu": threads}


def _slots(threads: int) -> int:
    """How many trials run side by side on the cluster as it is now, at least 1."""
    wanted, there = _resources_per_trial(threads), _cluster()
    there["GPU"] = max(there.get("GPU", 0), there.get(GPU_WORKERS, 0))
    return max(1, min(int(there.get(name.upper(), 0) / amount) for name, amount in wanted.items()))


def _cluster() -> dict[str, float]:
    return dict(ray.cluster_resources())  # type: ignore[no-untyped-call]


def _job(trial: Any) -> Job:
    return job_from(trial.config["job"])


class _Unsaved:
    """A part of a Tuner without state: Tune pickles its parts to restore them, which never happens here."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Asking(_Unsaved, Searcher):
    """Suggests what the source gives.

    Known jobs too, in place of a grid search: Tune copies the whole grid for every trial of it, so that n trials
    cost n² copies of a job before the first one starts (see `docs/log.md`).
    """

    def __init__(self, jobs: JobSource, expected: Expected) -> None:
        super().__init__(metric="validation_loss", mode="min")
        self._jobs, self._expected = jobs, expected.model_dump_json()

    def suggest(self, trial_id: str) -> Any:  # a configuration, or the word that there are no more
        job = self._jobs.ask()
        if job is None:
            return Searcher.FINISHED
        return {"job": job_fields(job), "expected": self._expected}

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        pass  # the scheduler tells

    def save(self, checkpoint_path: str) -> None:
        pass  # never restored: records are what a sweep or a search is resumed from

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError


class _Halt(_Unsaved, tune.Stopper):
    """Ends a sweep on an error that is no trial's; Tune would wrap it, or take it for a trial's, were it raised."""

    def __init__(self) -> None:
        self.error: CamerabiasError | None = None

    @contextmanager
    def catching(self) -> Iterator[None]:
        """Keep what the block raises, and go on."""
        try:
            yield
        except CamerabiasError as error:
            self.error = self.error or error

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether to stop a trial: none by itself."""
        return False

    def stop_all(self) -> bool:
        """Whether to stop all."""
        return self.error is not None


class _Telling(_Unsaved, FIFOScheduler):
    """Tells the source how jobs go, and stops those that it wants stopped.

    A scheduler and no callback, since only a scheduler can stop a trial.
    """

    def __init__(self, jobs: JobSource, halt: _Halt) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._jobs, self._halt = jobs, halt

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        stop = False
        with self._halt.catching():
            stop = self._jobs.tell(_job(trial), _progress_in(result))
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, controller: Any, trial: Any, result: dict[str, Any]) -> None:
        progress = _progress_in(result)
        if progress.status != "running":  # running: it has been stopped, and told of
            with self._halt.catching():
                self._jobs.tell(_job(trial), progress)


def _progress_in(result: dict[str, Any]) -> Progress:
    return Progress(**{field.name: result[field.name] for field in fields(Progress)})


class _GivingUp(_Unsaved, tune.Callback):
    """Hears of workers that die, which a scheduler would take for the end of their trials."""

    def __init__(self, jobs: JobSource, halt: _Halt) -> None:
        self._jobs, self._halt = jobs, halt
        self._lost_in_a_row = 0

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: Any, **info: Any
    ) -> None:
        """Of Tune: a trial has reported, so that there is room for one."""
        self._lost_in_a_row = 0

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Of Tune: a trial is tried again."""
        with self._halt.catching():
            _raise_if_of_machines(trial)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Of Tune: a trial is not tried again."""
        with self._halt.catching():
            _raise_if_of_machines(trial)
            errors = Path(trial.error_file).read_text()
            self._jobs.give_up(_job(trial), WORKER_DIED, errors)
            # only in words: Tune keeps no error of a worker that dies before its trial is set up
            self._lost_in_a_row += _KILLED_FOR_MEMORY in errors
            if self._lost_in_a_row >= LOST_IN_A_ROW:
                raise CamerabiasError(f"{MEMORY_FULL} --retry-failed runs what failed again.")


_KILLED_FOR_MEMORY = "low on memory"
"""What Ray says of workers that its memory monitor kills."""


def _raise_if_of_machines(trial: Any) -> None:
    """Raise what ended a trial if it was no fault of the trial: the same would end every other."""
    if trial.pickled_error_file is None:
        return
    error = pickle.loads(Path(trial.pickled_error_file).read_bytes())  # noqa: S301 - Tune's own file, in our folder
    cause = getattr(error, "cause", None)
    if isinstance(cause, CamerabiasError):  # a trial's own error is in its record, and does not come here
        raise cause
