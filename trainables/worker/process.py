"""A process that runs one trial after the other for `sweeps/execution/processes.py`, and ends with it.

    python -P -m camerabias.trainables.worker.process DESCRIPTOR

DESCRIPTOR is that of a pipe: jobs come in, progress and errors that are no trial's go out.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from multiprocessing.connection import Connection

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.worker.job import Job
from camerabias.trainables.worker.trial import Trial

REPORT_SECONDS = 1.0
"""About how often a trial reports."""


def serve(pipe: Connection[object, Job | None]) -> None:
    """Run jobs as they come, reporting on each until it ends; an answer of None lets it continue.

    Args:
        pipe: Gives jobs, takes `Progress`.
    """
    trial = Trial(_next(pipe))
    while True:
        try:
            pipe.send(trial.advance(REPORT_SECONDS))
        except CamerabiasError as error:  # the storage's; a trial's own error is in its record
            pipe.send(error)
            return
        job = pipe.recv()
        trial = trial if job is None else Trial(job)


def _next(pipe: Connection[object, Job | None]) -> Job:
    job = pipe.recv()
    assert job is not None, "there is no trial yet to continue"
    return job


def _end_with(parent: int) -> None:
    """End as soon as the process has ended that started this one: somebody else may resume the trial."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        serve(Connection(int(sys.argv[1])))
    except (EOFError, BrokenPipeError):  # nobody has more to do
        sys.exit()
