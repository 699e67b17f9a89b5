"""From studies to trials."""

import json

import pytest

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.plan import make_plan, merge_described
from camerabias.sweeps.study import load_study
from camerabias.trainables.record import Run

WEIGHTS = dict.fromkeys(["resnet34", "resnet101", "inception_v3", "alexnet", "vgg16", "test_resnet"], "none")


def plan(names, dataset, tmp_path, **changes):
    studies = [study for name in names for study in load_study(name, **changes)]
    return make_plan(studies, dataset, Run(str(tmp_path / "run")), None, WEIGHTS)


def test_tables_come_to_the_papers_number_of_trials(dataset, tmp_path):
    made = plan(["table1", "table2"], dataset, tmp_path)
    assert len(made.trials) == 5 * 4 + 5 * 3 * 4
    assert {trial.test_fold for trial in made.trials.values()} == {0}


def test_trials_that_studies_share_are_there_once(dataset, tmp_path):
    assert set(plan(["demo", "demo"], dataset, tmp_path).trials) == set(
        plan(["demo"], dataset, tmp_path).trials
    )


def test_trials_run_seed_by_seed(dataset, tmp_path):
    seeds = [trial.seed for trial in plan(["demo"], dataset, tmp_path).trials.values()]
    assert seeds == sorted(seeds)


def test_models_with_a_fixed_input_get_it(dataset, tmp_path):
    trials = plan(["table1"], dataset, tmp_path).trials.values()
    sizes = {trial.model: trial.size for trial in trials}
    assert sizes["alexnet"] == sizes["vgg16"] == 224
    assert sizes["resnet34"] == dataset.manifest.size


def test_more_seeds_keep_the_ids_of_those_there_were(dataset, tmp_path):
    few = plan(["demo"], dataset, tmp_path, seeds=[0, 1])
    many = plan(["demo"], dataset, tmp_path, seeds=[0, 1, 2])
    assert set(few.trials) < set(many.trials)


def test_done_trials_are_not_run_again_and_failed_ones_only_if_asked(dataset, tmp_path):
    before = plan(["demo"], dataset, tmp_path, seeds=[0])
    done, failed, started, missing = before.trials
    folder = Run(str(tmp_path / "run")).folder
    results = ("history.parquet", "predictions.parquet", "done.json")
    for trial, names in ((done, results), (failed, ("error.json",)), (started, ("config.json", "done.json"))):
        for name in names:
            folder.child("trials", trial).write_json(name, {})
    after = plan(["demo"], dataset, tmp_path, seeds=[0])
    assert [config.id for config in after.to_run(retry_failed=False)] == [started, missing]
    assert [config.id for config in after.to_run(retry_failed=True)] == [failed, started, missing]


def test_audit_rotates_folds_and_compares_settings_at_one_training_size(dataset, tmp_path):
    made = plan(["audit"], dataset, tmp_path, models=["test_resnet"])
    sizes = {}
    for trial in made.trials.values():
        assert trial.test_fold == trial.seed
        sizes.setdefault((trial.target, trial.setting.name), set()).add(trial.train_size)
    assert sizes["label", "natural"] == {None}
    compared = [sizes["label", name] for name in ("balanced", "partial", "disjoint")]
    assert compared[0] == compared[1] == compared[2] != {None}


def test_setting_that_the_dataset_cannot_serve_stops_a_table_and_is_named_by_an_audit(dataset, tmp_path):
    manifest = dataset.manifest
    cells = tuple(c for c in manifest.cells if (c.label, c.camera) != ("manufacturer 1", "Vivo"))
    holed = type(dataset)(dataset.folder, manifest.model_copy(update={"cells": cells}), dataset.index)
    with pytest.raises(CamerabiasError, match="manufacturer 1 × Vivo"):
        plan(["table2"], holed, tmp_path)
    (audit,) = plan(["audit"], holed, tmp_path).studies
    assert [(skipped.target, skipped.setting) for skipped in audit.skipped] == [("label", "balanced")]
    assert "manufacturer 1 × Vivo" in audit.skipped[0].reason


def test_study_asked_for_again_keeps_its_other_seeds_unless_its_trials_changed(dataset, tmp_path):
    def described(**changes):
        return plan(["table1"], dataset, tmp_path, models=["resnet34"], **changes).studies[0].described()

    first, more = described(seeds=[0, 1]), described(seeds=[5])
    assert merge_described(first, more)["cells"][0]["trials"].keys() == {"0", "1", "5"}
    assert merge_described(first, more)["seeds"] == [0, 1, 5]
    other = described(seeds=[5], recipe="demo")
    assert merge_described(first, other)["cells"][0]["trials"].keys() == {"5"}


def test_what_analysis_is_told_is_plain_and_complete(dataset, tmp_path):
    (table2,) = plan(["table2"], dataset, tmp_path, models=["resnet34"]).studies
    described = json.loads(json.dumps(table2.described()))
    assert [cell["setting"] for cell in described["cells"]] == ["balanced", "partial", "disjoint"]
    partial = described["cells"][1]
    assert partial["seen_cameras"] == ["iPhone", "Samsung"]
    assert list(partial["trials"]) == ["0", "1", "2", "3"]
