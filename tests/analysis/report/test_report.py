import html
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from camerabias.analysis.paper.claims import CLAIM_COLUMNS
from camerabias.analysis.report.report import make_report


class Reader(HTMLParser):
    """Collects the text, and every address that the page would load."""

    def __init__(self):
        super().__init__()
        self.text, self.addresses = "", []

    def handle_starttag(self, tag, attributes):
        self.addresses += [
            value for name, value in attributes if name in ("src", "href", "srcset", "data", "poster")
        ]

    def handle_data(self, data):
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture(scope="module")
def page(demo_report):
    """The demo's report and its page."""
    reader = Reader()
    reader.feed(Path(demo_report.index).read_text())
    return demo_report, reader


@pytest.mark.parametrize(
    ("rotation", "tested"), [(None, "tests one fold,"), (5, "tests 2 of the ten folds,")]
)
def test_the_page_says_how_many_folds_its_own_trials_tested(make, tmp_path, rotation, tested):
    cell = make.cell("label", "natural", make.right("label", 0.9), rotation=rotation)
    run = make.run(tmp_path, {"s": [cell]})
    make_report(run.folder.path)
    page = (tmp_path / "report/index.html").read_text()
    assert tested in page.split("How it was made")[1]


def test_report_writes_what_it_says(page):
    report, _ = page
    folder = Path(report.index).parent
    assert report.index.endswith("run/report/index.html")
    assert sorted(p.name for p in (folder / "figures").iterdir()) == [
        f"figure{n}.{kind}" for n in (1, 2, 3, 4, 6, 7) for kind in ("pdf", "png")
    ]
    assert sorted(p.name for p in (folder / "tables").iterdir()) == [
        "demo.csv",
        "demo.md",
        "demo.tex",
        "trials.csv",
    ]
    assert list(report.not_drawn) == ["figure5", "figure8", "figure9"]
    assert [table.caption for table in report.tables] == ["Study demo: test_resnet"]


def test_page_needs_nothing_else(page):
    report, reader = page
    html = Path(report.index).read_text()
    assert len(reader.addresses) == 6
    assert all(address.startswith("data:image/png;base64,") for address in reader.addresses)
    for loader in ("http://", "https://", "@import", "url(", "<script ", "<link"):
        assert loader not in html
    assert html.count("<script>") == 1, "which sorts tables"


def test_page_tells_findings_failures_and_what_is_missing(page):
    report, reader = page
    for sentence in report.findings:
        assert sentence in reader.text
    for text in (
        "13 done, 1 failed, 1 started, 1 missing",
        "100 tested; 800 to train a trial",
        "CUDA out of memory",
        "label-disjoint-rgb-test_resnet-seed2",
        "as balanced here",
        "0.960 [",
    ):
        assert text in reader.text


def test_names_cannot_break_the_page_and_figures_that_are_not_drawn_are_named(make, tmp_path):
    cell = make.cell("label", "balanced", make.right("label", 0.9), "<script>alert(1)</script>\x1b[31m")
    report = make_report(make.run(tmp_path, {"s": [cell]}).folder.path)
    html = Path(report.index).read_text()
    assert html.count("<script") == 1, "which sorts tables"
    assert "&lt;script&gt;" in html
    assert "\x1b" not in html
    assert r"\x1b[31m" in html
    assert list(report.not_drawn) == [f"figure{n}" for n in range(1, 10)]
    assert all(reason in html for reason in report.not_drawn.values())


def test_a_run_without_any_result_still_has_a_report(make, tmp_path):
    cell = make.cell("label", "balanced", make.right("label", 0.9), broken=dict.fromkeys(range(4), "missing"))
    report = make_report(make.run(tmp_path, {"s": [cell]}).folder.path)
    html = Path(report.index).read_text()
    assert "none tested yet" in html
    assert "missing (0 of 4 seeds)" in html


def test_a_study_that_skipped_everything_still_has_a_report(make, tmp_path):
    skip = {"target": "label", "setting": "disjoint", "reason": "one camera alone"}
    report = make_report(make.run(tmp_path, {"s": []}, skipped=[skip]).folder.path)
    assert "one camera alone" in Path(report.index).read_text()


def test_a_copied_run_makes_the_same_files(demo_run, page):
    folders = [Path(report.index).parent for report in (make_report(demo_run.folder.path), page[0])]
    first, second = ({p.relative_to(f): p.read_bytes() for p in f.rglob("*.*")} for f in folders)
    assert len(first) == 17
    assert first == second


def test_claims_stand_only_where_a_study_repeats_the_paper(make, page, tmp_path):
    assert page[0].claims.empty
    assert "Claims of the paper" not in page[1].text
    cell = make.cell("camera", "balanced", make.right("camera", 0.9))
    report = make_report(make.run(tmp_path, {"table1": [cell]}, paper="Table I").folder.path)
    reader = Reader()
    reader.feed(Path(report.index).read_text())
    assert "Claims of the paper" in reader.text
    for claim in report.claims.itertuples():
        assert claim.says in reader.text
        assert claim.numbers in reader.text
    folded = Path(report.index).read_text().partition("23 claims that this run did not test")[2]
    said = [claim.says for claim in report.claims.itertuples()]
    assert [html.unescape(folded).count(text) for text in said] == [0] + [1] * 23
    written = pd.read_csv(Path(report.index).parent / "tables" / "claims.csv")
    assert list(written.columns) == CLAIM_COLUMNS
    assert written["outcome"].tolist() == ["holds"] + ["not tested"] * 23


def test_damaged_probe_is_named_and_the_rest_is_reported(make, tmp_path):
    probes = {"perturbations": make.perturbed("on code")}
    cell = make.cell("label", "balanced", make.right("label", 0.9), probes=probes)
    run = make.run(tmp_path, {"s": [cell]}, seeds=[0, 1])
    probe = next(tmp_path.glob("trials/*/probes/perturbations.npz"))
    probe.write_bytes(probe.read_bytes()[:50])
    report = make_report(run.folder.path)
    assert "perturbations.npz cannot be read" in Path(report.index).read_text()
    assert report.tables[0].frame["n"].tolist() == ["2"]
