"""Tables of several models on the same datasets."""

import pytest

from camerabias.analysis.calibration.cases import Case, Line
from camerabias.analysis.calibration.models import summarise_models, summarise_precisions


def line(model, seed, verdict, truth, p, estimate, precision="float32"):
    case = Case(
        kind="planted",
        planted={"jpeg": 1.0},
        correlation=0.8,
        seed=seed,
        model=model,
        precision=precision,
    )
    evidence = {
        "counterfactual.directed": truth,
        "counterfactual.p": p,
        "shortcut_effect.accuracy": 0.9,
        "shortcut_effect.risk_difference": estimate,
    }
    return Line(case=case, verdict=verdict, evidence=evidence, kept={}, seconds=1.0, version="0")


LINES = [
    line("small_cnn", 1, "cheating", 0.5, 0.0002, 0.4),
    line("probe", 1, "cheating", 0.3, 0.0002, 0.3),
    line("small_cnn", 2, "no evidence", 0.0, 0.8, 0.1),
    line("probe", 2, "at risk", 0.1, 0.0002, 0.1),
    line("small_cnn", 3, "cheating", 0.7, 0.0002, 0.7),
]


@pytest.fixture(scope="module")
def tables():
    return {table.caption: table.frame for table in summarise_models(LINES)}


def test_datasets_of_one_model_alone_are_excluded(tables):
    frame = tables["Verdict, and risk difference (truth), by dataset and model"]
    assert frame["small_cnn"].tolist() == ["cheating, 0.400 (0.500)", "no evidence, 0.100 (0.000)"]
    assert frame["probe"].tolist() == ["cheating, 0.300 (0.300)", "at risk, 0.100 (0.100)"]


def test_each_model_is_held_against_its_own_truth(tables):
    frame = tables["Each model against its own truth"].set_index("model")
    assert frame.loc["small_cnn", "found, the camera is used"].startswith("1 of 1,")
    assert frame.loc["probe", "found, the camera is used"].startswith("1 of 2,")
    spread = "root mean square of risk difference − truth"
    assert frame.loc["small_cnn", spread] == "0.100", "errors of -0.1 and 0.1"
    assert frame.loc["probe", spread] == "0.000"


def test_agreement_counts_datasets_of_both(tables):
    (row,) = tables["Two models on the same datasets"].to_dict("records")
    assert row["models"] == "small_cnn, probe"
    assert row["both `cheating`, or neither"].startswith("2 of 2,")
    assert row["the same verdict"].startswith("1 of 2,"), "at risk is not no evidence"
    assert row["both use the camera, or neither"].startswith("1 of 2,")
    assert row["root mean square difference of the truths"] == "0.158", "the root of (0.2² + 0.1²) / 2"


def test_nothing_is_shown_of_no_lines():
    assert summarise_models([]) == []


def test_precisions_are_compared_on_the_same_datasets_and_differing_verdicts_are_listed():
    lines = [
        line("small_cnn", seed, verdict, 0.5, 0.0002, estimate, precision)
        for seed, verdict, estimate, precision in [
            (1, "cheating", 0.4, "float32"),
            (1, "cheating", 0.3, "bfloat16"),
            (2, "cheating", 0.2, "float32"),
            (2, "at risk", 0.1, "bfloat16"),
            (3, "at risk", 0.1, "float32"),
        ]
    ]
    tables = {table.caption.partition(":")[0]: table.frame for table in summarise_precisions(lines)}
    (both,) = tables["Two trainings on the same datasets"].to_dict("records")
    assert both["models"] == "small_cnn, small_cnn in bfloat16"
    assert both["both `cheating`, or neither"].startswith("1 of 2,")
    assert both["the same verdict"].startswith("1 of 2,")
    (differing,) = tables["Where the verdicts differ"].to_dict("records")
    assert differing["small_cnn in bfloat16"] == "at risk, 0.100 (0.500)"
    alike = summarise_precisions([one for one in lines if one.case.seed == 1])
    assert not [table for table in alike if table.caption.startswith("Where")]
    assert summarise_precisions(lines[-1:]) == []
