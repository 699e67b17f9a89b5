"""Table II at a glance: what stands above the findings of a run that nobody audited."""

from pathlib import Path

import pytest

from camerabias.analysis.effects.by_setting import setting_contrasts
from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.report import make_report
from camerabias.analysis.report.setting_contrast import contrast_charts, contrast_headline


@pytest.fixture
def contrasts(demo_run):
    return setting_contrasts(load_records(demo_run.folder.path))


def test_the_headline_counts_models_after_both_kinds_of_training(contrasts):
    assert contrast_headline(contrasts) == (
        "Trained where every camera has one label, 1 of 1 models go by the camera: right on 100% of photos where it "
        "goes with the label, and on 0% of others. After balanced training, 0 of 1 do."
    )


def test_the_chart_has_a_bar_for_each_accuracy(contrasts):
    (chart,) = contrast_charts(contrasts)
    assert [mark.name for mark in chart.marks] == [
        "disjoint, camera goes with label", "disjoint, camera does not",
        "balanced, camera goes with label", "balanced, camera does not",
    ]  # fmt: skip
    assert [mark.value for mark in chart.marks[:2]] == [1, 0]
    assert "After disjoint training right in 100% and 0%" in chart.answer


def test_the_page_begins_with_it(demo_report):
    page = Path(demo_report.index).read_text()
    assert page.index("1 of 1 models go by the camera") < page.index("<svg") < page.index("<h2>Findings")


def test_a_run_without_such_a_pair_has_none(make, tmp_path):
    run = make.run(tmp_path, {"s": [make.cell("label", "balanced", make.right("label", 0.9))]})
    assert setting_contrasts(load_records(run.folder.path)) == []
    assert 'class="headline"' not in Path(make_report(run.folder.path).index).read_text()
