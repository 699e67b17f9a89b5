"""What is printed of sweeps, searches and reports that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from camerabias.sweeps.monitoring.console import console, print_frame

if TYPE_CHECKING:
    from camerabias.analysis.report.report import Report
    from camerabias.analysis.report.search import SearchReport
    from camerabias.analysis.verdict.decide import Verdict
    from camerabias.sweeps.execution.outcome import SweepOutcome


def print_outcome(outcome: SweepOutcome) -> None:
    """Say how a sweep ended."""
    probes = f", {_count(outcome.probe_failures, 'probe')} failed" if outcome.probe_failures else ""
    if outcome.n_left:
        console.print(
            f"Interrupted: {outcome.n_left} of {outcome.n_trials} trials remain; run the same command to resume"
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


def print_report(report: Report, details: bool) -> None:
    """Print what a report has come to, and where it lies.

    Args:
        report: The report.
        details: Whether to print what is behind a verdict, too; a report without one is tables, findings and claims.
    """
    if details or report.verdict is None:
        _print_behind(report)
    if report.verdict is not None:
        console.print()
        print_verdict(report.verdict)
    more = "" if details or report.verdict is None else " (--details prints the tables behind it)"
    console.print(f"Report: {report.index}{more}")


def _print_behind(report: Report) -> None:
    for table in report.tables:
        print_frame(table.frame, table.caption)
    for sentence in report.findings:
        console.print(f"• {sentence}")
    if len(report.claims):
        shown = {"number": "", "says": "claim", "outcome": "this run", "paper_outcome": "the paper's numbers"}
        print_frame(report.claims[[*shown]].rename(columns=shown), "Claims of the paper")
    for name, reason in report.not_drawn.items():
        console.print(f"{name} is not drawn: {reason}")


def print_verdict(verdict: Verdict) -> None:
    """Print a verdict, its reasons and next steps."""
    console.print(f"Verdict: {verdict.verdict}", style="bold")
    console.print(verdict.meaning)
    for sentence in verdict.reasons:
        console.print(f"• {sentence}")
    console.print("Next:")
    for sentence in verdict.next_steps:
        console.print(f"• {sentence}")


def print_judgement(verdict: Verdict, notes: Sequence[str]) -> None:
    """Print a verdict on predictions, and what was assumed in reading them."""
    print_verdict(verdict)
    if notes:
        console.print("What was assumed:")
    for sentence in notes:
        console.print(f"• {sentence}")
