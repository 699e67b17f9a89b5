"""What mitigations cost and remove, on a made-up run whose outcome is known."""

import numpy as np
import pytest
import yaml

from camerabias.analysis.effects.mitigations import MITIGATION_COLUMNS, mitigations
from camerabias.analysis.effects.shortcut_effect import shortcut_effect
from camerabias.analysis.records.load import load_records
from camerabias.analysis.report.tables import make_tables
from camerabias.analysis.statistics.accuracy import paired_difference

LABELS = ("Manufacturer 1", "Manufacturer 2")
CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")
ASSOCIATED = dict(zip(CAMERAS, (LABELS[0], LABELS[0], LABELS[1], LABELS[1]), strict=False))
ESTIMATES = ["accuracy", "aligned", "conflicting", "risk_difference", "accuracy_lost", "bias_removed", "p"]


def following(share):
    """A model that gives a share of the photos their camera's label, and the others their own."""

    def predict(images, generator):
        follows = generator.random(len(images)) < share
        given = images["camera"].map(ASSOCIATED).fillna(images["label"])
        return list(np.where(follows, given, images["label"]))

    return predict


def cell(make, mitigation, share, **options):
    return make.cell("label", "natural", following(share), mitigation=mitigation, **options)


@pytest.fixture
def found(make, tmp_path):
    """A function that makes up a run with these cells, and reads it."""
    return lambda *cells, **options: load_records(
        make.run(tmp_path, {"s": list(cells)}, **options).folder.path
    )


def test_each_mitigation_is_a_row_beside_none_with_what_it_costs_and_removes(make, found):
    records = found(cell(make, "resample", 0.0), cell(make, "none", 0.9), cell(make, "reweight", 0.5))
    table = mitigations(records, ASSOCIATED)
    assert list(table.columns) == MITIGATION_COLUMNS
    assert table["mitigation"].tolist() == ["none", "reweight", "resample"]
    assert (table["missing"] == "").all()
    rows, none, signatures = table.set_index("mitigation"), {}, {}
    for name in rows.index:
        (one,) = records.cells("label", mitigation=name)
        tested = records.test_rows(one)
        none = none or tested
        signatures[name] = expected = shortcut_effect(list(tested.values()), ASSOCIATED)
        row = rows.loc[name]
        assert (row["risk_difference"], row["risk_difference_high"], row["p"]) == (
            expected.risk_difference.mean,
            expected.risk_difference.high,
            expected.p,
        )
        assert (row["aligned"], row["conflicting"]) == (
            expected.accuracy_aligned.mean, expected.accuracy_conflicting.mean,
        )  # fmt: skip
        assert row["accuracy"] == pytest.approx(
            np.mean([(f["prediction"] == f["label"]).mean() for f in tested.values()])
        )
        if name != "none":
            lost = paired_difference(none, tested)
            assert (row["accuracy_lost"], row["accuracy_lost_low"]) == (lost.mean, lost.low)
            differences = signatures["none"].risk_difference, expected.risk_difference
            assert row["bias_removed"] == pytest.approx(differences[0].mean - differences[1].mean)
            below = np.hypot(
                differences[0].mean - differences[0].low, differences[1].high - differences[1].mean
            )
            assert row["bias_removed_low"] == pytest.approx(row["bias_removed"] - below)
    # the models of these shares: accuracy 1 - 0.8 * 0.5 * share, since half of the photos of four cameras disagree
    assert rows["accuracy_lost"]["resample"] == pytest.approx(-0.36, abs=0.05)
    assert rows["bias_removed"]["resample"] > rows["bias_removed"]["reweight"] > 0.2
    assert rows.loc["none", ["accuracy_lost", "bias_removed"]].isna().all()


def test_what_has_not_finished_is_named_and_no_number(make, found):
    failed = dict.fromkeys(range(4), "failed")
    records = found(
        cell(make, "none", 0.9),
        cell(make, "jitter", 0.0, broken=failed),
        cell(make, "rescale", 0.0, broken={0: "missing"}),
    )
    rows = mitigations(records, ASSOCIATED).set_index("mitigation")
    assert rows.loc["jitter", "missing"] == "failed (4 of 4 seeds)"
    assert rows.loc["jitter", ESTIMATES].isna().all()
    assert rows["n_seeds"].to_dict() == {"none": 4, "rescale": 3, "jitter": 0}
    (plain,), (scaled,) = (records.cells("label", mitigation=name) for name in ("none", "rescale"))
    shared = [records.test_rows(plain)[seed] for seed in (1, 2, 3)]
    risk_difference = shortcut_effect(
        list(records.test_rows(scaled).values()), ASSOCIATED
    ).risk_difference.mean
    assert rows.loc["rescale", "bias_removed"] == pytest.approx(
        shortcut_effect(shared, ASSOCIATED).risk_difference.mean - risk_difference
    )


