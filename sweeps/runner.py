"""Running trials: on Ray Tune, spread over cores and machines, or one after the other in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from camerabias.datasets.schema import Executor

if TYPE_CHECKING:
    from camerabias.trainables.config import TrialConfig
    from camerabias.trainables.job import Job, Progress
    from camerabias.trainables.node import Expected


class Watcher(Protocol):
    """Is told what trials do."""

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""


class Watchers:
    """Several watchers as one, told in their order."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""
        for watcher in self._watchers:
            watcher.progress(trial, progress)


def run_jobs(jobs: Sequence[Job], executor: Executor, watcher: Watcher, expected: Expected) -> None:
    """Run trials; each leaves its record, a failed one its failure, and the others go on.

    Args:
        jobs: What to run, and where it reads and writes.
        executor: Ray Tune, on the Ray that this process is connected to, or this process.
        watcher: Told of progress.
        expected: What every node must find before it runs trials.

    Raises:
        StorageError, NodeError: The machines fail the sweep, whatever the trial; what is done stays done.
    """
    if not jobs:
        return
    if executor == "local":
        _run_here(jobs, watcher)
    else:
        from camerabias.sweeps.ray_runner import run_on_ray  # late: Ray need not be installed

        run_on_ray(jobs, watcher, expected)


def _run_here(jobs: Sequence[Job], watcher: Watcher) -> None:
    from camerabias.trainables.trial import Trial  # late: torch is not needed to plan

    for job in jobs:
        trial = Trial(job)
        status = "running"
        while status == "running":
            progress = trial.advance(seconds=1.0)
            watcher.progress(job.config, progress)
            status = progress.status
