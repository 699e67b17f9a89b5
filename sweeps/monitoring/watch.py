"""How far a run is, as its records say, once or again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Group, RenderableType
from rich.live import Live

from camerabias.analysis.statistics.number_format import show_number, show_share
from camerabias.sweeps.monitoring.console import cells_frame, console, duration, make_table
from camerabias.trainables.records.run import Run

if TYPE_CHECKING:
    from camerabias.sweeps.monitoring.status import RunningTrial, RunStatus


WATCH_SECONDS = 5.0
"""Time between two looks at a run, at least."""


def print_status(run: Run) -> None:
    """Print, from the records alone, how far a run is: its studies, its searches, and the trials that run."""
    from camerabias.sweeps.monitoring.status import (
        read_status,  # late: optuna costs every command half a second
    )

    console.print(*_status_parts(read_status(run)), sep="\n")


def watch_status(run: Run) -> None:
    """Show how far a run is until all that was asked for has ended, or somebody interrupts.

    A terminal is refreshed; anything else gets a new block whenever a trial begins or ends.
    """
    with suppress(KeyboardInterrupt):
        if console.is_terminal:
            _watch_live(run)
        else:
            _watch_blocks(run)


def _watch_live(run: Run) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for status in _statuses(run):
            # what moves stands first, since a terminal cuts off what is too long for it
            live.update(Group(*reversed(_status_parts(status))), refresh=True)


def _watch_blocks(run: Run) -> None:
    before = None
    for status in _statuses(run):
        if status.milestones != before:
            console.print(f"--- {datetime.now():%Y-%m-%d %H:%M:%S}", *_status_parts(status), sep="\n")
        before = status.milestones


def _statuses(run: Run) -> Iterator[RunStatus]:
    """The status now and again, until the run is over; looking takes a tenth of the time at most."""
    from camerabias.sweeps.monitoring.status import read_status  # late, as above

    while True:
        began = time.monotonic()
        status = read_status(run)
        yield status
        if status.is_over:
            return
        time.sleep(max(WATCH_SECONDS, 10 * (time.monotonic() - began)))


def _status_parts(status: RunStatus) -> list[RenderableType]:
    """What there is to show; the last is what one wants to know first."""
    studies = [
        make_table(cells_frame((one.cell, one.counts) for one in study.cells), f"{study.name}: {study.title}")
        for study in status.studies
    ]
    searches = [
        f"Search {search.name}: {sum(search.states.values())} of {search.asked} candidates "
        f"({', '.join(f'{n} {state}' for state, n in search.states.items())})"
        for search in status.searches
    ]
    return [*studies, *searches, *_trials(status), *([_progress(status)] if status.studies else [])]


def _trials(status: RunStatus) -> Iterator[RenderableType]:
    """The last that are done, that failed, and that run."""
    if status.ended:
        lines = [
            f"{one.name}: test accuracy {show_share(one.done.test_accuracy)} ({duration(one.seconds_ago)} ago)"
            for one in status.ended
        ]
        yield _listed("Done last", lines, more=0)
    if status.failed:
        lines = [f"{name}: {_first_line(reason)}" for name, reason in status.failed]
        yield _listed(f"{status.count('failed')} failed", lines, status.count("failed") - len(lines))
    if status.running:
        title = "Running"
        if status.n_running > len(status.running):
            title += f" ({len(status.running)} of {status.n_running})"
        yield make_table(pd.DataFrame([_running_row(trial) for trial in status.running]), title)


def _progress(status: RunStatus) -> str:
    n_ended = status.count("done", "failed")
    remaining = ""
    if n_ended and status.seconds_left is not None:
        remaining = f", about {duration(status.seconds_left)} remaining"
    return f"{n_ended} of {len(status.statuses)} trials have ended{remaining}{_driver(status)}"


def _driver(status: RunStatus) -> str:
    if status.is_over:
        return ""
    if status.driver is None or status.driver.ended():
        return "; no driver is running: the command that began it resumes it"
    return f"; driven by {status.driver.driver}"


def _listed(title: str, lines: Sequence[str], more: int) -> Group:
    return Group(title, *(f"  {line}" for line in lines), *([f"  and {more} more"] if more else []))


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _running_row(trial: RunningTrial) -> dict[str, str]:
    progress, silent = trial.progress, duration(trial.silent_seconds)
    return {
        "trial": trial.name,
        "step": f"{progress.step}/{progress.max_steps}",
        "loss": show_number(progress.validation_loss),
        "validation": show_share(progress.validation_accuracy),
        "images/s": show_number(progress.images_per_second),
        "host": progress.host,
        "as of": f"{silent} ago: its worker may be gone" if trial.is_stale else f"{silent} ago",
    }
