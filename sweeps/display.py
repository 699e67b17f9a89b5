"""What a person sees of a sweep while it runs, and of datasets and tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from camerabias.datasets.decode import NO_EXIF_CAMERA
from camerabias.trainables.record import Run, Status

if TYPE_CHECKING:
    from camerabias.analysis.design import Design
    from camerabias.analysis.report import Report
    from camerabias.analysis.search import SearchReport
    from camerabias.analysis.shortcuts import Guess
    from camerabias.analysis.verdict import Verdict
    from camerabias.datasets.dataset import Dataset
    from camerabias.sweeps.estimate import Estimate
    from camerabias.sweeps.plan import Plan
    from camerabias.sweeps.status import RunningTrial, RunStatus
    from camerabias.sweeps.sweep import Outcome
    from camerabias.trainables.config import TrialConfig
    from camerabias.trainables.job import Progress as TrialProgress
    from camerabias.trainables.node import Node
    from camerabias.trainables.search import Try

console = Console(highlight=False, soft_wrap=True, markup=False)  # names may hold [brackets]
if not console.is_terminal:
    console.width = 140  # a file has no width of its own, and 80 columns would break tables

WATCH_SECONDS = 5.0
"""Time between two looks at a run, at least."""


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for counted work; yields the function to tell (done, all)."""
    began = time.monotonic()
    total = 0
    with _bars() as bars:
        task = bars.add_task(what, total=None, detail="")

        def report(done: int, n: int) -> None:
            nonlocal total
            total = n
            bars.update(task, completed=done, total=n)

        yield report
        bars.update(task, visible=False)
    if total:
        console.print(f"{what}: {total} in {duration(time.monotonic() - began)}")


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
        self._bars = _bars()
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
        if progress.status == "done" and progress.accuracy is not None:
            self._best = max(self._best or (0.0, ""), (progress.accuracy, trial.name))

    def _show_running(self, trial: TrialConfig, progress: TrialProgress) -> None:
        if trial.id not in self._running:
            task = self._bars.add_task(f"  {trial.name}", total=progress.max_steps, detail="")
            self._running[trial.id] = task
        loss = "" if progress.loss is None else f"loss {progress.loss:.3f}"
        accuracy = "" if progress.accuracy is None else f"validation {progress.accuracy:.3f}"
        speed = "" if progress.images_per_second is None else f"{progress.images_per_second:.0f} images/s"
        detail = "  ".join(text for text in (loss, accuracy, speed) if text)
        self._bars.update(self._running[trial.id], completed=progress.step, detail=detail)

    def _detail(self) -> str:
        left = self._n_all - self._n_before - len(self._ended)
        pace = (time.monotonic() - self._began) / len(self._ended)
        best = f"best {self._best[0]:.3f} ({self._best[1]})" if self._best else ""
        return f"about {duration(left * pace)} left  {best}" if left else ""


class SearchDisplay:
    """A live bar on a terminal, and a line for every try that ends, wherever the output goes.

    Args:
        n_all: Tries of the search.
        n_done: Tries that had ended before.
    """

    def __init__(self, n_all: int, n_done: int) -> None:
        self._n_all, self._n = n_all, n_done
        self._bars = _bars()
        self._total = self._bars.add_task("search", total=n_all, completed=n_done, detail="")

    def __enter__(self) -> SearchDisplay:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def ended(self, one: Try, best: Try | None) -> None:
        """A try has ended; `best` is the best so far."""
        self._n += 1
        self._bars.update(self._total, completed=self._n)
        so_far = "" if best is None else f"; best {best.loss:.4f} (try {best.number})"
        self._print(
            f"[{self._n}/{self._n_all}] try {one.number}, {one.described}: {_try_outcome(one)} "
            f"({duration(one.seconds)}){so_far}"
        )

    def confirmed(self, which: str, seed: int, progress: TrialProgress) -> None:
        """A recipe has been trained on another seed."""
        done = progress.status == "done"
        self._print(
            f"{which} recipe, seed {seed}: "
            + (f"validation loss {progress.loss:.4f}" if done else f"FAILED, {progress.reason}")
        )

    def _print(self, text: str) -> None:
        self._bars.console.print(text, markup=False)


def _try_outcome(one: Try) -> str:
    if one.state == "failed":
        return f"FAILED, {one.reason}"
    if one.state == "pruned":
        return f"pruned at step {one.steps}"
    return f"validation loss {one.loss:.4f}, accuracy {one.accuracy:.3f}"


