"""Candidates on Ray Tune: its searcher asks and its scheduler tells the `Tuning`, which does the thinking.

Not Ray's `OptunaSearch` and `ASHAScheduler`: the scheduler's rungs cannot be given back to it, so that a resumed
search would prune otherwise than one that was never interrupted; and with one `Tuning` the local executor
searches just so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from camerabias.sweeps.execution.ray_runner import (
    WORKER_DIED,
    Halt,
    TuneListener,
    Unsaved,
    fit,
    progress_in,
    slots,
)
from camerabias.sweeps.search.tuning import Tuning
from camerabias.trainables.worker.job import Job, Progress, job_fields
from camerabias.trainables.worker.node import Expected


def search_on_ray(tuning: Tuning, job: Job, expected: Expected) -> None:
    """Run candidates side by side on the Ray that this process is connected to, until there are enough."""
    listener = _GivenUp(tuning)
    fit(
        job.threads,
        listener,
        search_alg=_Asking(tuning, job, expected),
        scheduler=_Telling(tuning, listener.halt),
        num_samples=-1,  # the searcher says when there are enough
        max_concurrent_trials=slots(job.threads),  # asking ahead would know less
    )


class _Asking(Unsaved, Searcher):
    """Suggests what the tuning asks for."""

    def __init__(self, tuning: Tuning, job: Job, expected: Expected) -> None:
        super().__init__(metric="validation_loss", mode="min")
        self._tuning, self._job, self._expected = tuning, job, expected

    def suggest(self, trial_id: str) -> Any:  # a configuration, or the word that there are enough
        one = self._tuning.ask()
        if one is None:
            return Searcher.FINISHED
        job = replace(self._job, config=self._tuning.config(one.number))
        return {"job": job_fields(job), "number": one.number, "expected": self._expected.model_dump_json()}

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        pass  # the scheduler tells

    def save(self, checkpoint_path: str) -> None:
        pass  # never restored: records are what a search is resumed from

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError


class _Telling(Unsaved, FIFOScheduler):
    """Tells the tuning how candidates go, and stops those that it prunes."""

    def __init__(self, tuning: Tuning, halt: Halt) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._tuning, self._halt = tuning, halt

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        stop = False
        with self._halt.catching():
            stop = self._tuning.tell(trial.config["number"], progress_in(result))
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, controller: Any, trial: Any, result: dict[str, Any]) -> None:
        progress = progress_in(result)
        if progress.status != "running":  # running: it has been pruned, and told of
            with self._halt.catching():
                self._tuning.tell(trial.config["number"], progress)


class _GivenUp(TuneListener):
    """Tells the tuning of candidates whose workers kept dying; a scheduler would hear of every worker that dies."""

    def __init__(self, tuning: Tuning) -> None:
        super().__init__()
        self._tuning = tuning

    def given_up(self, config: dict[str, Any], last_error: str) -> None:
        trial = self._tuning.config(config["number"])
        self._tuning.tell(config["number"], Progress.of_failure(trial, WORKER_DIED))
