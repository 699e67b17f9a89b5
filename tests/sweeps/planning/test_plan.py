"""From studies to trials."""

import json
from dataclasses import replace

import pytest
import yaml
from safetensors.torch import save_file

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.planning.plan import make_plan
from camerabias.sweeps.planning.speed import measure_here
from camerabias.sweeps.planning.study import load_study
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.models.weights import weights_id
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import PlannedStudy
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.training.data import assign_parts

LINEAR = "linear:test_resnet"
MODELS = [
    "resnet34",
    "resnet101",
    "inception_v3",
    "alexnet",
    "vgg16",
    "test_resnet",
    LINEAR,
    "linear:embeddings",
]


def plan(names, dataset, tmp_path, weights="none", **changes):
    studies = [study for name in names for study in load_study(name, weights=weights, **changes)]
    return make_plan(studies, dataset, Run(str(tmp_path / "run")), None, measure_here)


def test_tables_come_to_the_papers_number_of_trials(dataset, tmp_path):
    made = plan(["table1", "table2"], dataset, tmp_path)
    assert len(made.trials) == 5 * 4 + 5 * 3 * 4
    assert {trial.test_fold for trial in made.trials.values()} == {0}


def test_paper_comes_to_240_trials(dataset, tmp_path):
    made = plan(["paper"], dataset, tmp_path)
    assert len(made.trials) == 240
    together = plan(["paper", "table2", "table5"], dataset, tmp_path)
    assert set(together.trials) == set(made.trials)


def test_crops_are_cut_from_the_dataset_s_own_pixels_whatever_the_model_sees(dataset, tmp_path):
    for trial in plan(["table5"], dataset, tmp_path).trials.values():
        assert (trial.size, trial.source_size) == (32, 64)
        assert [(str(v.view), v.size, v.fit) for v in trial.variants] == [("rgb", 64, "crop")] * 2
        assert trial.input_shape == (32, 32)


def test_crops_of_photos_smaller_than_a_crop_are_refused(dataset, tmp_path):
    small = dataset.index.assign(height=[31, 30] + [64] * 98)
    with pytest.raises(
        CamerabiasError, match=r"2 images are smaller than the 32 × 32 pixels of a crop, down to 30"
    ):
        plan(["table5"], type(dataset)(dataset.folder, dataset.manifest, small), tmp_path)


def test_halves_are_squares_for_models_that_take_squares_alone(dataset, tmp_path):
    trials = plan(["table6"], dataset, tmp_path).trials.values()
    shapes = {trial.model: trial.input_shape for trial in trials}
    assert shapes["alexnet"] == shapes["vgg16"] == (224, 224)
    assert shapes["resnet34"] == shapes["inception_v3"] == (64, 32)


def test_study_of_resolution_sees_224_pixels_and_says_so(dataset, tmp_path):
    large = dataset.manifest.model_copy(update={"size": 1024})
    made = plan(["resolution"], type(dataset)(dataset.folder, large, dataset.index), tmp_path)
    assert {trial.size for trial in made.trials.values()} == {224}
    assert all(cell.downsampled for cell in made.studies[0].cells)
    made = plan(["table1"], type(dataset)(dataset.folder, large, dataset.index), tmp_path)
    downsampled = {cell.model: cell.downsampled for cell in made.studies[0].cells}
    assert downsampled == {
        "resnet34": False, "resnet101": False, "inception_v3": False, "alexnet": True, "vgg16": True,
    }  # fmt: skip


def test_done_trials_that_lack_a_probe_are_run_again_on_their_weights_alone(dataset, tmp_path):
    before = plan(["table2"], dataset, tmp_path, seeds=[0], models=["resnet34"])
    with_weights, without, whole = before.trials
    done = ("config.json", "history.parquet", "predictions.parquet", "done.json")
    probes = ("probes/perturbations.npz", "probes/attributions.npz")
    folder = Run(str(tmp_path / "run")).folder
    for trial, names in (
        (with_weights, (*done, "weights.safetensors", probes[0])),
        (without, done),
        (whole, (*done, "weights.safetensors", *probes)),
    ):
        for name in names:
            folder.child("trials", trial).write_json(name, {})
    after = plan(["table2"], dataset, tmp_path, seeds=[0], models=["resnet34"])
    assert [config.id for config in after.to_run(retry_failed=False)] == [with_weights]
    assert [config.id for config in after.without_weights()] == [without]


def test_trial_of_two_studies_is_asked_for_the_probes_of_both(dataset, tmp_path):
    made = plan(["table1", "table2"], dataset, tmp_path, seeds=[0], models=["resnet34"])
    asked = {config.target: made.probes[trial] for trial, config in made.trials.items()}
    assert [str(probe) for probe in asked["label"]] == ["perturbations", "attributions"]
    assert asked["camera"] == ()


