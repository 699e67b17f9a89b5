"""The command line. Commands read their arguments, call one function each, and print what came of it.

Heavy imports stand inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from camerabias.datasets.io.printable import printable
from camerabias.sweeps.monitoring.streams import tell

if TYPE_CHECKING:
    import pandas as pd

EXIT_ERROR, EXIT_FAIL_ON, EXIT_BUG = 1, 3, 70

COMMANDS = (
    "demo",
    "check",
    "judge",
    "audit",
    "calibrate",
    "report",
    "search",
    "submit",
    "doctor",
    "data",
    "sweep",
)
"""In the order of the help, what one needs first; commands that are not named here follow."""


_UsageError: Any = typer.BadParameter.__base__
"""Of the click that typer carries."""


@contextmanager
def _quoting() -> Iterator[None]:
    """Let what is said of wrong arguments, which a shell may have made of file names, be safe to print."""
    try:
        yield
    except _UsageError as error:
        error.message = printable(error.message)
        raise


class _Commands(TyperGroup):
    """Lists commands in the order of `COMMANDS`, whichever file adds them first."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Of click: parse what stands before a command."""
        with _quoting():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Of click: parse the command's arguments, and run it; typer exits with 130 at Ctrl-C, and says nothing."""
        try:
            with _quoting():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            tell("Interrupted. The same command again resumes.")
            raise

    def list_commands(self, ctx: Any) -> list[str]:  # a context of the click that typer carries
        ranks = {name: rank for rank, name in enumerate(COMMANDS)}
        return sorted(super().list_commands(ctx), key=lambda name: ranks.get(name, len(ranks)))


app = typer.Typer(
    cls=_Commands,
    name="camerabias",
    help="Does your image classifier recognise the class, or the camera that took the picture?",
    epilog="Start with: camerabias demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
data_app = typer.Typer(help="Make, build and look at datasets.", no_args_is_help=True)
sweep_app = typer.Typer(help="Plan, run and watch studies: models × settings × seeds.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(sweep_app, name="sweep")


@contextmanager
def answering(as_json: bool, quiet: bool) -> Iterator[Callable[[Callable[[], dict[str, Any]]], None]]:
    """Let a command print what was asked for; errors go to standard error either way.

    Args:
        as_json: Whether a program reads: what is meant for people is not printed.
        quiet: Whether nobody does.

    Yields:
        What takes the answer for programs, as a function that makes it, and prints it where a program reads.
    """
    from camerabias.sweeps.monitoring.console import console

    if as_json and quiet:
        raise typer.BadParameter("is the opposite of --json; give one of them", param_hint="--quiet")

    def give(make: Callable[[], dict[str, Any]]) -> None:
        if as_json:
            typer.echo(json.dumps(make(), indent=2, allow_nan=False))

    before, console.quiet = console.quiet, as_json or quiet
    try:
        yield give
    finally:
        console.quiet = before


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A frame's rows for programs; None where a value is missing."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows
