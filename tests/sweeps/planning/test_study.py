"""Studies: shipped ones, a user's own, and everything that can be wrong with one."""

from pathlib import Path

import pytest
import yaml

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.planning.study import load_study, study_names
from camerabias.trainables.spec.mitigation import MITIGATIONS

MINE = {
    "title": "mine",
    "models": ["test_resnet"],
    "seeds": [0],
    "grids": [{"target": "label", "settings": ["natural", {"name": "one", "cells": [["a", "b"]]}]}],
}


def write(tmp_path, **changes):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(MINE | changes))
    return str(path)


def test_every_shipped_study_loads():
    assert {"demo", "table1", "table2", "audit"} <= set(study_names())
    for name in study_names():
        assert load_study(name)


def test_tables_one_and_two_are_the_papers():
    (table1,), (table2,) = load_study("table1"), load_study("table2")
    models = ["resnet34", "resnet101", "inception_v3", "alexnet", "vgg16"]
    assert table1.models == table2.models == models
    assert table1.seeds == table2.seeds == [0, 1, 2, 3]
    assert [(grid.target, grid.settings) for grid in table1.grids] == [("camera", ["balanced"])]
    assert [(grid.target, grid.settings) for grid in table2.grids] == [
        ("label", ["balanced", "partial", "disjoint"])
    ]


def test_demo_stands_for_both_tables_with_its_own_model_and_recipe():
    studies = load_study("demo", seeds=[7])
    assert [study.name for study in studies] == ["table1", "table2"]
    assert all((s.models, s.recipe, s.seeds) == (["test_resnet"], "demo", [7]) for s in studies)


def test_paper_stands_for_all_six_tables():
    studies = load_study("paper")
    assert [study.name for study in studies] == [f"table{number}" for number in range(1, 7)]
    roman = ["I", "II", "III", "IV", "V", "VI"]
    assert [study.paper for study in studies] == [f"Table {number}" for number in roman]


