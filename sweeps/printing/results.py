"""What is printed of sweeps, searches and reports that have ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from textwrap import shorten
from typing import TYPE_CHECKING

from camerabias.datasets.io.printable import typed
from camerabias.sweeps.monitoring.console import console, lines_of, print_frame, print_sentence

if TYPE_CHECKING:
    import pandas as pd

    from camerabias.analysis.report.comparison import RunComparison
    from camerabias.analysis.report.report import Report
    from camerabias.analysis.report.search import SearchReport
    from camerabias.analysis.verdict.decide import Verdict
    from camerabias.sweeps.execution.outcome import SweepOutcome


LINES, COLUMNS = 25, 80
"""Of a terminal: what is printed without --details takes no more."""

ROOMS, ROOMS_OF_THREE = {"": 8, "Next:": 8}, {"": 9, "Next:": 4}
"""Lines of sentences by their head: of 25, what the verdict, heads and the report leave; likewise beside a third."""

THIRD = 2
"""Lines under a third head."""


def print_outcome(outcome: SweepOutcome, details: bool = False) -> None:
    """Say how a sweep ended.

    Args:
        outcome: How.
        details: Whether to print every failure and folder in full, however many there are.
    """
    trials, n_failed = _count(outcome.n_trials, "trial"), len(outcome.failures)
    probes = f", {_count(len(outcome.probe_failures), 'probe')} failed" if outcome.probe_failures else ""
    if outcome.n_left:
        console.print(
            f"Interrupted: {outcome.n_left} of {outcome.n_trials} trials remain; run the same command to resume"
        )
        return
    console.print(f"{trials}, {outcome.n_ran} of them run now, {n_failed} failed{probes}")
    failures = outcome.failures + outcome.probe_failures
    _print_first("  ", [f"{name}: {reason}" for name, reason in failures], 6, 2, details)
    if failures:
        console.print("The same command with `--retry-failed` runs what failed again.")
    if outcome.without_weights:
        folders = " ".join(f"trials/{config.id}" for config in outcome.without_weights)
        console.print(
            f"{_count(len(outcome.without_weights), 'trial')} without the probes asked for, and without the weights "
            "to make them. To have them trained again, delete these folders in the run:"
        )
        _print_first("  ", [folders], 1, 3, details)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _print_first(mark: str, sentences: Sequence[str], most: int, lines: int, details: bool) -> None:
    """Print the first sentences behind a mark, each cut to a number of lines; with details all of them in full."""
    for sentence in sentences if details else sentences[:most]:
        cut = shorten(sentence, lines * COLUMNS - len(mark), placeholder=" ...")
        console.print(f"{mark}{sentence if details else cut}")
    if len(sentences) > most and not details:
        console.print(f"  and {len(sentences) - most} more")


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
            f"Recipe: {recipe_file} (train with it: `--recipe {typed(recipe_file)}` of `camerabias sweep run`)"
        )


def print_report(report: Report, details: bool) -> None:
    """Print what a report has come to, and where it lies.

    Args:
        report: The report.
        details: Whether to print the tables behind it, too, and all findings and claims.
    """
    if details:
        _print_behind(report)
    elif report.verdict is None:
        _print_in_short(report)
    if report.verdict is not None:
        console.print()
        print_verdict(report.verdict, details)
    console.print(f"Report: {report.index}{'' if details else ' (--details prints the tables behind it)'}")


def _print_in_short(report: Report) -> None:
    """Of a run that nobody has audited: its first findings, and how many claims of the paper they bear out."""
    _print_first("• ", report.findings, 3, 5, details=False)
    if len(report.claims):
        tested = _tested(report.claims)
        counts = tested["outcome"].value_counts(sort=False)
        outcomes = ", ".join(f"{n} `{outcome}`" for outcome, n in counts.items())
        console.print(
            f"Of {len(report.claims)} claims of the paper, {len(tested)} were tested: {outcomes or 'none'}"
        )


def _tested(claims: pd.DataFrame) -> pd.DataFrame:
    return claims[claims["outcome"] != "not tested"]


def _print_behind(report: Report) -> None:
    for table in report.tables:
        print_frame(table.frame, table.caption)
    for sentence in report.findings:
        print_sentence(sentence, "• ")
    if len(report.claims):
        shown = {"number": "", "says": "claim", "outcome": "this run", "paper_outcome": "the paper's numbers"}
        tested = _tested(report.claims)
        print_frame(tested[[*shown]].rename(columns=shown), "Claims of the paper that this run tested")
        if n_others := len(report.claims) - len(tested):
            console.print(
                f"{_count(n_others, 'more claim')} of the paper: not tested by this run (on the page)."
            )
    for name, reason in report.not_drawn.items():
        paper = f"Figure {name.removeprefix('figure')} of the paper" if name.startswith("figure") else name
        print_sentence(f"{paper} is not drawn: {reason}")


def print_verdict(verdict: Verdict, details: bool, others: Mapping[str, Sequence[str]] | None = None) -> None:
    """Print a verdict, its reasons and next steps: with details all of them, else as many as a screen holds.

    Args:
        verdict: The verdict.
        details: Whether to print every sentence.
        others: More sentences, by the head that they stand under.
    """
    console.print(f"Verdict: {verdict.verdict}", style="bold")
    print_sentence(verdict.meaning)
    parts = {"": verdict.reasons, "Next:": verdict.next_steps, **(others or {})}
    rooms = ROOMS_OF_THREE if others else ROOMS
    for head, sentences in parts.items():
        if head and sentences:
            console.print(head)
        shown = sentences if details else first_that_fit(sentences, rooms.get(head, THIRD))
        for sentence in shown:
            print_sentence(sentence, "• ")
        if len(shown) < len(sentences):
            console.print(f"  and {len(sentences) - len(shown)} more (--details)")


def first_that_fit(sentences: Sequence[str], room: int, mark: str = "• ", at_least: int = 1) -> list[str]:
    """The first sentences that so many lines of a terminal hold, behind a mark each, and at least so many."""
    shown: list[str] = []
    left = room
    for sentence in sentences:
        left -= sum(ceil(len(line) / COLUMNS) for line in lines_of(sentence, mark, COLUMNS))
        if len(shown) >= at_least and left < 0:
            break
        shown.append(sentence)
    return shown


def print_comparison(compared: RunComparison, details: bool) -> None:
    """Print what two runs have come to, what has changed, and where the page lies.

    Args:
        compared: The runs.
        details: Whether to print the table of numbers, too.
    """
    for when, run in (("Before", compared.before), ("After", compared.after)):
        console.print(f"{when}: {run.verdict.verdict} ({run.name})", style="bold")
        print_sentence(run.verdict.meaning)
    if details:
        from camerabias.analysis.report.audit_tables import readable  # late: it imports what costs a second

        print_frame(readable(compared.numbers), "Numbers of both runs, and after minus before")
    for sentence in compared.sentences:
        print_sentence(sentence, "• ")
    console.print("Next:")
    for sentence in compared.next_steps if details else first_that_fit(compared.next_steps, ROOMS["Next:"]):
        print_sentence(sentence, "• ")
    console.print(f"Report: {compared.page}{'' if details else ' (--details prints the numbers)'}")


def print_judgement(verdict: Verdict, notes: Sequence[str], details: bool) -> None:
    """Print a verdict on predictions, and what was assumed in reading them.

    Args:
        verdict: The verdict.
        notes: What was assumed, in sentences.
        details: Whether to print every sentence, where a screen does not hold them.
    """
    print_verdict(verdict, details, {"What was assumed:": notes} if notes else None)
