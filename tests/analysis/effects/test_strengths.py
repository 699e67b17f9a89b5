"""Strengths of correlation, and cameras left out, on made-up runs whose outcome is known."""

import re

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.effects.shortcut_effect import shortcut_effect
from camerabias.analysis.effects.strengths import (
    STRENGTH_COLUMNS,
    UNSEEN_COLUMNS,
    lowest_noticed,
    strengths,
    unseen_cameras,
)
from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.findings import find
from camerabias.analysis.statistics.accuracy import contrast
from camerabias.analysis.statistics.permutation import holm

LABELS = ("Manufacturer 1", "Manufacturer 2")
CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")
ASSOCIATED = dict(zip(CAMERAS, (LABELS[0], LABELS[0], LABELS[1], LABELS[1]), strict=False))
TIED = tuple((label, camera) for camera, label in ASSOCIATED.items())


def following(share):
    """A model that gives a share of the photos their camera's label, and the others their own."""

    def predict(images, generator):
        follows = generator.random(len(images)) < share
        return [
            ASSOCIATED.get(camera, label) if follow else label
            for label, camera, follow in zip(images["label"], images["camera"], follows, strict=True)
        ]

    return predict


def failing_on(camera, accuracy):
    """A model that is right but for photos of one camera, of which a share is."""

    def predict(images, generator):
        wrong = (images["camera"] == camera) & (generator.random(len(images)) >= accuracy)
        return list(
            np.where(wrong, [LABELS[label == LABELS[0]] for label in images["label"]], images["label"])
        )

    return predict


def strength_cells(make, shares, **options):
    return [make.cell("label", f"strength-{s}", following(share), **options) for s, share in shares.items()]


@pytest.fixture
def run(make, tmp_path, monkeypatch):
    """A function that makes up a run with cells of these settings, and reads it."""

    def made(cells, **options):
        mixed = tuple((label, camera) for camera in ASSOCIATED for label in LABELS)
        allowed = {c.setting: TIED if c.setting == "strength-1" else mixed for c in cells} | {
            f"without-{out}": tuple((label, c) for label in LABELS for c in CAMERAS if c != out)
            for out in CAMERAS
        }
        for name, value in allowed.items():
            monkeypatch.setitem(make.run.__globals__["CELLS"], name, value)
        return load_records(make.run(tmp_path, {"s": cells}, **options).folder.path)

    return made


def test_each_strength_is_a_row_with_the_signature_of_its_predictions(make, run):
    records = run(strength_cells(make, {"1": 0.9, "0": 0.0, "0.5": 0.4}))
    found = strengths(records)
    assert list(found.columns) == STRENGTH_COLUMNS
    assert found["strength"].tolist() == [0, 0.5, 1]
    assert (found["missing"] == "").all()
    assert (found["n_seeds"] == 4).all()
    for row, name in zip(found.to_dict("records"), ("0", "0.5", "1"), strict=True):
        (cell,) = records.cells("label", f"strength-{name}")
        expected = shortcut_effect(list(records.test_rows(cell, "seen").values()), ASSOCIATED)
        assert (row["risk_difference"], row["risk_difference_low"], row["p"]) == pytest.approx(
            (expected.risk_difference.mean, expected.risk_difference.low, expected.p)
        )
    assert found["aligned"].tolist() == [1, 1, 1]
    # of photos whose camera implies another label, those that follow it are wrong
    assert found["conflicting"].tolist() == pytest.approx([1, 0.6, 0.1], abs=0.1)
    assert found["risk_difference"].tolist() == sorted(found["risk_difference"])
    assert found["risk_difference"][0] == 0
    assert found["p_holm"].tolist() == pytest.approx(holm(found["p"].tolist()))
    assert found["significant"].tolist() == ["no", "yes", "yes"]


def test_lowest_strength_that_is_noticed_is_the_first_of_which_the_gap_is_significant(make, run):
    shares = {"0": 0.0, "0.25": 0.0, "0.5": 0.5, "0.75": 0.7, "1": 1.0}
    found = strengths(run(strength_cells(make, shares)))
    (row,) = lowest_noticed(found).to_dict("records")
    assert row == {
        "model": "test_resnet", "views": "rgb", "mitigation": "none", "strength": 0.5, "untested": "",
    }  # fmt: skip


def test_an_effect_whose_interval_holds_zero_is_not_called_significant_whatever_its_p():
    rows = [
        {"strength": 0.0, "p": 0.02, "p_holm": 0.02, "risk_difference_low": -0.1, "significant": "no"},
        {"strength": 0.5, "p": 0.001, "p_holm": 0.002, "risk_difference_low": 0.1, "significant": "yes"},
        {"strength": 0.75, "p": 0.001, "p_holm": 0.002, "risk_difference_low": -0.1, "significant": "no"},
        {"strength": 1.0, "p": 0.001, "p_holm": 0.002, "risk_difference_low": 0.3, "significant": "yes"},
    ]
    found = pd.DataFrame(rows).assign(model="a", views="rgb", mitigation="none")
    assert lowest_noticed(found)["strength"].tolist() == [1.0], "from which on, and so not 0.5"


