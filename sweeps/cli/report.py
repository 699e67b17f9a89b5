"""`camerabias report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from camerabias.sweeps.cli.app import answering, app, rows_of
from camerabias.sweeps.cli.options import DetailsOption, JsonOption, QuietOption

if TYPE_CHECKING:
    from camerabias.analysis.report.report import Report


@app.command(epilog="Example: camerabias report runs/demo")
def report(
    run: Annotated[str, typer.Argument(help="The run's folder.")],
    details: DetailsOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make tables, figures and the page again from a run's records."""
    with answering(as_json, quiet) as give:
        made = show_report(run, details)
        give(lambda: report_document(made))


def show_report(run: str, details: bool = False) -> Report:
    """Make the report of a run, and print it."""
    import camerabias
    from camerabias.sweeps.printing.results import print_report

    made = camerabias.report(run)
    print_report(made, details)
    return made


def report_document(made: Report) -> dict[str, Any]:
    """What a report has come to: the verdict of an audit, as `verdict.json` has it, and all tables and findings."""
    verdict = {"verdict": None} if made.verdict is None else made.verdict.model_dump(mode="json")
    return {
        **verdict,
        "report": made.index,
        "findings": made.findings,
        "claims": rows_of(made.claims),
        "tables": [{"caption": table.caption, "rows": rows_of(table.frame)} for table in made.tables],
        "not_drawn": made.not_drawn,
    }
