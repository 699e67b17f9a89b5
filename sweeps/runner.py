"""Running trials: on Ray Tune, spread over cores and machines, or one after the other in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from camerabias.datasets.schema import Executor

if TYPE_CHECKING:
    from camerabias.trainables.config import TrialConfig
    from camerabias.trainables.job import Progress


class Watcher(Protocol):
    """Is told what trials do."""

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""


@dataclass(frozen=True)
class Places:
    """Where trials read and write, and what for; see `trainables.job.Job`."""

    dataset: str
    run: str
    weights: str
    threads: int
    purpose: Literal["test", "search"] = "test"


def run_trials(trials: Sequence[TrialConfig], places: Places, executor: Executor, watcher: Watcher) -> None:
    """Run trials; each leaves its record, a failed one its failure, and the others go on.

    Args:
        trials: What to run.
        places: Where they read and write.
        executor: Ray Tune, on the Ray that this process is connected to, or this process.
        watcher: Told of progress.
    """
    if not trials:
        return
    if executor == "local":
        _run_here(trials, places, watcher)
    else:
        from camerabias.sweeps.ray_runner import run_on_ray  # late: Ray need not be installed

        run_on_ray(trials, places, watcher)


def _run_here(trials: Sequence[TrialConfig], places: Places, watcher: Watcher) -> None:
    from camerabias.trainables.job import Job
    from camerabias.trainables.trial import Trial  # late: torch is not needed to plan

    for config in trials:
        trial = Trial(Job(config=config, **asdict(places)))
        status = "running"
        while status == "running":
            progress = trial.advance(seconds=1.0)
            watcher.progress(config, progress)
            status = progress.status
