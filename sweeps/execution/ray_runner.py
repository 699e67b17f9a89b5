"""Running trials on Ray Tune. A fresh Tuner runs what is missing; what is done is known from the records alone."""

from __future__ import annotations

import logging
import os
import pickle
import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.search import Searcher

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.execution.watcher import Watcher
from camerabias.sweeps.planning.estimate import Speed, measure_here
from camerabias.trainables.records.record import Failure
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Job, Progress, job_fields, job_from
from camerabias.trainables.worker.node import Expected
from camerabias.trainables.worker.tune_adapter import TuneTrial

WORKER_RETRIES = 4
"""How often a trial is started again, from its checkpoint, when its worker dies (killed, out of memory, host lost).
On spot machines a long trial may lose several hosts; one that always kills its worker must end nevertheless."""

WORKER_DIED = f"its worker died {WORKER_RETRIES + 1} times (killed, out of memory, or its host was lost)"
"""Why a trial failed that could not say so itself."""

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


def run_on_ray(jobs: Sequence[Job], watcher: Watcher, expected: Expected) -> None:
    """Run trials side by side on the Ray that this process is connected to; see `runner.run_jobs`."""
    os.environ.setdefault("TUNE_MAX_PENDING_TRIALS_PG", str(MAX_PENDING))
    fit(
        jobs[0].threads,
        _Recording(Run(jobs[0].run), watcher),
        search_alg=_Given(jobs, expected),
        num_samples=len(jobs),
    )


def fit(threads: int, listener: TuneListener, **how: Any) -> None:
    """Run a fresh Tuner to its end.

    Args:
        threads: CPU threads of a trial.
        listener: Told what becomes of trials.
        how: Further fields of `tune.TuneConfig`.

    Raises:
        CamerabiasError: What the listener raised, or what the machines did wrong.
    """
    os.environ.update(_QUIET)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # what goes wrong is said by us, once
    with tempfile.TemporaryDirectory(prefix="camerabias-tune-") as state:
        tune.Tuner(
            tune.with_resources(TuneTrial, _resources_per_trial(threads)),
            tune_config=tune.TuneConfig(
                reuse_actors=True,
                trial_name_creator=lambda trial: _config(trial).name.replace("/", "_"),
                trial_dirname_creator=lambda trial: trial.trial_id,
                **how,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=state,
                verbose=0,
                # records are what counts; Tune would save every trial once more as it ends
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                failure_config=tune.FailureConfig(max_failures=WORKER_RETRIES),
                callbacks=[listener],
                stop=listener.halt,
            ),
        ).fit()
    if listener.halt.error is not None:
        raise listener.halt.error


def measure_on_ray(config: TrialConfig) -> Speed:
    """Time a trial's training steps where Ray would run it; see `estimate.measure_here`."""
    resources = _resources_per_trial(threads=1)
    task = ray.remote(num_cpus=1, num_gpus=resources.get("gpu", 0))(measure_here)
    speed: Speed = ray.get(task.remote(config))
    return speed


def _resources_per_trial(threads: int) -> dict[str, float]:
    there = _cluster()
    with_gpu = there.get("GPU", 0) >= 1 or GPU_WORKERS in there
    return {"cpu": threads, "gpu": 1} if with_gpu else {"cpu": threads}


def slots(threads: int) -> int:
    """How many trials run side by side on the cluster as it is now, at least 1."""
    wanted, there = _resources_per_trial(threads), _cluster()
    there["GPU"] = max(there.get("GPU", 0), there.get(GPU_WORKERS, 0))
    return max(1, min(int(there.get(name.upper(), 0) / amount) for name, amount in wanted.items()))


def _cluster() -> dict[str, float]:
    return dict(ray.cluster_resources())  # type: ignore[no-untyped-call]


def progress_in(result: dict[str, Any]) -> Progress:
    """What a trial has reported, from a result of Tune's."""
    return Progress(**{field.name: result[field.name] for field in fields(Progress)})


def _config(trial: Any) -> TrialConfig:
    return TrialConfig.model_validate(trial.config["job"]["config"])


class Unsaved:
    """A part of a Tuner without state: Tune pickles its parts to restore them, which never happens here."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class _Given(Unsaved, Searcher):
    """Suggests jobs that are known beforehand, in their order.

    Not a grid search: Tune copies the whole grid for every trial of it, so that n trials cost n² copies of a job
    before the first one starts (see `docs/log.md`).
    """

    def __init__(self, jobs: Sequence[Job], expected: Expected) -> None:
        super().__init__()
        self._jobs, self._expected = iter(jobs), expected.model_dump_json()

    def suggest(self, trial_id: str) -> dict[str, Any]:
        return {"job": job_fields(next(self._jobs)), "expected": self._expected}

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        pass  # nothing is learned from it

    def save(self, checkpoint_path: str) -> None:
        pass  # never restored

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError


class Halt(Unsaved, tune.Stopper):
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


class TuneListener(Unsaved, tune.Callback):
    """Hears what becomes of trials; an error that it raises, or that machines make, ends the sweep."""

    def __init__(self) -> None:
        self.halt = Halt()

    def reported(self, config: dict[str, Any], progress: Progress) -> None:
        """A trial has reported; `config` is what it was given."""

    def given_up(self, config: dict[str, Any], last_error: str) -> None:
        """A trial has lost its worker once too often."""
        raise NotImplementedError

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Of Tune: a trial has reported."""
        with self.halt.catching():
            self.reported(trial.config, progress_in(result))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Of Tune: a trial is tried again."""
        with self.halt.catching():
            _raise_if_of_machines(trial)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Of Tune: a trial is not tried again."""
        with self.halt.catching():
            _raise_if_of_machines(trial)
            self.given_up(trial.config, Path(trial.error_file).read_text())


def _raise_if_of_machines(trial: Any) -> None:
    """Raise what ended a trial if it was no fault of the trial: the same would end every other."""
    if trial.pickled_error_file is None:
        return
    cause = getattr(pickle.loads(Path(trial.pickled_error_file).read_bytes()), "cause", None)
    if isinstance(cause, CamerabiasError):  # a trial's own error is in its record, and does not come here
        raise cause


class _Recording(TuneListener):
    """Passes results on to the watcher, and records the failure of a trial whose worker kept dying."""

    def __init__(self, run: Run, watcher: Watcher) -> None:
        super().__init__()
        self._run, self._watcher = run, watcher

    def reported(self, config: dict[str, Any], progress: Progress) -> None:
        self._watcher.progress(job_from(config["job"]).config, progress)

    def given_up(self, config: dict[str, Any], last_error: str) -> None:
        job = job_from(config["job"])
        now = datetime.now(UTC).isoformat(timespec="seconds")
        failure = Failure(reason=WORKER_DIED, traceback=last_error, failed_at=now, host=platform.node())
        record = self._run.record(job.config.id)
        if record.is_done():  # it died over a probe
            for probe in {str(probe) for probe in job.probes} - {*record.probe_names()}:
                record.fail_probe(probe, failure)
        else:
            record.give_up(failure)
        self._watcher.progress(job.config, Progress.of_failure(job.config, WORKER_DIED))