def test_trials_that_studies_share_are_there_once(dataset, tmp_path):
    assert set(plan(["demo", "demo"], dataset, tmp_path).trials) == set(
        plan(["demo"], dataset, tmp_path).trials
    )


def test_trials_run_seed_by_seed(dataset, tmp_path):
    seeds = [trial.seed for trial in plan(["demo"], dataset, tmp_path).trials.values()]
    assert seeds == sorted(seeds)


def test_mitigations_are_cells_of_their_own_with_the_study_s_recipe_and_their_fields(dataset, tmp_path):
    made = plan(["mitigations"], dataset, tmp_path, recipe="demo", models=["test_resnet"])
    assert [cell.mitigation for cell in made.studies[0].cells] == list(MITIGATIONS)
    assert len(made.trials) == 3 * len(MITIGATIONS)
    for cell in made.studies[0].cells:
        for trial in cell.trials.values():
            expected = load_recipe("demo").model_copy(update=dict(MITIGATIONS[cell.mitigation].fields))
            assert made.trials[trial].recipe == expected
    # photos trained as they are, which an audit asks for as well, are the same trials
    audit = plan(["audit"], dataset, tmp_path, recipe="demo", models=["test_resnet"])
    none = made.studies[0].cells[0]
    assert {*none.trials.values()} <= {*audit.trials}


def test_recipes_are_cells_of_their_own_named_by_what_differs_from_the_study_s(dataset, tmp_path):
    path = tmp_path / "recipes.yaml"
    recipes = [{}, {"base": "demo", "weight_decay": [0, 1e-4]}, {"learning_rate": 1e-3}]
    grid = {
        "target": "label",
        "settings": ["natural"],
        "recipes": recipes,
        "mitigations": ["none", "reweight"],
    }
    fields = {"title": "t", "models": ["test_resnet"], "seeds": [0, 1], "recipe": "demo", "grids": [grid]}
    path.write_text(json.dumps(fields))
    made = plan([str(path)], dataset, tmp_path)
    cells = made.studies[0].cells
    names = ["base", "weight_decay 0.0001", "learning_rate 0.001"]
    assert [(cell.recipe, cell.mitigation) for cell in cells] == [
        (name, mitigation) for name in names for mitigation in ("none", "reweight")
    ]
    assert made.trials[cells[-1].trials[1]].recipe == load_recipe(
        {"base": "demo", "learning_rate": 1e-3, "reweight": True}
    )
    assert cells[-1].trial_name(1).endswith("test_resnet-reweight-seed1 (learning_rate 0.001)")
    # the study's own are the trials that a study without other recipes asks for, and are written as before
    del grid["recipes"]
    path.write_text(json.dumps(fields))
    plain = plan([str(path)], dataset, tmp_path).studies[0]
    assert plain.cells == cells[:2]
    run = Run(str(tmp_path / "run"))
    run.write_study(made.studies[0])
    assert run.studies()["recipes"] == made.studies[0]
    written = yaml.safe_load(run.folder.child("studies").read_bytes("recipes.yaml"))["cells"]
    assert ["recipe" in cell for cell in written] == [False] * 2 + [True] * 4


def test_weights_are_compared_in_one_study(dataset, tmp_path):
    state = build_model("test_resnet", 2, (64, 64), None).state_dict()
    save_file(state, tmp_path / "own.safetensors")
    path, own = tmp_path / "weights.yaml", str(tmp_path / "own.safetensors")
    grid = {
        "target": "label",
        "settings": ["natural"],
        "recipes": {"weights": ["none", own], "weight_decay": [0, 1e-4]},
    }
    fields = {"title": "t", "models": ["test_resnet"], "seeds": [0], "recipe": "demo", "grids": [grid]}
    path.write_text(json.dumps(fields))
    made = plan([str(path)], dataset, tmp_path)
    digest = weights_id(state)
    recipe = load_recipe("demo")
    found = {cell.recipe: made.trials[cell.trials[0]] for cell in made.studies[0].cells}
    assert {name: (trial.weights, trial.recipe) for name, trial in found.items()} == {
        "base": ("none", recipe),
        "weight_decay 0.0001": ("none", recipe.model_copy(update={"weight_decay": 1e-4})),
        f"weights {own}": (digest, recipe),
        f"weight_decay 0.0001, weights {own}": (digest, recipe.model_copy(update={"weight_decay": 1e-4})),
    }
    assert made.sources == {"none": "none", digest: own}
    # the trials are those that a study for each of the weights would have
    del grid["recipes"]
    path.write_text(json.dumps(fields))
    (alone,) = plan([str(path)], dataset, tmp_path, own).trials
    assert alone == found[f"weights {own}"].id


