"""What a finished search says on the terminal."""

import pandas as pd
import pytest

from camerabias.analysis.report.search import SearchReport
from camerabias.sweeps.printing.results import print_search


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
    assert "use it with `camerabias sweep run ... --recipe run/recipe.yaml`" in out


def test_a_recipe_that_is_worse_on_other_seeds_is_not_recommended(report, capsys):
    confirmed = pd.DataFrame({"seed 1": ["0.5", "0.7"], "mean": ["0.5", "0.7"]}, index=["base", "found"])
    print_search(report(confirmed=confirmed, worse=True), "run/recipe.yaml")
    out = " ".join(capsys.readouterr().out.split())
    assert "0.7" in out
    assert "do not use it" in out
    assert "use it with" not in out
