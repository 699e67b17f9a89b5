"""`camerabias report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from camerabias.sweeps.cli.app import app
from camerabias.sweeps.cli.options import DetailsOption

if TYPE_CHECKING:
    from camerabias.analysis.report.report import Report


@app.command(epilog="Example: camerabias report runs/demo")
def report(
    run: Annotated[str, typer.Argument(help="The run's folder.")], details: DetailsOption = False
) -> None:
    """Make tables, figures and the page again from a run's records."""
    show_report(run, details)


def show_report(run: str, details: bool = False) -> Report:
    """Make the report of a run, and print it."""
    import camerabias
    from camerabias.sweeps.printing.results import print_report

    made = camerabias.report(run)
    print_report(made, details)
    return made