def _outcome(progress: TrialProgress) -> str:
    if progress.status == "failed":
        return f"FAILED, {progress.reason}"
    return f"test accuracy {progress.accuracy:.3f} after {progress.step} steps"


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def duration(seconds: float) -> str:
    """Seconds as people say them: `48 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def print_frame(frame: pd.DataFrame, title: str, index_name: str | None = None) -> None:
    """Print a data frame as a table; the index becomes the first column when `index_name` is given."""
    console.print(_table(frame, title, index_name))


def _table(frame: pd.DataFrame, title: str, index_name: str | None = None) -> Table:
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    if index_name is not None:
        frame = frame.rename_axis(index_name).reset_index()
    for column in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[column])
        table.add_column(Text(str(column)), justify="right" if numeric else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(str(value)) for value in row))
    return table


def _cells(rows: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    """Cells of a study, without the column of mitigations where there are none."""
    if all(row["mitigation"] == "none" for row in rows):
        rows = [{name: value for name, value in row.items() if name != "mitigation"} for row in rows]
    return pd.DataFrame(rows)


def print_made(dataset: Dataset) -> None:
    """Say what an import or a simulation has made."""
    _print_contents(dataset)
    if crossing := dataset.crossing_groups:
        console.print(
            f"Warning: {crossing} groups lie on more than one side of your split; test accuracy may be too high."
        )


def _print_contents(dataset: Dataset) -> None:
    manifest = dataset.manifest
    console.print(
        f"{dataset.folder}: {manifest.n_images} images, {len(manifest.labels)} labels, "
        f"{len(manifest.cameras)} cameras"
    )
    if manifest.n_rejected:
        console.print(f"{manifest.n_rejected} photos were rejected: {dataset.folder.file('rejected.csv')}")
    for label in dataset.untested_labels:
        console.print(
            f"Warning: your split tests no photo of {label!r}; what is learned of it cannot be seen."
        )
    _warn_of_no_exif(int((dataset.index["camera"] == NO_EXIF_CAMERA).sum()), manifest.n_images)


def _warn_of_no_exif(n: int, n_images: int) -> None:
    if n:
        console.print(
            f"Warning: {n} of {n_images} photos say nothing of their camera; they count as the camera "
            f"'{NO_EXIF_CAMERA}', which may be several."
        )


def print_overview(dataset: Dataset, design: Design) -> None:
    """Print what `data show` prints: the design, and of a user's split the photos on each side."""
    _print_contents(dataset)
    formats = ", ".join(f"{name} {n}" for name, n in dataset.index["format"].value_counts().items())
    console.print(
        f"Formats: {formats}. Views are built at {dataset.manifest.size} px ({dataset.manifest.fit})."
    )
    for split, rows in dataset.index.groupby("split"):
        print_frame(pd.crosstab(rows["label"], rows["camera"]), f"Photos, {split}", "label")
    print_design(design)


def print_design(design: Design) -> None:
    """Print what the photos can tell before any training: their cells, cameras and leaks, and the sentences."""
    grouped = design.n_groups < design.n_photos
    cells = design.photos.astype(str)
    if grouped:
        cells += " (" + design.groups.astype(str) + ")"
    print_frame(cells, "Photos (groups)" if grouped else "Photos", "label")
    cameras = pd.DataFrame(
        {
            "implies": pd.Series(design.implied).reindex(design.photos.columns).fillna("nothing"),
            **{
                f"scaled by, {name}": [f"{getattr(resize, name):.2f}" for resize in design.resizes]
                for name in ("low", "median", "high")
            },
        }
    )
    print_frame(cameras, "Cameras", "camera")
    print_frame(_guesses(design.guesses), "Guessed without a pixel, out of fold")
    console.print("What the photos can tell before any training:", style="bold")
    for sentence in design.sentences:
        console.print(f"• {sentence}")


def _guesses(guesses: Sequence[Guess]) -> pd.DataFrame:
    from camerabias.analysis.tables import show_estimate  # late: it costs every command a second

    rows = [
        {
            "guessed": guess.target,
            "from": guess.clue,
            "values": guess.values,
            "right": show_estimate(guess.accuracy),
            "commonest": f"{guess.chance:.3f}",
            "p (Holm)": "one value" if guess.values == 1 else _number(guess.p_holm, ".3f"),
        }
        for guess in guesses
    ]
    return pd.DataFrame(rows)


