"""What finished sweeps, searches and reports say on the terminal."""

import re
from dataclasses import dataclass

import pandas as pd
import pytest

from camerabias.analysis.report.report import Report
from camerabias.analysis.report.search import SearchReport
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.verdict.decide import Verdict
from camerabias.sweeps.execution.outcome import SweepOutcome
from camerabias.sweeps.printing.results import print_judgement, print_outcome, print_report, print_search

LINES, COLUMNS = 25, 80


def terminal_lines(text):
    """How many lines of a terminal a text takes."""
    return sum(max(1, -(-len(line) // COLUMNS)) for line in text.splitlines())


@dataclass(frozen=True)
class Config:
    """As much of a trial's as is printed."""

    id: str


@pytest.fixture
def outcome():
    """A function that makes the end of a sweep of 300 trials."""

    def make(**changes):
        fields = {
            "n_trials": 300, "n_ran": 300, "failures": [], "probe_failures": [], "without_weights": [], "n_left": 0,
        }  # fmt: skip
        return SweepOutcome(**{**fields, **changes})

    return make


def failures(n):
    """Names and reasons as torch gives them, of many lines."""
    return [
        (f"label-natural-rgb-seed{k}", "RuntimeError: shapes differ\n" + "  size mismatch\n" * 200)
        for k in range(n)
    ]


def test_a_sweep_s_end_fits_a_screen_however_much_failed(outcome, capsys):
    print_outcome(
        outcome(
            failures=failures(120),
            probe_failures=failures(60),
            without_weights=[Config(f"{k:016x}") for k in range(120)],
        )
    )
    out = capsys.readouterr().out
    assert terminal_lines(out) < LINES
    assert "300 trials, 300 of them run now, 120 failed, 60 probes failed" in out
    assert "label-natural-rgb-seed0: RuntimeError: shapes differ" in out
    assert "and 174 more" in out
    assert "--retry-failed" in out
    assert "120 trials without the probes asked for" in out


def test_details_of_a_sweep_s_end_name_every_failure_and_every_folder(outcome, capsys):
    folders = [Config(f"{k:016x}") for k in range(120)]
    print_outcome(outcome(failures=failures(120), without_weights=folders), details=True)
    out = capsys.readouterr().out
    assert all(f"seed{k}: RuntimeError" in out for k in range(120))
    assert out.count("size mismatch") == 120 * 200
    assert all(f"trials/{config.id}" in out for config in folders)
    assert " more" not in out


def test_one_trial_is_no_trials_and_an_interrupted_sweep_says_how_to_go_on(outcome, capsys):
    print_outcome(outcome(n_trials=1, n_ran=1))
    assert capsys.readouterr().out == "1 trial, 1 of them run now, 0 failed\n"
    print_outcome(outcome(n_left=4))
    assert capsys.readouterr().out == "Interrupted: 4 of 300 trials remain; run the same command to resume\n"


@pytest.fixture
def written():
    """A function that makes what a report has come to: many findings, claims and a table."""
    claims = pd.DataFrame(
        {
            "number": range(24),
            "says": [f"claim {n}" for n in range(24)],
            "outcome": ["not tested"] * 6 + ["holds"] * 14 + ["cannot tell"] * 4,
            "paper_outcome": ["holds"] * 24,
        }
    )

    def make(**changes):
        fields = {
            "index": "runs/demo/report/index.html",
            "tables": [WideTable("Which camera took the image", pd.DataFrame({"accuracy": ["0.300"]}, ["balanced"]))],
            "findings": [f"Finding {n}: " + "resnet34 0.900 (4 seeds); " * 40 for n in range(30)],
            "claims": claims, "not_drawn": {"figure6": "no binary view"}, "verdict": None,
        }  # fmt: skip
        return Report(**{**fields, **changes})

    return make


def test_a_report_without_a_verdict_ends_in_a_screen_that_holds_its_first_findings(written, capsys):
    print_report(written(), details=False)
    out = capsys.readouterr().out
    assert terminal_lines(out) < LINES
    assert out.startswith("• Finding 0: resnet34 0.900")
    assert "and 27 more" in out
    assert "Of 24 claims of the paper, 18 were tested: 14 `holds`, 4 `cannot tell`" in out
    assert out.endswith("Report: runs/demo/report/index.html (--details prints the tables behind it)\n")


def test_details_of_a_report_are_its_tables_and_all_findings_and_claims(written, capsys):
    print_report(written(), details=True)
    out = capsys.readouterr().out
    assert "Which camera took the image" in out
    assert "0.300" in out
    assert all(f"Finding {n}: " in out for n in range(30))
    assert out.count("resnet34") == 30 * 40
    assert [n for n in range(24) if f"claim {n} " in out] == [*range(6, 24)]
    assert "6 more claims of the paper: not tested by this run" in out
    assert "Figure 6 of the paper is not drawn: no binary view" in out
    assert out.endswith("Report: runs/demo/report/index.html\n")


def test_a_verdict_is_printed_with_its_reasons_and_steps_and_tables_where_asked(written, capsys):
    verdict = Verdict(
        verdict="at risk", reasons=["The camera shows."], next_steps=["Balance the cameras."], evidence={}
    )
    print_report(written(verdict=verdict), details=False)
    out = capsys.readouterr().out
    assert "Verdict: at risk" in out
    assert "• The camera shows.\nNext:\n• Balance the cameras.\nReport: " in out
    assert "0.300" not in out
    print_report(written(verdict=verdict), details=True)
    assert "0.300" in capsys.readouterr().out


SENTENCE = (
    "Among photos of one true label, those of a camera are given its label 4 points more often (p < 0.001)."
)


@pytest.mark.parametrize("assumed", [0, 9])
def test_a_long_verdict_fits_a_screen_and_says_how_much_more_there_is(assumed, capsys):
    verdict = Verdict(
        verdict="cheating", evidence={},
        reasons=[f"{SENTENCE} {n}" for n in range(12)], next_steps=[f"Do this. {SENTENCE} {n}" for n in range(9)],
    )  # fmt: skip
    print_judgement(verdict, [f"{SENTENCE} {n}" for n in range(assumed)], details=False)
    out = capsys.readouterr().out
    assert terminal_lines(out) <= LINES - 2, "two are left for where the report is"
    assert out.index(f"{SENTENCE} 0") < out.index("Next:") < out.index(f"Do this. {SENTENCE} 0")
    assert out.count(" more (--details)") == (3 if assumed else 2)
    shown = len(re.findall(r"^• ", out, re.MULTILINE))
    assert shown + sum(map(int, re.findall(r"and (\d+) more", out))) == 12 + 9 + assumed
    print_judgement(verdict, [], details=True)
    assert len(re.findall(r"^• ", capsys.readouterr().out, re.MULTILINE)) == 12 + 9


@pytest.fixture
def report():
    """A function that makes a search's report."""

    def make(**changes):
        fields = {
            "name": "quick", "title": "Quick", "sentences": ["Best: candidate 3."], "candidates": pd.DataFrame(),
            "confirmed": pd.DataFrame(), "worse": False, "plots": {}, "not_drawn": {},
        }  # fmt: skip
        return SearchReport(**{**fields, **changes})

    return make


def test_sentences_reasons_and_recipe_are_said(report, capsys):
    print_search(report(not_drawn={"parallel": "one parameter alone"}), "run/recipe.yaml")
    out = " ".join(capsys.readouterr().out.split())
    assert "Best: candidate 3." in out
    assert "parallel is not drawn: one parameter alone" in out
    assert "train with it: `--recipe run/recipe.yaml` of `camerabias sweep run`" in out


def test_a_recipe_that_is_worse_on_other_seeds_is_not_recommended(report, capsys):
    confirmed = pd.DataFrame({"seed 1": ["0.5", "0.7"], "mean": ["0.5", "0.7"]}, index=["base", "found"])
    print_search(report(confirmed=confirmed, worse=True), "run/recipe.yaml")
    out = " ".join(capsys.readouterr().out.split())
    assert "0.7" in out
    assert "do not use it" in out
    assert "use it with" not in out