def test_including_study_hands_its_size_on(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(
        yaml.safe_dump(
            {"title": "t", "includes": ["table1"], "models": ["resnet34"], "seeds": [0], "size": 96}
        )
    )
    assert [study.size for study in load_study(str(path))] == [96]


def test_probes_read_with_parameters_and_those_of_pieces_want_a_view_of_pieces(tmp_path):
    grid = {"target": "camera", "settings": ["natural"], "views": ["crop32"]}
    (study,) = load_study(write(tmp_path, grids=[{**grid, "probes": [{"name": "crop_map", "divisions": 8}]}]))
    assert [str(probe) for probe in study.grids[0].probes] == ["crop_map-divisions8"]
    with pytest.raises(CamerabiasError, match="probe crop_map needs models trained on crop32, not on rgb"):
        load_study(write(tmp_path, grids=[{**grid, "views": ["rgb"], "probes": ["crop_map"]}]))
    with pytest.raises(
        CamerabiasError, match=r"'x' is not known; allowed: attributions, control, counterfactual"
    ):
        load_study(write(tmp_path, grids=[{**grid, "probes": ["x"]}]))


def test_unknown_mitigation_is_named_with_those_there_are(tmp_path):
    grid = {"target": "label", "settings": ["natural"]}
    (study,) = load_study(write(tmp_path, grids=[grid]))
    assert study.grids[0].mitigations == ["none"]
    with pytest.raises(
        CamerabiasError,
        match=r"'resampling' is not known .*; allowed: none, reweight, resample, ",
    ):
        load_study(write(tmp_path, grids=[{**grid, "mitigations": ["none", "resampling"]}]))


def test_lists_in_a_recipe_stand_for_every_combination(tmp_path):
    def recipes(given):
        grid = {"target": "label", "settings": ["natural"], "recipes": given}
        (study,) = load_study(write(tmp_path, recipe="demo", grids=[grid]))
        return study.grids[0].recipes

    fields = {"batch_size": 8, "learning_rate": [1e-3, 1e-4], "weight_decay": [0, 1e-4]}
    assert [tuple(recipe.values()) for recipe in recipes(fields)] == [
        (8, 1e-3, 0), (8, 1e-3, 1e-4), (8, 1e-4, 0), (8, 1e-4, 1e-4),
    ]  # fmt: skip
    assert recipes(["paper", {"base": "paper", "max_steps": [1, 2]}]) == [
        "paper", {"base": "paper", "max_steps": 1}, {"base": "paper", "max_steps": 2},
    ]  # fmt: skip
    for wrong in ("cheese", {"learning_rate": -1}, {"learning": [1, 2]}, []):
        with pytest.raises(CamerabiasError, match="recipe"):
            recipes(wrong)


def test_study_of_mitigations_has_them_all():
    (study,) = load_study("mitigations")
    assert study.grids[0].mitigations == list(MITIGATIONS)


def test_model_trained_on_pieces_is_not_tested_on_whole_photos(tmp_path):
    grid = {"target": "camera", "settings": ["natural"], "views": ["crop32"], "test_view": "rgb"}
    with pytest.raises(CamerabiasError, match="trained on crop32 cannot be tested on rgb"):
        load_study(write(tmp_path, grids=[grid]))


@pytest.mark.parametrize("name", ["balanced", "strength-0.5", "without-x", "leave-one-camera-out"])
def test_cells_of_the_user_s_own_do_not_take_the_name_of_a_rule(tmp_path, name):
    grid = {"target": "label", "settings": [{"name": name, "cells": [["a", "b"]]}]}
    with pytest.raises(CamerabiasError, match=f"'{name}' is the name of a rule"):
        load_study(write(tmp_path, grids=[grid]))


def test_settings_with_a_value_are_known_and_a_wrong_value_is_named(tmp_path):
    names = ["strength-0.5", "without-Vivo", "leave-one-camera-out"]
    (study,) = load_study(write(tmp_path, grids=[{"target": "label", "settings": names}]))
    assert study.grids[0].settings == names
    with pytest.raises(CamerabiasError, match=r"'strength-2' is not known: .* 'fair' is not known; allowed"):
        load_study(write(tmp_path, grids=[{"target": "label", "settings": ["strength-2", "fair"]}]))


def test_file_of_the_user_is_named_after_itself(tmp_path):
    (study,) = load_study(write(tmp_path))
    assert study.name == "mine"
    assert study.grids[0].settings[1].cells == [("a", "b")]


def test_command_line_s_changes_replace_the_file_s_fields(tmp_path):
    (study,) = load_study(write(tmp_path), models=["alexnet"], seeds=None)
    assert (study.models, study.seeds) == (["alexnet"], [0])


def test_everything_wrong_is_listed_at_once_with_what_is_allowed(tmp_path):
    path = write(
        tmp_path,
        modells=["x"],
        models=["nosuchnet"],
        recipe="papr",
        grids=[{"target": "lable", "settings": ["ballanced"], "views": ["rgbb"], "extra": 1}],
    )
    with pytest.raises(CamerabiasError) as error:
        load_study(path)
    said = str(error.value)
    for word in ("modells", "nosuchnet", "papr", "lable", "ballanced", "rgbb", "extra"):
        assert word in said
    for allowed in ("resnet34", "balanced", "gray", "rotate_folds", "equal_training_size", "'camera'"):
        assert allowed in said


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "a: [b"])
def test_file_that_is_no_study_is_said_so(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(CamerabiasError, match=r"bad\.yaml"):
        load_study(str(path))


def test_unknown_study_lists_the_shipped_ones():
    with pytest.raises(CamerabiasError, match=r"no study 'tabel1' .*; allowed: audit, .*, table1, table2"):
        load_study("tabel1")


def test_example_of_a_study_of_one_s_own_loads():
    path = Path(__file__).parents[3] / "examples" / "two_sites.yaml"
    (study,) = load_study(str(path))
    assert [getattr(setting, "name", setting) for setting in study.grids[0].settings] == [
        "natural",
        "tied",
        "mixed",
    ]
