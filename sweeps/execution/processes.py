"""Running jobs side by side in processes of this machine, without Ray."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe, wait

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.execution.jobs import WORKER_DIED, WORKER_RETRIES, JobSource
from camerabias.trainables.worker.job import Job, Progress


class _Worker:
    """A process that runs one job after the other.

    Not of `multiprocessing`: that would import the user's script again, which no user expects of a library.
    """

    def __init__(self, job: Job) -> None:
        self.pipe, theirs = Pipe()
        program = [sys.executable, "-P", "-m", "camerabias.trainables.worker.process", str(theirs.fileno())]
        self._process = subprocess.Popen(  # noqa: S603 - nothing of a user's is in it
            program, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        self.give(job)

    def give(self, job: Job) -> None:
        """The next job."""
        self.job = job
        self.pipe.send(job)

    def go_on(self) -> None:
        """Let it go on with its job."""
        self.pipe.send(None)

    def end(self) -> int:
        """End it, whatever it is doing; returns its exit code."""
        self.pipe.close()
        self._process.kill()
        return self._process.wait()


def run_in_processes(jobs: JobSource, n: int) -> None:
    """Run jobs, n at a time; see `TrialExecutor.run`.

    A job whose process dies is tried again, from its checkpoint if it has one.
    """
    deaths = Counter[str]()
    with _workers() as busy:
        while len(busy) < n and (job := jobs.ask()) is not None:
            _start(busy, job)
        while busy:
            for pipe in wait([*busy]):
                assert isinstance(pipe, Connection)
                _hear(busy, busy[pipe], jobs, deaths)


_Busy = dict[Connection, _Worker]
"""Processes that have a job, by their pipes."""


@contextmanager
def _workers() -> Iterator[_Busy]:
    busy: _Busy = {}
    try:
        yield busy
    finally:
        for worker in busy.values():
            worker.end()


def _start(busy: _Busy, job: Job) -> None:
    worker = _Worker(job)
    busy[worker.pipe] = worker


def _hear(busy: _Busy, worker: _Worker, jobs: JobSource, deaths: Counter[str]) -> None:
    """Take what a process says, and answer it."""
    try:
        said = worker.pipe.recv()
    except (EOFError, ConnectionResetError):
        _bury(busy, worker, jobs, deaths)
        return
    if isinstance(said, CamerabiasError):
        raise said
    assert isinstance(said, Progress)
    stop = jobs.tell(worker.job, said)
    if said.status == "running" and not stop:
        worker.go_on()
    elif (job := jobs.ask()) is not None:
        worker.give(job)
    else:
        busy.pop(worker.pipe).end()


def _bury(busy: _Busy, worker: _Worker, jobs: JobSource, deaths: Counter[str]) -> None:
    """Put another process in the place of one that has died, with the same job unless it dies of that."""
    code, job = busy.pop(worker.pipe).end(), worker.job
    deaths[job.config.id] += 1
    if deaths[job.config.id] > WORKER_RETRIES:
        jobs.give_up(job, WORKER_DIED, f"The last process ended with {code}.")
        after = jobs.ask()
        if after is None:
            return
        job = after
    _start(busy, job)
