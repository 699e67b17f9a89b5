"""Processes that run trials, and die."""

import os
import signal
import subprocess

import pytest

from camerabias.sweeps.execution import processes
from camerabias.sweeps.execution.jobs import WORKER_DIED, KnownJobs
from camerabias.trainables.records.run import Run


class Killer:
    """Kills the processes of trials whenever a trial of seed 0 reports that it runs, so many times."""

    def __init__(self, times):
        self.left, self.said = times, []

    def progress(self, trial, progress):
        self.said.append((trial.seed, progress.status, progress.reason))
        if trial.seed == 0 and progress.status == "running" and self.left:
            self.left -= 1
            for pid in _children():
                os.kill(pid, signal.SIGKILL)


def _children():
    command = ["pgrep", "-P", str(os.getpid()), "-f", "camerabias.trainables.worker.process"]
    return [*map(int, subprocess.run(command, capture_output=True, text=True, check=False).stdout.split())]


def test_trial_whose_process_is_killed_is_tried_again(make_job, run_trial, tmp_path):
    # a search hears of every epoch
    killer = Killer(times=1)
    job = make_job(seed=0, purpose="search")
    processes.run_in_processes(KnownJobs([job], killer), 2)
    assert [status for _, status, _ in killer.said].count("done") == 1
    assert _children() == []
    run_trial(make_job(run="alone", seed=0, purpose="search"))
    records = [Run(str(tmp_path / run)).record(job.config.id).folder for run in ("run", "alone")]
    (one, other) = (record.read_table("history.parquet").to_pandas() for record in records)
    assert one.equals(other)


def test_trial_that_always_kills_its_process_is_given_up_and_others_run(make_job, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "WORKER_RETRIES", 0)
    jobs = [make_job(seed=seed, purpose="search") for seed in (0, 1)]
    killer = Killer(times=1)
    processes.run_in_processes(KnownJobs(jobs, killer), 1)
    assert killer.said[-1][:2] == (1, "done")
    assert (0, "failed", WORKER_DIED) in killer.said
    failure = Run(str(tmp_path / "run")).record(jobs[0].config.id).failure()
    assert failure.traceback == "The last process ended with -9."


def test_interruption_leaves_no_process(make_job):
    class Interrupting:
        def progress(self, trial, progress):
            raise KeyboardInterrupt

    jobs = [make_job(seed=seed) for seed in (0, 1)]
    with pytest.raises(KeyboardInterrupt):
        processes.run_in_processes(KnownJobs(jobs, Interrupting()), 2)
    assert _children() == []
