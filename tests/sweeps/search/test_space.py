"""Space files: the shipped example, a user's own, and everything that can be wrong with one."""

from pathlib import Path

import pytest
import yaml

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.search.space import load_space

MINE = """
title: mine
target: label
setting: balanced
model: test_resnet
recipe: demo
trials: 4
prune_after: null
space:
  learning_rate: {low: 1e-4, high: 1, log: true}
  batch_size: {low: 8, high: 64}
  patience_steps: {choices: [null, 100]}
  jitter: {low: 0, high: 1}
"""


def write(tmp_path, **changes):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(MINE) | changes))
    return str(path)


def test_values_are_read_as_the_recipe_has_them(tmp_path):
    """YAML takes 1e-4 for a word; 1 is a number of the learning rate like any other, and batches are whole."""
    space = load_space(write(tmp_path)).space
    assert [repr(value) for value in space["learning_rate"].values] == ["0.0001", "1.0"]
    assert [repr(value) for value in space["batch_size"].values] == ["8", "64"]
    assert space["patience_steps"].values == [None, 100]
    assert [repr(value) for value in space["jitter"].values] == ["0.0", "1.0"]


def test_name_and_seeds_have_defaults(tmp_path):
    space = load_space(write(tmp_path))
    assert (space.name, space.seed, space.confirm_seeds, str(space.view)) == ("mine", 0, [1, 2, 3], "rgb")


def test_example_loads():
    space = load_space(str(Path(__file__).parents[3] / "examples" / "search_demo.yaml"))
    assert list(space.space) == ["learning_rate", "batch_size"]


def test_everything_wrong_is_listed_at_once_with_what_is_allowed(tmp_path):
    path = write(
        tmp_path,
        trails=3,
        target="lable",
        setting="ballanced",
        model="nosuchnet",
        prune_after=0,
        confirm_seeds=[1, 0],
        space={
            "learning_rat": {"low": 0, "high": 1},
            "learning_rate": {"low": -1, "high": 1},
            "schedule": {"choices": ["constant", "cosine"]},
        },
    )
    with pytest.raises(CamerabiasError) as error:
        load_space(path)
    said = str(error.value)
    for word in ("trails", "lable", "ballanced", "nosuchnet", "prune_after", "seed of the search", "cosine"):
        assert word in said
    for allowed in ("prune_after", "'camera'", "balanced", "resnet34", "weight_decay", "'one_cycle'"):
        assert allowed in said
    assert "learning_rate cannot be -1" in said


@pytest.mark.parametrize(
    ("parameter", "said"),
    [
        ({"low": 2, "high": 1}, r"low \(2\) must be below high \(1\)"),
        ({"low": 0, "high": 1, "log": True}, r"low \(0\) must be above 0"),
        ({"low": 0, "high": 1, "steps": 3}, "unknown key; allowed: low, high, log"),
        ({"choices": [0.1]}, "at least 2"),
        ({"choices": [0.1, 0.2], "log": True}, "unknown key; allowed: choices"),
        (3, "space.weight_decay: a parameter is"),
    ],
)
def test_parameter_that_is_none_is_said_so(tmp_path, parameter, said):
    with pytest.raises(CamerabiasError, match=said):
        load_space(write(tmp_path, space={"weight_decay": parameter}))


def test_fields_that_exclude_each_other_are_not_searched_together(tmp_path):
    parameters = {name: {"choices": [False, True]} for name in ("reweight", "resample")}
    with pytest.raises(CamerabiasError, match="reweight and resample exclude each other in a recipe"):
        load_space(write(tmp_path, space=parameters))
    assert load_space(write(tmp_path, space={"reweight": {"choices": [False, True]}}))


def test_wrong_recipe_is_named(tmp_path):
    with pytest.raises(CamerabiasError, match="no recipe 'papr'"):
        load_space(write(tmp_path, recipe="papr"))


@pytest.mark.parametrize("text", ["", "just words", "[1, 2]", "a: [b"])
def test_file_that_is_no_space_is_said_so(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(CamerabiasError, match=r"bad\.yaml"):
        load_space(str(path))


def test_missing_file_is_said_so():
    with pytest.raises(CamerabiasError, match=r"no space file 'nowhere\.yaml'"):
        load_space("nowhere.yaml")
