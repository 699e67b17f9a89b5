"""Tables of a calibration."""

from pathlib import Path

import pytest
from scipy.stats import beta

from camerabias.analysis.calibration.cases import (
    Case,
    Line,
    read_lines,
    share,
    summarise,
)
from camerabias.datasets.schema import CamerabiasError

DOCS = Path(__file__).parents[3] / "docs"


def line(kind, verdict, planted=None, directed=None, p=None, gap=None, correlation=0.8):
    """What an audit made of a case."""
    evidence = {
        "counterfactual.directed": directed,
        "counterfactual.p": p,
        "use.gap": gap,
    }
    case = Case(kind=kind, planted=planted or {}, correlation=correlation, seed=0)
    return Line(case=case, verdict=verdict, evidence=evidence, kept={}, seconds=1.0, version="0")


LINES = [
    *(line("null", "no evidence") for _ in range(9)),
    line("null", "cheating"),
    line("null", "no evidence", {"jpeg": 1.0}, correlation=0.0),
    line("planted", "cheating", {"jpeg": 1.0}, 0.9, 0.0002, 0.8),
    line("planted", "cheating", {"noise": 1.0}, 0.4, 0.0002, 0.4),
    line("planted", "at risk", {"noise": 1.0}, 0.15, 0.0002, 0.1),
    line("planted", "at risk", {"white balance": 1.0}, 0.01, 0.4, 0.0),
    line("planted", "no evidence", {"blur": 0.5}, 0.0, 0.9, 0.0),
    line("planted", "cheating", {"jpeg": 1.0, "white balance": 1.0}, 0.9, 0.0002, 0.9),
    line("unidentifiable", "cannot tell", {"jpeg": 1.0}),
]


@pytest.fixture(scope="module")
def tables():
    return {table.caption: table.frame for table in summarise(LINES)}


def test_verdicts_are_counted_by_kind(tables):
    frame = tables["Verdicts by what the dataset is"].set_index("datasets")
    assert frame["n"].astype(int).tolist() == [10, 1, 4, 1, 1, 1]
    assert frame.loc["no cue", ["cheating", "no evidence"]].tolist() == ["1", "9"]
    told = frame.loc["one cue, full strength", ["truly use the camera", "cheating", "at risk"]]
    assert told.tolist() == ["3", "2", "2"]
    assert frame.loc["every camera has one label", "truly use the camera"] == "not known"


def test_errors_are_told_with_exact_intervals(tables):
    rows = tables["Errors of the verdict"].set_index("what")["share [95 %]"]
    assert rows.iloc[0] == share(1, 11)
    assert rows.iloc[1] == share(1, 4), "of four at full strength that use it one is missed"
    assert rows.iloc[2] == share(0, 1)
    assert rows.iloc[3] == share(1, 1)


def test_share_is_clopper_and_pearsons():
    low, high = beta.ppf(0.025, 3, 58), beta.ppf(0.975, 4, 57)
    assert share(3, 60) == f"3 of 60, 0.050 [{low:.3f}, {high:.3f}]"
    assert share(0, 0) == "none"


def test_misses_are_counted_by_size(tables):
    frame = tables["Misses by the true effect: the share of predictions that depend on the camera"].set_index(
        "true effect"
    )
    assert frame.loc["0.1 to 0.2", "missed"] == share(1, 1)
    assert frame.loc["0.5 to 1", ["n", "mean true effect", "mean risk difference"]].tolist() == [
        "2",
        "0.900",
        "0.850",
    ]


def test_lines_are_read_back_and_a_damaged_one_is_named(tmp_path):
    path = tmp_path / "lines.jsonl"
    assert read_lines(path) == []
    path.write_text("".join(one.model_dump_json() + "\n" for one in LINES))
    assert read_lines(path) == LINES
    path.write_text(LINES[0].model_dump_json() + '\n{"case": ')
    with pytest.raises(CamerabiasError, match=r"Line 2 of .*lines\.jsonl"):
        read_lines(path)


def test_lines_of_schema_1_are_read_with_todays_names():
    names = {name for line in read_lines(DOCS / "calibration/calibration.jsonl") for name in line.evidence}
    assert {"shortcut_effect.risk_difference_low", "identification.p", "association.p"} <= names
    assert not {name for name in names if name.startswith(("use.", "recognition.", "label.", "design."))}


def test_page_holds_the_tables_of_the_committed_lines():
    from camerabias.analysis.report.tables import show_markdown

    page = (DOCS / "calibration.md").read_text()
    for table in summarise(read_lines(DOCS / "calibration/calibration.jsonl")):
        assert show_markdown(table.frame) in page, table.caption