@pytest.mark.parametrize(
    ("weights", "said"),
    [([None], "weights cannot be None; allowed: imagenet"), ("nowhere.pt", "no weights file")],
)
def test_weights_that_cannot_be_had_are_named(dataset, tmp_path, weights, said):
    path = tmp_path / "weights.yaml"
    grid = {"target": "label", "settings": ["natural"], "recipes": {"weights": weights}}
    path.write_text(json.dumps({"title": "t", "models": ["test_resnet"], "seeds": [0], "grids": [grid]}))
    with pytest.raises(CamerabiasError, match=said):
        plan([str(path)], dataset, tmp_path)


def test_study_from_before_there_were_mitigations_is_joined_as_one_without(dataset, tmp_path):
    now = plan(["table1"], dataset, tmp_path, models=["resnet34"], seeds=[0]).studies[0]
    before = now.model_dump(mode="json")
    del before["cells"][0]["mitigation"]
    assert now.joined_to(PlannedStudy.model_validate(before)).cells == now.cells


def test_adversary_is_refused_where_the_camera_is_the_target(dataset, tmp_path):
    recipe = {"base": "demo", "adversary": 0.5}
    with pytest.raises(CamerabiasError, match=r"'table1' trains models to name the camera with an adversary"):
        plan(["table1"], dataset, tmp_path, recipe=recipe)
    assert plan(["table2"], dataset, tmp_path, recipe=recipe).trials


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
    results = ("config.json", "history.parquet", "predictions.parquet", "done.json")
    for trial, names in ((done, results), (failed, ("error.json",)), (started, results[1:])):
        for name in names:
            folder.child("trials", trial).write_json(name, {})
    after = plan(["demo"], dataset, tmp_path, seeds=[0])
    assert [config.id for config in after.to_run(retry_failed=False)] == [started, missing]
    assert [config.id for config in after.to_run(retry_failed=True)] == [failed, started, missing]


def test_audit_rotates_folds_and_compares_settings_at_one_training_size(dataset, tmp_path):
    made = plan(["audit", "settings"], dataset, tmp_path, models=["test_resnet"])
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
    (audit,) = plan(["settings"], holed, tmp_path).studies
    assert [(skipped.target, skipped.setting) for skipped in audit.skipped] == [("label", "balanced")]
    assert "manufacturer 1 × Vivo" in audit.skipped[0].reason


def test_audit_trains_nothing_that_no_training_could_answer(dataset, tmp_path):
    """Where every camera has one label, whatever a model says of the label may be said of the camera."""
    manifest = dataset.manifest
    own = {"iPhone": 0, "Samsung": 0, "Huawei": 1, "Redmi": 1, "Vivo": 1}
    cells = tuple(c for c in manifest.cells if manifest.labels[own[c.camera]] == c.label)
    tied = type(dataset)(dataset.folder, manifest.model_copy(update={"cells": cells}), dataset.index)
    (audit,) = plan(["audit"], tied, tmp_path).studies
    assert {cell.target for cell in audit.cells} == {"camera"}
    assert "Every camera has photos of one label alone" in audit.skipped[0].reason
    # one camera for each label, too: not even cameras can be told apart from what photos show
    cells = tuple(c for c in cells if c.camera in ("iPhone", "Huawei"))
    single = type(dataset)(dataset.folder, manifest.model_copy(update={"cells": cells}), dataset.index)
    (audit,) = plan(["audit"], single, tmp_path).studies
    assert audit.cells == ()
    assert [skipped.target for skipped in audit.skipped] == ["camera", "label"]


def test_counterfactual_is_asked_of_simulated_photos_alone(dataset, tmp_path):
    (simulated,) = plan(["audit"], dataset, tmp_path).studies
    assert {probe for cell in simulated.cells for probe in cell.probes} == {"counterfactual"}
    real = dataset.manifest.model_copy(update={"source": {"kind": "folder"}})
    (audit,) = plan(["audit"], type(dataset)(dataset.folder, real, dataset.index), tmp_path).studies
    assert not any(cell.probes for cell in audit.cells)


