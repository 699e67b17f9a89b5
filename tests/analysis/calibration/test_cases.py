"""Tables of a calibration."""

from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import beta

from camerabias.analysis.calibration.cases import (
    Case,
    Line,
    measure_fingerprints,
    read_lines,
    share,
    summarise,
    summarise_references,
)
from camerabias.analysis.effects.known_cues import fingerprints
from camerabias.datasets.schema import CamerabiasError

DOCS = Path(__file__).parents[3] / "docs"


def line(kind, verdict, planted=None, looks_like=None, directed=None, p=None, gap=None, correlation=0.8):
    """A line of cameras that are identified if they look like those of a cue."""
    evidence = {
        "counterfactual.directed": directed,
        "counterfactual.p": p,
        "use.gap": gap,
        "recognition.p": 0.0002 if looks_like else 0.3,
    }
    case = Case(kind=kind, planted=planted or {}, correlation=correlation, seed=0)
    kept = dict(fingerprints().loc[looks_like]) if looks_like else {}
    return Line(case=case, verdict=verdict, evidence=evidence, kept=kept, seconds=1.0, version="0")


LINES = [
    *(line("null", "no evidence") for _ in range(9)),
    line("null", "cheating"),
    line("null", "no evidence", {"jpeg": 1.0}, correlation=0.0),
    line("planted", "cheating", {"jpeg": 1.0}, "jpeg", 0.9, 0.0002, 0.8),
    line("planted", "cheating", {"noise": 1.0}, "sensor pattern", 0.4, 0.0002, 0.4),
    line("planted", "at risk", {"noise": 1.0}, "white balance", 0.15, 0.0002, 0.1),
    line("planted", "at risk", {"white balance": 1.0}, "white balance", 0.01, 0.4, 0.0),
    line("planted", "no evidence", {"blur": 0.5}, None, 0.0, 0.9, 0.0),
    line("planted", "cheating", {"jpeg": 1.0, "white balance": 1.0}, "white balance", 0.9, 0.0002, 0.9),
    line("unidentifiable", "cannot tell", {"jpeg": 1.0}),
    line("reference", "cheating", {"jpeg": 1.0}),
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


def test_naming(tables):
    frame = tables["Naming of cues"].set_index("datasets whose cameras are identified")
    row = frame.loc["one cue, full strength"]
    assert (row["n"], row["a planted family is named"]) == ("4", share(3, 4))
    assert 1 <= float(row["families named"]) <= 2
    assert frame.loc["two cues, full strength", "a planted family is named"] == share(1, 1)
    assert frame.loc["two cues, full strength", "all planted families are"] == share(0, 1)


def test_reference_datasets_are_named_by_the_others():
    # of noise, those that look like noise: without the third, which does not, two of three have their own family
    lines = [line("reference", "at risk", {cue: 1.0}, cue) for cue in fingerprints().index for _ in range(2)]
    lines.append(line("reference", "at risk", {"noise": 1.0}, "white balance"))
    (table,) = summarise_references(lines)
    frame = table.frame.set_index("cue")
    assert frame.loc["noise", "cameras identified"] == "3 of 3"
    assert frame.loc["noise", "colour"] == "1"
    assert frame.loc["white balance", ["colour", "sensor"]].tolist() == ["2", "0"]


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


def test_shipped_fingerprints_are_those_of_the_reference_lines():
    measured = measure_fingerprints(read_lines(DOCS / "calibration/reference.jsonl"))
    pd.testing.assert_frame_equal(measured, fingerprints())


def test_page_holds_the_tables_of_the_committed_lines():
    from camerabias.analysis.report.tables import show_markdown

    page = (DOCS / "calibration.md").read_text()
    for table in summarise(read_lines(DOCS / "calibration/calibration.jsonl")):
        assert show_markdown(table.frame) in page, table.caption
