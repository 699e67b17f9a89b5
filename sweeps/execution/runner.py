"""Running trials: on Ray Tune, spread over cores and machines, or one after the other in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from camerabias.datasets.schema import Executor
from camerabias.sweeps.execution.watcher import Watcher

if TYPE_CHECKING:
    from camerabias.trainables.worker.job import Job
    from camerabias.trainables.worker.node import Expected


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
        from camerabias.sweeps.execution.ray_runner import run_on_ray  # late: Ray need not be installed

        run_on_ray(jobs, watcher, expected)


def _run_here(jobs: Sequence[Job], watcher: Watcher) -> None:
    from camerabias.trainables.worker.trial import Trial  # late: torch is not needed to plan

    for job in jobs:
        trial = Trial(job)
        status = "running"
        while status == "running":
            progress = trial.advance(seconds=1.0)
            watcher.progress(job.config, progress)
            status = progress.status
