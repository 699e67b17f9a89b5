"""The one file that knows both Ray Tune and trials: a class trainable whose actors are reused.

Trials, and with them torch, are imported where an actor sets up: the driver of a sweep knows the class, and no torch.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from functools import cache
from typing import Any

from ray import tune
from ray.util.metrics import Gauge

from camerabias.datasets.io.storage import Folder
from camerabias.trainables.records.record import Record
from camerabias.trainables.worker.job import Progress, job_from
from camerabias.trainables.worker.node import check_node_once

REPORT_SECONDS = 5.0
"""About how often a trial reports: often enough to watch, rare enough to cost nothing."""

GAUGES = {
    "loss": ("validation_loss", "Latest validation loss of a trial."),
    "accuracy": ("validation_accuracy", "Latest validation accuracy of a trial."),
    "images_per_second": ("images_per_second", "Training images per second of a trial."),
    "step": ("step", "Optimiser steps that a trial has done."),
}
"""What Prometheus can read of every running trial, as `ray_camerabias_trial_NAME{trial="..."}`: the field of its
progress, and a text."""


class TuneTrial(tune.Trainable):
    """A trial as Ray Tune sees it.

    Its `config` has a `Job` as a plain dictionary under the key `job`, and as `expected` what the node must find,
    as JSON (see `node.Expected`).

    The record in RUN is what counts, and its own checkpoint is what a restarted trial resumes from, on any
    machine. Tune's checkpoints are the same files in a folder of Tune's, for schedulers that pause trials.
    """

    def setup(self, config: dict[str, Any]) -> None:
        """Take a job."""
        from camerabias.trainables.worker.trial import Trial

        _log_here()
        self.trial = Trial(job_from(config["job"]))
        self.expected = config["expected"]

    def step(self) -> dict[str, Any]:
        """Train for a while and report; a worker checks its node first."""
        check_node_once(self.expected)
        progress = self.trial.advance(REPORT_SECONDS)
        self._measure(progress)
        return {**asdict(progress), "done": progress.status != "running"}

    def _measure(self, progress: Progress) -> None:
        """Set the gauges of a running trial; Ray forgets those that are not set again within some 20 seconds."""
        if progress.status != "running":
            return  # its numbers would be of weights chosen by hindsight
        for name, gauge in _gauges().items():
            value = getattr(progress, GAUGES[name][0])
            if value is not None:
                gauge.set(value, tags={"trial": self.trial.job.config.name})

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


@cache
def _gauges() -> dict[str, Gauge]:
    """One of each for the process, whatever number of trials it runs."""
    return {name: Gauge(f"camerabias_trial_{name}", text, ("trial",)) for name, (_, text) in GAUGES.items()}


@cache
def _log_here() -> None:
    """Let a worker's log file, which the Ray dashboard shows, tell which trials begin and end in it."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("camerabias")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