def test_strengths_are_compared_at_one_training_size(dataset, tmp_path):
    made = plan(["strengths"], dataset, tmp_path)
    names = [cell.setting for cell in made.studies[0].cells]
    assert names == [f"strength-{value}" for value in ("0", "0.25", "0.5", "0.75", "0.9", "1")]
    sizes = {trial.train_size for trial in made.trials.values()}
    assert len(sizes) == 1
    index = dataset.index[dataset.index["fold"] >= 2]
    tied = set(made.trials[made.studies[0].cells[-1].trials[0]].setting.cells)
    counts = index.groupby(["label", "camera"]).size()
    assert sizes == {4 * min(counts[cell] for cell in tied)}  # at strength 1, of four cameras a cell each


def test_one_training_size_is_there_in_every_fold_of_a_rotation(dataset, tmp_path):
    """A rotation by five tests two folds and validates on one, so that seven train."""
    made = plan(["strengths"], dataset, tmp_path, rotation=5)
    trials = [trial for trial in made.trials.values() if trial.setting.name == "strength-1"]
    counts = [len(assign_parts(dataset, trial).train) for trial in trials]
    assert counts == [trial.train_size for trial in trials]
    assert {trial.test_fold for trial in trials} == {0, 1, 2}


def test_every_camera_is_left_out_once(dataset, tmp_path):
    made = plan(["unseen"], dataset, tmp_path, seeds=[0])
    cameras = dataset.manifest.cameras
    left_out = {cell.setting: set(cameras) - set(cell.seen_cameras) for cell in made.studies[0].cells}
    assert left_out == {f"without-{camera}": {camera} for camera in cameras}
    assert len(made.trials) == len(cameras)


def divided(dataset):
    """The dataset with a split of the user's: fold 0, and all that Redmi took, are tested."""
    index = dataset.index
    sides = index["fold"].map({0: "test"}).fillna("train").where(index["camera"] != "Redmi", "test")
    manifest = dataset.manifest.model_copy(update={"has_split": True})
    return replace(dataset, manifest=manifest, index=index.assign(split=sides))


def test_one_seed_tests_each_fold_where_seeds_differ_in_nothing_else(dataset, tmp_path):
    def seeds(study, data=dataset, **changes):
        made = plan([study], data, tmp_path, **({"models": [LINEAR]} | changes))
        return {(cell.setting, cell.mitigation): [*cell.trials] for cell in made.studies[0].cells}

    natural, split = ("natural", "none"), divided(dataset)
    assert seeds("audit", split) == {natural: [0]}
    assert seeds("audit", split, models=["test_resnet"])[natural] == [0, 1, 2, 3, 4]
    assert seeds("audit", split, seeds=[7, 3])[natural] == [7]
    assert seeds("audit", rotation=5, seeds=[*range(7)])[natural] == [0, 1, 2, 3, 4]
    assert seeds("audit", seeds=[*range(12)])[natural] == [*range(10)]
    drawn = {mitigation: len(found) for (_, mitigation), found in seeds("mitigations", split).items()}
    assert drawn == {name: 3 if name == "resample" else 1 for name in drawn}
    assert {len(found) for found in seeds("settings", split).values()} == {3}


def test_camera_that_a_split_only_tests_is_unseen(dataset, tmp_path):
    """Of a split, and under every setting: nothing has been learned of it."""
    made = plan(["audit"], divided(dataset), tmp_path, seeds=[0])
    seen = {frozenset(cell.seen_cameras) for cell in made.studies[0].cells}
    assert seen == {frozenset(dataset.manifest.cameras) - {"Redmi"}}


def test_camera_that_is_named_beside_leave_one_camera_out_is_left_out_once(dataset, tmp_path):
    path = tmp_path / "some.yaml"
    grid = {"target": "label", "settings": ["without-Vivo", "leave-one-camera-out"]}
    path.write_text(json.dumps({"title": "t", "models": ["test_resnet"], "seeds": [0], "grids": [grid]}))
    names = [cell.setting for cell in plan([str(path)], dataset, tmp_path).studies[0].cells]
    assert sorted(names) == sorted(f"without-{camera}" for camera in dataset.manifest.cameras)
    assert names[0] == "without-Vivo"


def test_study_asked_for_again_keeps_its_other_seeds_unless_its_trials_changed(dataset, tmp_path):
    def planned(**changes):
        return plan(["table1"], dataset, tmp_path, models=["resnet34"], **changes).studies[0]

    first, more = planned(seeds=[0, 1]), planned(seeds=[5])
    assert more.joined_to(first).cells[0].trials.keys() == {0, 1, 5}
    assert more.joined_to(first).seeds == (0, 1, 5)
    other = planned(seeds=[5], recipe="demo")
    assert other.joined_to(first).cells[0].trials.keys() == {5}