def print_skipped(plan: Plan) -> None:
    """Name the settings that the dataset cannot serve."""
    for planned in plan.studies:
        for skipped in planned.skipped:
            console.print(f"Left out: {skipped.target}, {skipped.setting}. {skipped.reason}")


def print_plan(plan: Plan, time_needed: Estimate, price: float | None = None) -> None:
    """Print the trials of a sweep, a row per table cell, the cells of its settings, and the estimate.

    Args:
        plan: The trials.
        time_needed: How long those to run will take.
        price: Dollars per hour of one core or GPU; None leaves the cost out.
    """
    for planned in plan.studies:
        rows = [
            {
                "target": cell.target,
                "setting": cell.setting.name,
                "train view": str(cell.train_view),
                "test view": str(cell.test_view),
                "model": cell.model,
                "mitigation": cell.mitigation,
                "pixels": cell.size,
                **_count_statuses([plan.status(config.id) for config in cell.trials.values()]),
            }
            for cell in planned.cells
        ]
        print_frame(_cells(rows), f"{planned.study.name}: {planned.study.title}")
        n_cells = len(plan.dataset.manifest.labels) * len(plan.dataset.manifest.cameras)
        for setting in dict.fromkeys(cell.setting for cell in planned.cells):
            if setting.weights is not None or len(setting.cells or ()) not in (0, n_cells):
                console.print(f"{setting.name} trains on {setting.describe_cells()}")
    sources = {config.source_size for config in plan.trials.values()} - {None}
    for source in sources:
        console.print(
            f"Crops are cut from the {source} × {source} original pixels around the centre of every photo"
        )
    print_skipped(plan)
    n_left = len(plan.to_run(retry_failed=False))
    console.print(f"{len(plan.trials)} trials, {len(plan.trials) - n_left} of them ended, {n_left} to run")
    if n_left:
        console.print(
            f"About {duration(time_needed.seconds)} of training steps on one {time_needed.device} if no trial "
            f"converges early, divided by as many as run side by side (from {time_needed.origin}); start-up, "
            "validation and probes come on top"
        )
        if price is not None:
            dollars = time_needed.dollars(price)
            console.print(
                f"About ${dollars:,.2f} at ${price:,.2f} per {time_needed.device} and hour, however many run at once"
            )


def print_status(run: Run) -> None:
    """Print, from the records alone, how far a run is: its studies, its searches, and the trials that run."""
    from camerabias.sweeps.status import read_status  # late: optuna costs every command half a second

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
    from camerabias.sweeps.status import read_status  # late, as above

    while True:
        began = time.monotonic()
        status = read_status(run)
        yield status
        if status.is_over:
            return
        time.sleep(max(WATCH_SECONDS, 10 * (time.monotonic() - began)))


def _status_parts(status: RunStatus) -> list[RenderableType]:
    """What there is to show; the last is what one wants to know first."""
    parts: list[RenderableType] = [
        _table(
            _cells([dict[str, Any](cell.described) | dict(cell.counts) for cell in study.cells]),
            f"{study.name}: {study.title}",
        )
        for study in status.studies
    ]
    for search in status.searches:
        counts = ", ".join(f"{n} {state}" for state, n in search.states.items())
        parts.append(
            f"Search {search.name}: {sum(search.states.values())} of {search.asked} tries ({counts})"
        )
    if status.ended:
        lines = [
            f"{one.name}: test accuracy {one.done.test_accuracy:.3f} ({duration(one.seconds_ago)} ago)"
            for one in status.ended
        ]
        parts.append(_listed("Done last", lines, more=0))
    if status.failed:
        lines = [f"{name}: {_first_line(reason)}" for name, reason in status.failed]
        parts.append(_listed(f"{status.count('failed')} failed", lines, status.count("failed") - len(lines)))
    if status.running:
        title = "Running"
        if status.n_running > len(status.running):
            title += f" ({len(status.running)} of {status.n_running})"
        parts.append(_table(pd.DataFrame([_running_row(trial) for trial in status.running]), title))
    if status.studies:
        left = "" if status.seconds_left is None else f", about {duration(status.seconds_left)} left"
        n_ended = status.count("done", "failed")
        parts.append(
            f"{n_ended} of {len(status.statuses)} trials have ended{left if n_ended else ''}{_driver(status)}"
        )
    return parts


