"""What a person sees of a sweep or a search while it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import TaskID

from camerabias.analysis.statistics.number_format import show_number, show_share
from camerabias.sweeps.monitoring.console import duration, progress_bars

if TYPE_CHECKING:
    from camerabias.trainables.records.search import Candidate
    from camerabias.trainables.spec.trial import TrialConfig
    from camerabias.trainables.worker.job import Progress as TrialProgress


class SweepDisplay:
    """Live bars on a terminal, and a line for every trial that ends, wherever the output goes.

    Args:
        n_all: Trials of the sweep.
        n_done: Trials that had ended before.
    """

    def __init__(self, n_all: int, n_done: int) -> None:
        self._n_all, self._n_before = n_all, n_done
        self._ended: dict[str, TrialProgress] = {}
        self._running: dict[str, TaskID] = {}
        self._began = time.monotonic()
        self._best: tuple[float, str] | None = None
        self._bars = progress_bars()
        self._total = self._bars.add_task("sweep", total=n_all, completed=n_done, detail="")

    def __enter__(self) -> SweepDisplay:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def progress(self, trial: TrialConfig, progress: TrialProgress) -> None:
        """Show what a trial has reported."""
        if trial.id in self._ended:
            return
        if progress.status == "running":
            self._show_running(trial, progress)
            return
        self._ended[trial.id] = progress
        task = self._running.pop(trial.id, None)
        if task is not None:
            self._bars.remove_task(task)
        n = self._n_before + len(self._ended)
        self._bars.update(self._total, completed=n, detail=self._detail())
        took = duration(progress.seconds)
        self._bars.console.print(
            f"[{n}/{self._n_all}] {trial.name}: {_outcome(progress)} ({took})", markup=False
        )
        if progress.status == "done" and progress.test_accuracy is not None:
            self._best = max(self._best or (0.0, ""), (progress.test_accuracy, trial.name))

    def _show_running(self, trial: TrialConfig, progress: TrialProgress) -> None:
        if trial.id not in self._running:
            task = self._bars.add_task(f"  {trial.name}", total=progress.max_steps, detail="")
            self._running[trial.id] = task
        loss = (
            ""
            if progress.validation_loss is None
            else f"validation loss {show_number(progress.validation_loss)}"
        )
        accuracy = (
            ""
            if progress.validation_accuracy is None
            else f"validation accuracy {show_share(progress.validation_accuracy)}"
        )
        speed = "" if progress.images_per_second is None else f"{progress.images_per_second:.0f} images/s"
        detail = "  ".join(text for text in (loss, accuracy, speed) if text)
        self._bars.update(self._running[trial.id], completed=progress.step, detail=detail)

    def _detail(self) -> str:
        left = self._n_all - self._n_before - len(self._ended)
        pace = (time.monotonic() - self._began) / len(self._ended)
        best = f"best {show_share(self._best[0])} ({self._best[1]})" if self._best else ""
        return f"about {duration(left * pace)} remaining  {best}" if left else ""


class SearchDisplay:
    """A live bar on a terminal, and a line for every candidate that ends, wherever the output goes.

    Args:
        n_all: Candidates of the search.
        n_done: Candidates that had ended before.
    """

    def __init__(self, n_all: int, n_done: int) -> None:
        self._n_all, self._n = n_all, n_done
        self._bars = progress_bars()
        self._total = self._bars.add_task("search", total=n_all, completed=n_done, detail="")

    def __enter__(self) -> SearchDisplay:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def ended(self, one: Candidate, best: Candidate | None) -> None:
        """A candidate has ended; `best` is the best so far."""
        self._n += 1
        self._bars.update(self._total, completed=self._n)
        so_far = "" if best is None else f"; best {show_number(best.loss)} (candidate {best.number})"
        self._print(
            f"[{self._n}/{self._n_all}] candidate {one.number}, {one.described}: {_candidate_outcome(one)} "
            f"({duration(one.seconds)}){so_far}"
        )

    def confirmed(self, recipe: str, seed: int, progress: TrialProgress) -> None:
        """A recipe has been trained on another seed."""
        done = progress.status == "done"
        self._print(
            f"{recipe} recipe, seed {seed}: "
            + (
                f"validation loss {show_number(progress.validation_loss)}"
                if done
                else f"FAILED, {progress.reason}"
            )
        )

    def _print(self, text: str) -> None:
        self._bars.console.print(text, markup=False)


def _candidate_outcome(one: Candidate) -> str:
    if one.state == "failed":
        return f"FAILED, {one.reason}"
    if one.state == "pruned":
        return f"pruned at step {one.steps}"
    return f"validation loss {show_number(one.loss)}, accuracy {show_share(one.accuracy)}"


def _outcome(progress: TrialProgress) -> str:
    if progress.status == "failed":
        return f"FAILED, {progress.reason}"
    steps = f" after {progress.step} steps" if progress.max_steps > 1 else ""
    return f"test accuracy {show_share(progress.test_accuracy)}{steps}"