def test_a_mitigation_is_compared_with_the_trials_without_one_of_its_own_study(make, tmp_path):
    """An audit's first trials test other folds, train on fewer photos, and so lose accuracy of themselves."""
    first = cell(make, "none", 0.9, rotation=5)
    own = [cell(make, "none", 0.0), cell(make, "jitter", 0.0)]
    records = load_records(make.run(tmp_path, {"audit": [first], "mitigations": own}).folder.path)
    rows = mitigations(records, ASSOCIATED).set_index("mitigation")
    assert rows["accuracy"].to_dict() == {"none": 1.0, "jitter": 1.0}
    assert rows.loc["jitter", ["accuracy_lost", "bias_removed"]].tolist() == [0.0, 0.0]
    (audited,) = records.cells("label")
    assert records.accuracy(audited).mean < 0.8, "the verdict's own"


def test_without_none_nothing_is_compared_and_this_is_said(make, found):
    rows = mitigations(found(cell(make, "jitter", 0.2)), ASSOCIATED).set_index("mitigation")
    assert rows["missing"].to_dict() == {
        "none": "not asked for",
        "jitter": "no seed has finished both without a mitigation and with this one",
    }
    assert rows.loc["jitter", ["accuracy_lost", "bias_removed"]].isna().all()
    assert rows.loc["jitter", "accuracy"] > 0.5


def test_without_a_photo_that_disagrees_there_is_no_bias_to_remove_and_this_is_said(make, found):
    rows = mitigations(found(cell(make, "none", 0.2), cell(make, "jitter", 0.2)), {}).set_index("mitigation")
    assert set(rows["missing"]) == {"no bias-conflicting test photo"}
    assert rows[["risk_difference", "p", "bias_removed"]].isna().all(axis=None)
    assert not np.isnan(rows.loc["jitter", "accuracy_lost"])


def test_run_without_mitigations_has_no_rows(make, found):
    assert mitigations(found(cell(make, "none", 0.2)), ASSOCIATED).empty


def test_under_a_setting_cameras_imply_what_it_ties_them_to(make, found):
    cells = [
        make.cell("label", "disjoint", following(share), mitigation=name)
        for name, share in {"none": 0.9, "jitter": 0.0}.items()
    ]
    opposite = {camera: LABELS[label == LABELS[0]] for camera, label in ASSOCIATED.items()}
    rows = mitigations(found(*cells), opposite).set_index("mitigation")
    assert rows.loc["none", "risk_difference"] == pytest.approx(0.9, abs=0.1)
    assert rows.loc["jitter", "bias_removed"] == pytest.approx(0.9, abs=0.1)


def test_mitigated_models_are_in_no_other_answer_than_their_own(make, found):
    records = found(cell(make, "none", 0.2), cell(make, "jitter", 0.0))
    (plain,) = records.cells("label")
    assert plain.mitigation == "none"
    assert len(records.cells("label", mitigation=None)) == 2
    assert set(records.trials["name"].str.contains("-jitter-seed")) == {True, False}


def test_tables_tell_mitigations_apart_and_give_no_number_of_the_paper_beside_them(make, found):
    cells = [
        make.cell("label", "balanced", following(0.2), mitigation=name, model="resnet34")
        for name in ("none", "jitter")
    ]
    (table,) = make_tables(found(*cells, paper="Table II"))
    assert "mitigation" in table.tidy
    whole = table.tidy[table.tidy["cameras"] == "all"].set_index("mitigation")
    assert whole["paper"].isna().to_dict() == {"none": False, "jitter": True}
    assert table.wide[0].frame["mitigation"].tolist() == ["none", "jitter"]


def test_run_from_before_there_were_mitigations_is_read_as_one_without(make, found, tmp_path):
    found(cell(make, "none", 0.2))
    file = tmp_path / "studies" / "s.yaml"
    study = yaml.safe_load(file.read_text())
    for asked in study["cells"]:
        del asked["mitigation"]
    file.write_text(yaml.safe_dump(study))
    records = load_records(str(tmp_path))
    assert [one.mitigation for one in records.cells("label")] == ["none"]
    (table,) = make_tables(records)
    assert "mitigation" not in table.wide[0].frame
