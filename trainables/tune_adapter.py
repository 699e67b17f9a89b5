"""The one file that knows both Ray Tune and trials: a class trainable whose actors are reused.

Trials, and with them torch, are imported where an actor sets up: the driver of a sweep knows the class, and no torch.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ray import tune

from camerabias.datasets.storage import Folder
from camerabias.trainables.job import job_from
from camerabias.trainables.node import check_node_once
from camerabias.trainables.record import Record

REPORT_SECONDS = 5.0
"""About how often a trial reports: often enough to watch, rare enough to cost nothing."""


class TuneTrial(tune.Trainable):
    """A trial as Ray Tune sees it.

    Its `config` has a `Job` as a plain dictionary under the key `job`, and as `expected` what the node must find,
    as JSON (see `node.Expected`).

    The record in RUN is what counts, and its own checkpoint is what a restarted trial goes on from, on any
    machine. Tune's checkpoints are the same files in a folder of Tune's, for schedulers that pause trials.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Take a job."""
        from camerabias.trainables.trial import Trial

        self.trial = Trial(job_from(config["job"]))
        self.expected = config["expected"]

    def step(self) -> dict[str, Any]:
        """Train for a while and report; the first thing that a worker does is to prove its node."""
        check_node_once(self.expected)
        # a search decides at certain steps whether to go on, so it hears of every epoch
        progress = self.trial.advance(0.0 if self.trial.job.purpose == "search" else REPORT_SECONDS)
        return {**asdict(progress), "done": progress.status != "running"}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write the trial's state into `checkpoint_dir`."""
        self.trial.save(Record(Folder(checkpoint_dir)))

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Go on from the state in the folder `checkpoint`."""
        self.trial.load(Record(Folder(str(checkpoint))))

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take another job in the same process: importing torch again would cost more than many a trial."""
        self.setup(new_config)
        return True
