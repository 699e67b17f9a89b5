"""What there is to run: the source of jobs that an executor asks, and jobs that are known beforehand."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from camerabias.sweeps.execution.watcher import Watcher
from camerabias.trainables.records.record import Failure
from camerabias.trainables.records.run import Run
from camerabias.trainables.worker.job import Job, Progress

WORKER_RETRIES = 4
"""How often a trial is started again, from its checkpoint, when its worker dies (killed, out of memory, host lost).
On spot machines a long trial may lose several hosts; one that always kills its worker must end nevertheless."""

WORKER_DIED = f"its worker died {WORKER_RETRIES + 1} times (killed, out of memory, or its host was lost)"
"""Why a trial failed that could not say so itself."""


class JobSource(Protocol):
    """What there is to run, asked for job by job, and reported to how each of them goes."""

    @property
    def n_jobs(self) -> int | None:
        """How many, where all of them are known; None where results decide what comes next."""

    @property
    def pixels(self) -> int:
        """How many pixels networks will look at in training, as far as that is known."""

    @property
    def threads(self) -> int:
        """CPU threads of each."""

    def ask(self) -> Job | None:
        """The next one; None when there are no more."""

    def tell(self, job: Job, progress: Progress) -> bool:
        """Take a report of a job; returns whether it is to be stopped."""

    def give_up(self, job: Job, reason: str, traceback: str) -> None:
        """Take that a job cannot say itself why it failed: its worker died once too often."""


class KnownJobs:
    """Jobs in their order, none of which is stopped.

    Args:
        jobs: At least one.
        watcher: Hears of progress.
    """

    def __init__(self, jobs: Sequence[Job], watcher: Watcher) -> None:
        self.n_jobs, self.threads = len(jobs), jobs[0].threads
        self.pixels = sum(job.config.pixels for job in jobs)
        self._jobs, self._watcher = iter(jobs), watcher

    def ask(self) -> Job | None:
        """The next one."""
        return next(self._jobs, None)

    def tell(self, job: Job, progress: Progress) -> bool:
        """Pass a report on to the watcher."""
        self._watcher.progress(job.config, progress)
        return False

    def give_up(self, job: Job, reason: str, traceback: str) -> None:
        """Record the failure of a trial that could not do so itself."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        failure = Failure(reason=reason, traceback=traceback, failed_at=now, host=platform.node())
        record = Run(job.run).record(job.config.id)
        if record.is_done():  # it died over a probe
            for probe in {str(probe) for probe in job.probes} - {*record.probe_names()}:
                record.fail_probe(probe, failure)
        else:
            record.give_up(failure)
        self.tell(job, Progress.of_failure(job.config, reason))