def _driver(status: RunStatus) -> str:
    if status.is_over:
        return ""
    if status.driver is None or status.driver.ended():
        return "; nobody is at work on them: `camerabias sweep run` goes on"
    return f"; driven by {status.driver.driver}"


def _listed(title: str, lines: Sequence[str], more: int) -> Text:
    return Text(
        "\n".join([title, *(f"  {line}" for line in lines), *([f"  and {more} more"] if more else [])])
    )


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _running_row(trial: RunningTrial) -> dict[str, str]:
    progress, silent = trial.progress, duration(trial.silent_seconds)
    return {
        "trial": trial.name,
        "step": f"{progress.step}/{progress.max_steps}",
        "loss": _number(progress.loss, ".3f"),
        "validation": _number(progress.accuracy, ".3f"),
        "images/s": _number(progress.images_per_second, ".0f"),
        "host": progress.host,
        "as of": f"{silent} ago: its worker may be gone" if trial.is_stale else f"{silent} ago",
    }


def _number(value: float | None, how: str) -> str:
    return "" if value is None else format(value, how)


def _count_statuses(statuses: list[Status]) -> dict[str, int]:
    return {status: statuses.count(status) for status in get_args(Status)}


def print_nodes(nodes: Sequence[Node]) -> None:
    """Print the nodes of a cluster, as each of them says."""
    for node in nodes:
        gpus = ", ".join(node.gpus) or "no GPU"
        versions = ", ".join(f"{name} {version}" for name, version in node.versions.items())
        console.print(f"Node {node.host}: {node.cpus} CPUs, {node.memory_gib} GiB, {gpus}; {versions}")


def print_outcome(outcome: Outcome) -> None:
    """Say how a sweep ended."""
    probes = f", {_count(outcome.probe_failures, 'probe')} failed" if outcome.probe_failures else ""
    if outcome.n_left:
        console.print(
            f"Interrupted: {outcome.n_left} of {outcome.n_trials} trials are left; the same command goes on"
        )
        return
    console.print(
        f"{outcome.n_trials} trials, {outcome.n_ran} of them run now, {len(outcome.failures)} failed{probes}"
    )
    for name, reason in outcome.failures + outcome.probe_failures:
        console.print(f"  {name}: {reason}")
    if outcome.failures or outcome.probe_failures:
        console.print("Run what failed again with `camerabias sweep run ... --retry-failed`.")
    if outcome.without_weights:
        folders = " ".join(f"trials/{config.id}" for config in outcome.without_weights)
        console.print(
            f"{_count(outcome.without_weights, 'trial')} without the probes asked for, and without the weights to "
            f"make them. To have them trained again, delete these folders in the run: {folders}"
        )


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"


def print_search(report: SearchReport, recipe_file: str) -> None:
    """Print what a search has found, and where its recipe lies."""
    for sentence in report.sentences:
        console.print(sentence)
    if not report.confirmed.empty:
        print_frame(report.confirmed, "Validation loss on other seeds", "recipe")
    for name, reason in report.not_drawn.items():
        console.print(f"{name} is not drawn: {reason}")
    if report.worse:
        console.print(
            f"Recipe: {recipe_file} (worse than the one it started from on other seeds: do not use it)"
        )
    else:
        console.print(
            f"Recipe: {recipe_file} (use it with `camerabias sweep run ... --recipe {recipe_file}`)"
        )


def print_report(report: Report) -> None:
    """Print a report's tables, findings and claims, and where it lies."""
    for table in report.tables:
        print_frame(table.frame, table.caption)
    for sentence in report.findings:
        console.print(f"• {sentence}")
    if len(report.claims):
        shown = {"number": "", "says": "claim", "outcome": "this run", "paper_outcome": "the paper's numbers"}
        print_frame(report.claims[[*shown]].rename(columns=shown), "Claims of the paper")
    for name, reason in report.not_drawn.items():
        console.print(f"{name} is not drawn: {reason}")
    if report.verdict is not None:
        _print_verdict(report.verdict)
    console.print(f"Report: {report.index}")


def _print_verdict(verdict: Verdict) -> None:
    console.print(f"\nVerdict: {verdict.verdict}", style="bold")
    for sentence in verdict.reasons:
        console.print(f"• {sentence}")
    console.print("Next:")
    for sentence in verdict.next_steps:
        console.print(f"• {sentence}")
