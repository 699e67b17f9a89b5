"""`camerabias report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from camerabias.sweeps.cli.app import answering, app, rows_of
from camerabias.sweeps.cli.options import DetailsOption, JsonOption, QuietOption

if TYPE_CHECKING:
    from camerabias.analysis.report.comparison import RunComparison
    from camerabias.analysis.report.report import Report
    from camerabias.analysis.verdict.decide import Verdict


@app.command(epilog="Examples: camerabias report runs/demo; camerabias report runs/before runs/after")
def report(
    run: Annotated[str, typer.Argument(help="The run's folder.")],
    after: Annotated[
        str | None,
        typer.Argument(help="Another run, such as after a repair: one page compares both verdicts."),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="Folder of the page that compares two runs.", show_default="AFTER/report"),
    ] = None,
    details: DetailsOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make tables, figures and the page again from a run's records, or compare two runs.

    Of a folder that `judge` has written, show the verdict, and where its page is.
    """
    from camerabias.datasets.io.storage import Folder
    from camerabias.datasets.schema import JUDGED_FILE

    if out is not None and after is None:
        raise typer.BadParameter("is where two runs are compared; give a second run", param_hint="--out")
    with answering(as_json, quiet) as give:
        if after is None and Folder(run).exists(JUDGED_FILE):
            verdict, page = _show_judged(run, details)
            give(lambda: {**verdict.model_dump(mode="json"), "report": page})
        elif after is None:
            made = show_report(run, details)
            give(lambda: report_document(made))
        else:
            compared = _show_comparison(run, after, out, details)
            give(lambda: _comparison_document(compared))


def show_report(run: str, details: bool = False) -> Report:
    """Make the report of a run, and print it."""
    import camerabias
    from camerabias.sweeps.printing.results import print_report

    made = camerabias.report(run)
    print_report(made, details)
    return made


def _show_judged(run: str, details: bool) -> tuple[Verdict, str]:
    """Print what `judge` has written, which only judging makes again: the table that it read is not kept."""
    import camerabias
    from camerabias.datasets.io.storage import Folder
    from camerabias.sweeps.monitoring.console import console
    from camerabias.sweeps.printing.results import print_judgement

    found, folder = camerabias.judge(run).document, Folder(run).child("report")
    page = folder.file("index.html") if folder.is_local else f"{folder}/index.html"
    print_judgement(found, [], details)
    console.print(f"Report: {page} (as `camerabias judge` wrote it; judge again for another)")
    return found, page


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


def _show_comparison(before: str, after: str, out: str | None, details: bool) -> RunComparison:
    import camerabias
    from camerabias.sweeps.printing.results import print_comparison

    compared = camerabias.compare(before, after, out)
    print_comparison(compared, details)
    return compared


def _comparison_document(compared: RunComparison) -> dict[str, Any]:
    """Both verdicts, as `verdict.json` has them, and what has changed."""
    runs = {"before": compared.before, "after": compared.after}
    return {
        **{when: {"run": run.name, **run.verdict.model_dump(mode="json")} for when, run in runs.items()},
        "same_photos": compared.same_photos,
        "sentences": compared.sentences,
        "numbers": rows_of(compared.numbers),
        "report": compared.page,
    }
