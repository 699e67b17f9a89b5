"""What a person sees of a sweep while it runs, and of datasets and tables."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column, Table
from rich.text import Text

from camerabias.analysis.statistics.number_format import unbroken
from camerabias.datasets.io.printable import printable
from camerabias.trainables.records.record import Status
from camerabias.trainables.records.study import DIMENSIONS, VARIATIONS, StudyCell

if TYPE_CHECKING:
    from camerabias.trainables.worker.node import Node


class _Console(Console):
    """Prints strings as they are: no markup, no emoji, and nothing that a terminal obeys."""

    def render_str(self, text: str, **how: Any) -> Text:
        """What rich calls for every string that is printed, in tables too."""
        return super().render_str(self.shown(text), **how)

    def shown(self, text: str) -> str:
        """`text` as it comes out: what the encoding lacks is replaced before widths are counted."""
        errors = getattr(self.file, "errors", None) or "strict"
        return printable(text).encode(self.encoding, errors).decode(self.encoding)


console = _Console(highlight=False, soft_wrap=True, markup=False, emoji=False)  # names may hold [brackets]
if not console.is_terminal:
    console.width = 140  # a file has no width of its own, and 80 columns would break tables


def print_sentence(sentence: str, mark: str = "") -> None:
    """Print a sentence behind a mark; on a terminal its lines end between words, and not within `p < 0.001`."""
    if not console.is_terminal:
        console.print(f"{mark}{sentence}")  # who reads a file wraps it, or looks for a sentence with grep
        return
    for line in lines_of(sentence, mark, console.width):
        console.print(line)


def lines_of(sentence: str, mark: str, width: int) -> list[str]:
    """A sentence behind a mark as lines of so many columns, those after the first below its first word."""
    # a command stands on one line, to be copied
    whole = re.sub(r"`[^`]+`", lambda code: code[0].replace(" ", "\N{NO-BREAK SPACE}"), f"{mark}{sentence}")
    shown = unbroken(console.shown(whole))
    lines = wrap(
        shown, width, subsequent_indent=" " * len(mark), break_long_words=False, break_on_hyphens=False
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


OFTEN = 30.0
"""Seconds between lines on counted work where the output is no terminal, and so has no bar."""


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for counted work, or a line now and then; yields the function to tell (done, all)."""
    began = said = time.monotonic()
    total = 0
    with progress_bars() as bars:
        task = bars.add_task(what, total=None, detail="")

        def report(done: int, n: int) -> None:
            nonlocal total, said
            total, now = n, time.monotonic()
            left = f"about {duration((now - began) * (n - done) / done)} remaining" if 0 < done < n else ""
            bars.update(task, completed=done, total=n, detail=left)
            if left and bars.disable and now - said > OFTEN:
                said = now
                console.print(f"{what}: {done} of {n}, {left}")

        yield report
        bars.update(task, visible=False)
    if total:
        console.print(f"{what}: {total} in {duration(time.monotonic() - began)}")


class _Words(TextColumn):
    """Text of a task, as strings are printed."""

    def render(self, task: Task) -> Text:
        """Of rich."""
        return console.render_str(self.text_format.format(task=task))


NARROW = 80
"""Columns of a terminal below which a bar would leave no room for the numbers beside it."""


def progress_bars() -> Progress:
    """Bars for counted work; nothing where the output is no terminal."""
    count, what = MofNCompleteColumn(table_column=Column(no_wrap=True)), _Words("{task.description}")
    wide: list[ProgressColumn] = [
        what,
        BarColumn(bar_width=24),
        count,
        TimeElapsedColumn(),
        _Words("{task.fields[detail]}"),
    ]
    return Progress(
        *([count, what] if console.width < NARROW else wide),
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


def make_table(frame: pd.DataFrame, title: str, index_name: str | None = None) -> RenderableType:
    """A frame as a table of the terminal, numbers to the right; a value a line where the terminal is too narrow."""
    if index_name is not None:
        frame = frame.rename_axis(index_name).reset_index()
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    columns = [[console.shown(str(text)) for text in (name, *values)] for name, values in frame.items()]
    widths = _widths(columns)
    if widths is None:
        return _listed(columns, title)
    table = Table(title=title, title_justify="left", title_style="bold", width=sum(widths) + _lines(columns))
    for column, width, right in zip(columns, widths, numeric, strict=True):
        table.add_column(column[0], justify="right" if right else "left", width=width, overflow="fold")
    for row in zip(*(column[1:] for column in columns), strict=True):
        table.add_row(*row)
    return table


def _widths(columns: Sequence[Sequence[str]]) -> list[int] | None:
    """Widths at which no word is cut: the widest columns give way first; None where there is no room for that."""
    least = [max(cell_len(word) for text in column for word in text.split() or [""]) for column in columns]
    widths = [max(map(cell_len, column)) for column in columns]
    room = console.width - _lines(columns)
    if sum(least) > room:
        return None if console.is_terminal else least  # lines of a file are as long as need be
    while sum(widths) > room:
        givers = [i for i, width in enumerate(widths) if width > least[i]]
        widths[max(givers, key=widths.__getitem__)] -= 1
    return widths


def _lines(columns: Sequence[object]) -> int:
    """Width of all that stands around columns: of each its blanks and a line, and one more line."""
    return 3 * len(columns) + 1


def _listed(columns: Sequence[Sequence[str]], title: str) -> RenderableType:
    """Rows below each other, a value a line."""
    heads, *rows = zip(*columns, strict=True)
    lines = []
    for row in rows:
        first, *others = (f"{head}: {text}" for head, text in zip(heads, row, strict=True))
        lines += ["", first, *(f"  {line}" for line in others)]
    return Group(Text(console.shown(title), style="bold"), *lines)


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
