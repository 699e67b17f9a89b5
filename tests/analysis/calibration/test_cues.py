"""Tables of a calibration of names."""

from pathlib import Path

import pytest

from camerabias.analysis.calibration.cues import CueLine, read_cue_lines, summarise_cues
from camerabias.analysis.report.tables import show_markdown
from camerabias.datasets.cues.names import CUES

DOCS = Path(__file__).parents[3] / "docs"


def line(planted, probabilities, strangeness=0.5, **fields):
    about = {
        "simulator": "drawn",
        "number": 0,
        "photos": 200,
        "any": 0.9,
        "recognised": True,
        "cameras": 3,
        "size": 64,
        "scenes": "discs",
        "treatment": "",
    }
    every = {**dict.fromkeys(CUES, 0.02), **probabilities}
    return CueLine(planted=planted, probabilities=every, strangeness=strangeness, **(about | fields))


LINES = [
    line({}, {}),
    line({}, {"noise": 0.7}),
    line({"noise": 1.0}, {"noise": 0.9}),
    line({"noise": 0.2}, {"noise": 0.4, "blur": 0.3}, size=256),
    line({"noise": 0.2}, {}, recognised=False),
    line({"blur": 1.0}, {"noise": 0.9, "blur": 0.6}),
    line({"blur": 1.0}, {"blur": 0.9}, strangeness=1.2, simulator="second"),
    line({"blur": 1.0, "noise": 1.0}, {"noise": 0.9, "blur": 0.4}),
]


@pytest.fixture(scope="module")
def tables():
    return {table.caption: table.frame for table in summarise_cues(LINES)}


def test_names_are_counted_by_the_number_of_cues(tables):
    frame = tables["Names by the number of cues"].set_index("cues")
    assert frame["datasets"].tolist() == ["2", "5", "4", "1", "1", "0"]
    assert frame.loc["none", "none named"].startswith("1 of 2,")
    assert frame.loc["none", "first is planted"] == "–"
    assert frame.loc["one, cameras recognised", "first is planted"].startswith("3 of 4,")
    assert frame.loc["one, cameras recognised", "all planted are named"].startswith("2 of 4,"), (
        "one is weak, one unlike any that was drawn"
    )
    assert frame.loc["two", "all planted are first"].startswith("1 of 1,")
    assert frame.loc["two", "all planted are named"].startswith("0 of 1,")


def test_weak_and_strong_cues_are_apart(tables):
    frame = tables["One cue alone, cameras recognised, by cue"].set_index("cue")
    assert frame.loc["noise", "weak, first"].startswith("1 of 1,")
    assert frame.loc["noise", "weak, named"].startswith("0 of 1,")
    assert frame.loc["blur", "strong, first"].startswith("1 of 2,")
    assert frame.loc["noise", "named though absent"].startswith("2 of 4,")


def test_probabilities_are_held_against_shares(tables):
    frame = tables["Probabilities against how often the cue was planted"].set_index("probability")
    assert frame.loc["0.9 to 1", "planted"].startswith("3 of 4,")
    assert frame.loc["0.9 to 1", "mean"] == "0.900"


def test_strange_datasets_are_counted_by_simulator(tables):
    frame = tables["Datasets unlike anything simulated"].set_index("simulator")
    assert frame.loc["drawn", "strange"].startswith("0 of 7,")
    assert frame.loc["second", "strange"].startswith("1 of 1,")


@pytest.mark.parametrize(("simulator", "shown"), [("drawn", 5), ("second", 5), ("bottles", 2)])
def test_page_holds_the_tables_of_the_committed_lines(simulator, shown):
    lines = read_cue_lines(DOCS / "calibration/cues.jsonl")
    page = (DOCS / "calibration.md").read_text()
    for table in summarise_cues([line for line in lines if line.simulator == simulator])[:shown]:
        assert show_markdown(table.frame) in page, table.caption
