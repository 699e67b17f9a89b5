"""What a person sees of a sweep while it runs, and of datasets and tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from camerabias.trainables.records.record import Status
from camerabias.trainables.records.study import DIMENSIONS, VARIATIONS, StudyCell

if TYPE_CHECKING:
    from camerabias.trainables.worker.node import Node


console = Console(highlight=False, soft_wrap=True, markup=False)  # names may hold [brackets]
if not console.is_terminal:
    console.width = 140  # a file has no width of its own, and 80 columns would break tables


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for counted work; yields the function to tell (done, all)."""
    began = time.monotonic()
    total = 0
    with progress_bars() as bars:
        task = bars.add_task(what, total=None, detail="")

        def report(done: int, n: int) -> None:
            nonlocal total
            total = n
            bars.update(task, completed=done, total=n)

        yield report
        bars.update(task, visible=False)
    if total:
        console.print(f"{what}: {total} in {duration(time.monotonic() - began)}")


def progress_bars() -> Progress:
    """Bars for counted work; nothing where the output is no terminal."""
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
    console.print(make_table(frame, title, index_name))


def make_table(frame: pd.DataFrame, title: str, index_name: str | None = None) -> Table:
    """A frame as a table of the terminal, numbers to the right."""
    table = Table(title=Text(title), title_justify="left", title_style="bold")
    if index_name is not None:
        frame = frame.rename_axis(index_name).reset_index()
    for column in frame.columns:
        numeric = pd.api.types.is_numeric_dtype(frame[column])
        table.add_column(Text(str(column)), justify="right" if numeric else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(str(value)) for value in row))
    return table


def cells_frame(cells: Iterable[tuple[StudyCell, Mapping[Status, int]]]) -> pd.DataFrame:
    """Cells of a study, and how many of their trials are how far; without dimensions that it leaves alone."""
    listed = [(cell.dimensions, counts) for cell, counts in cells]
    varied = {
        name
        for name in DIMENSIONS
        if name not in VARIATIONS or any(cell[name] != VARIATIONS[name] for cell, _ in listed)
    }
    rows = []
    for cell, counts in listed:
        row: dict[str, object] = {_HEADS.get(name, name): cell[name] for name in DIMENSIONS if name in varied}
        rows.append(row | dict(counts))
    return pd.DataFrame(rows)


_HEADS = {"train_view": "train view", "test_view": "test view", "size": "pixels"}


def count_statuses(statuses: list[Status]) -> dict[Status, int]:
    """How many trials are in each status."""
    return {status: statuses.count(status) for status in get_args(Status)}


def print_nodes(nodes: Sequence[Node]) -> None:
    """Print the nodes of a cluster, as each of them says."""
    for node in nodes:
        gpus = ", ".join(node.gpus) or "no GPU"
        versions = ", ".join(f"{name} {version}" for name, version in node.versions.items())
        console.print(f"Node {node.host}: {node.cpus} CPUs, {node.memory_gib} GiB, {gpus}; {versions}")