def test_what_is_written_of_a_study_is_plain_and_complete(dataset, tmp_path):
    made = plan(["table2", "table5"], dataset, tmp_path, models=["resnet34"])
    run = Run(str(tmp_path / "run"))
    for study in made.studies:
        run.write_study(study)
    assert run.studies() == {study.name: study for study in made.studies}
    written = yaml.safe_load(run.folder.child("studies").read_bytes("table2.yaml"))
    assert list(written) == [
        "name", "title", "paper", "note", "models", "seeds", "recipe", "cells", "skipped",
    ]  # fmt: skip
    assert [cell["setting"] for cell in written["cells"]] == ["balanced", "partial", "disjoint"]
    partial = written["cells"][1]
    assert list(partial) == [
        "target", "setting", "train_view", "test_view", "model", "size", "seen_cameras", "family", "trials", "probes",
        "test_draws", "downsampled", "mitigation",
    ]  # fmt: skip
    assert partial["seen_cameras"] == ["iPhone", "Samsung"]
    assert list(partial["trials"]) == ["0", "1", "2", "3"]
    assert (partial["probes"], partial["test_draws"]) == (["perturbations", "attributions"], 1)
    assert made.studies[1].cells[0].test_draws == 10


def test_view_that_the_photos_cannot_serve_is_named_where_the_study_allows_it(dataset, tmp_path):
    path = tmp_path / "views.yaml"
    grid = {"target": "camera", "settings": ["natural"], "views": ["rgb", "crop32"]}
    fields = {
        "title": "t",
        "models": ["test_resnet"],
        "seeds": [0],
        "grids": [grid],
        "skip_unanswerable": True,
    }
    path.write_text(json.dumps(fields))
    small = dataset.index.assign(height=[22] + [64] * 99, path=[f"photo{i}.jpg" for i in range(100)])
    (planned,) = plan([str(path)], type(dataset)(dataset.folder, dataset.manifest, small), tmp_path).studies
    assert [str(cell.train_view) for cell in planned.cells] == ["rgb"]
    assert [skipped.setting for skipped in planned.skipped] == ["view crop32"]
    assert "first photo0.jpg" in planned.skipped[0].reason


def test_seeds_of_a_rotation_test_every_photo_once_and_train_on_none_of_its_fold(dataset, tmp_path):
    trials = plan(["audit"], dataset, tmp_path, models=[LINEAR, "resnet34"], rotation=5).trials.values()
    for model in (LINEAR, "resnet34"):
        parts = [
            assign_parts(dataset, trial)
            for trial in trials
            if trial.model == model and trial.target == "label"
        ]
        tested = [row for part in parts for row in part.test]
        assert sorted(tested) == list(range(len(dataset.index)))
        for part in parts:
            folds = [
                set(dataset.index["fold"].iloc[rows]) for rows in (part.train, part.validation, part.test)
            ]
            assert [len(some) for some in folds] == [7, 1, 2]
            assert not folds[0] & folds[1] | folds[0] & folds[2] | folds[1] & folds[2]


def test_linear_probe_and_network_stand_in_one_study(dataset, tmp_path):
    made = plan(["mitigations"], dataset, tmp_path, models=[LINEAR, "resnet34"], seeds=[0])
    (study,) = made.studies
    mitigations = {
        model: {cell.mitigation for cell in study.cells if cell.model == model} for model in study.models
    }
    assert mitigations["resnet34"] - mitigations[LINEAR] == {"adversary"}
    (skipped,) = {(note.setting, note.reason) for note in study.skipped}
    assert skipped[0] == f"{LINEAR}, adversary"
    assert "frozen" in skipped[1]
    alone = plan(["mitigations"], dataset, tmp_path, models=["resnet34"], seeds=[0])
    assert set(alone.trials) <= set(made.trials), "what a network's trial is called does not change"
    probes = [trial for trial in made.trials.values() if trial.model == LINEAR]
    assert {trial.recipe.mitigation for trial in probes} == mitigations[LINEAR]
    assert {draw.draws for trial in probes for draw in trial.embeddings} == {1, 4}


def test_features_of_one_s_own_are_of_the_photos_as_they_are_alone(dataset, tmp_path):
    features = tmp_path / "features.csv"
    features.write_text("the plan needs its hash alone")
    asked = {"weights": str(features), "models": ["linear:embeddings"], "seeds": [0]}
    made = plan(["cues"], dataset, tmp_path, **asked)
    (study,) = made.studies
    assert {cell.train_view for cell in study.cells} <= {"rgb"}
    assert any("as they are" in note.reason for note in study.skipped)
    audit = plan(["audit"], dataset, tmp_path, **asked).studies[0]
    assert {probe for cell in audit.cells for probe in cell.probes} == {"control"}, (
        "no other photos have features"
    )