def test_findings_call_significant_what_the_table_does(make, run):
    """0.06 is about where an effect can just be told."""
    records = run(strength_cells(make, {"0.25": 0.03, "0.5": 0.06, "0.75": 0.12, "1": 0.9}))
    table = strengths(records).set_index("strength")["significant"]
    assert set(table) == {"yes", "no"}
    said = {finding.question: finding.sentences for finding in find(records)}
    for sentence in said["Do predictions depend on the camera?"]:
        if " is higher than " in sentence or " is not distinguishable " in sentence:
            strength = float(re.search(r"strength-([\d.]+)", sentence)[1])
            assert (" is higher than " in sentence) == (table[strength] == "yes"), sentence


def test_model_that_never_follows_the_camera_has_no_lowest_strength(make, run):
    found = strengths(run(strength_cells(make, {"0": 0.0, "1": 0.0})))
    assert lowest_noticed(found)["strength"].isna().all()


def test_models_are_corrected_and_judged_by_themselves(make, run):
    cells = strength_cells(make, {"0": 0.0, "1": 0.0}, model="a") + strength_cells(
        make, {"1": 1.0}, model="b"
    )
    found = strengths(run(cells))
    of_b = found[found["model"] == "b"]
    assert of_b["p_holm"].tolist() == of_b["p"].tolist()
    assert lowest_noticed(found).set_index("model")["strength"].isna().to_dict() == {"a": True, "b": False}


def test_strength_without_trials_is_named_and_counts_as_untested(make, run):
    cells = strength_cells(make, {"0": 0.0, "1": 1.0})
    cells += strength_cells(make, {"0.5": 0.0}, broken=dict.fromkeys(range(4), "failed"))
    skip = {"target": "label", "setting": "strength-0.75", "reason": "there are none of a × v"}
    found = strengths(run(cells, skipped=[skip])).set_index("strength")
    assert found.loc[0.5, "missing"] == "failed (4 of 4 seeds)"
    assert found.loc[0.75, "missing"] == "there are none of a × v"
    assert found.loc[[0.5, 0.75], ["accuracy", "risk_difference", "p", "p_holm"]].isna().all(axis=None)
    (row,) = lowest_noticed(found.reset_index()).to_dict("records")
    assert (row["strength"], row["untested"]) == (1, "0.5")


def test_without_a_camera_that_implies_a_label_there_is_no_gap_and_this_is_said(make, run):
    found = strengths(run(strength_cells(make, {"0.5": 1.0})))
    assert found["missing"].tolist() == ["no strength at which a camera has an associated label has finished"]
    assert found[["risk_difference", "p"]].isna().all(axis=None)


def test_run_without_such_settings_has_no_rows(make, run):
    records = run([make.cell("label", "balanced", following(0))])
    assert strengths(records).empty
    assert lowest_noticed(strengths(records)).empty
    assert unseen_cameras(records).empty


def test_camera_that_fails_when_it_is_unseen_is_told_from_one_that_is_hard(make, run):
    cells = [make.cell("label", f"without-{c}", following(0)) for c in CAMERAS[:3]]
    cells += [make.cell("label", "without-Redmi", failing_on("Redmi", 0.6))]
    found = unseen_cameras(run(cells)).set_index("camera")
    assert list(found.reset_index()[UNSEEN_COLUMNS].columns) == UNSEEN_COLUMNS
    assert list(found.index) == list(CAMERAS)
    assert found.loc["iPhone", ["accuracy", "others", "when_seen"]].tolist() == [1, 1, 1]
    redmi = found.loc["Redmi"]
    assert (redmi["others"], redmi["when_seen"]) == (1, 1)
    assert redmi["accuracy"] == pytest.approx(0.6, abs=0.12)
    differences = redmi[["difference_to_others", "difference_to_seen"]].tolist()
    assert differences == pytest.approx([redmi["accuracy"] - 1] * 2)
    assert redmi["difference_to_seen_high"] < 0
    assert found.loc["Vivo", "missing"] == "no study excludes it"
    assert np.isnan(found.loc["Vivo", "accuracy"])


def test_camera_that_is_hard_for_everybody_loses_nothing_by_being_unseen(make, run):
    records = run([make.cell("label", f"without-{c}", failing_on("Vivo", 0.5)) for c in CAMERAS])
    vivo = unseen_cameras(records).set_index("camera").loc["Vivo"]
    assert vivo["difference_to_others_high"] < -0.2
    assert vivo["difference_to_seen_low"] < 0 < vivo["difference_to_seen_high"]
    (cell,) = records.cells("label", "without-Vivo")
    expected = contrast([(1, records.test_rows(cell, "unseen")), (-1, records.test_rows(cell, "seen"))])
    assert vivo["difference_to_others_low"] == expected.low
    seen = [
        pd.concat(records.test_rows(other).values())
        for camera in CAMERAS[:4]
        for other in records.cells("label", f"without-{camera}")
    ]
    own = [rows[rows["camera"] == "Vivo"] for rows in seen]
    assert vivo["when_seen"] == pytest.approx(np.mean([(r["prediction"] == r["truth"]).mean() for r in own]))


def test_model_that_has_not_finished_is_named(make, run):
    failed = dict.fromkeys(range(4), "failed")
    cells = [make.cell("label", "without-Vivo", following(0))]
    cells += [make.cell("label", "without-iPhone", following(0), broken=failed)]
    found = unseen_cameras(run(cells)).set_index("camera")
    assert found.loc["iPhone", "missing"] == "failed (4 of 4 seeds)"
    assert found.loc["Vivo", "missing"] == "no model trained with the camera, of these seeds"
    assert found.loc["Vivo", "accuracy"] == 1
    assert np.isnan(found.loc["Vivo", "difference_to_seen"])
