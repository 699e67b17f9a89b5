"""Trials that wait in place of training: what a sweep's driver and Ray do besides, for `growth tune` and `nodes`."""

from __future__ import annotations

import time
from typing import Any

from ray import tune

from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.simulator.cameras import CAMERAS
from camerabias.datasets.simulator.spec import LABELS
from camerabias.sweeps.execution import ray_tune
from camerabias.sweeps.execution.jobs import KnownJobs
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Job, Progress
from camerabias.trainables.worker.node import Expected

TAKES_NO_PART = "made up"


class _Clock:
    """When trials have ended."""

    def __init__(self) -> None:
        self.ended: list[float] = []

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        self.ended.append(time.perf_counter())


def run_waiting_trials(n: int, seconds: float) -> list[float]:
    """Run n trials that each wait, on the Ray that this process has joined; returns when each ended, in order."""

    class Waiting(tune.Trainable):
        def step(self) -> dict[str, Any]:
            time.sleep(seconds)
            progress = Progress("done", 1, 1, 0.5, 0.5, 1.0, seconds)
            return {**vars(progress), "done": True}

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            return True

    ray_tune.TuneTrial = Waiting  # type: ignore[misc, assignment]
    clock = _Clock()
    jobs = [Job(config, *[TAKES_NO_PART] * 3, threads=1) for config in _configs(n)]
    expected = dict.fromkeys(("run", "dataset", "fingerprint", "owner"), TAKES_NO_PART)
    ray_tune.run_on_ray(KnownJobs(jobs, clock), Expected(**expected, versions={}))
    assert len(clock.ended) == n
    return clock.ended


def _configs(n: int) -> list[TrialConfig]:
    cells = tuple((label, camera) for label in LABELS for camera in CAMERAS)
    fields = {
        "dataset": TAKES_NO_PART, "model": "test_resnet", "weights": "none", "target": "camera", "train_view": "rgb",
        "test_view": "rgb", "test_fold": 0, "size": 32, "fit": "resize", "recipe": load_recipe("demo"),
        "setting": Setting(name="own", cells=cells, equal_counts=False),
    }  # fmt: skip
    return [TrialConfig.model_validate({**fields, "seed": seed}) for seed in range(n)]
