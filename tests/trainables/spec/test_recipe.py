"""A trial's id is a hash of exactly what its numbers depend on."""

import hashlib
import json
from itertools import combinations

import pytest

from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.registry import View
from camerabias.trainables.spec.linear_probe import LinearProbe
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import BALANCING, load_recipe, mitigate, recipe_names
from camerabias.trainables.spec.trial import TrialConfig

FIRST_RECIPE_FIELDS = (
    "learning_rate", "weight_decay", "batch_size", "schedule", "max_steps", "patience_steps", "evaluate_every",
    "precision",
)  # fmt: skip


def make_config(**changes):
    fields = {
        "dataset": "f" * 64,
        "model": "resnet34",
        "weights": "none",
        "target": "label",
        "setting": Setting(name="natural", cells=None, equal_counts=False),
        "train_view": View.model_validate("rgb"),
        "test_view": View.model_validate("rgb"),
        "test_fold": 0,
        "seed": 3,
        "size": 224,
        "fit": "resize",
        "recipe": load_recipe("paper"),
    }
    return TrialConfig.model_validate(fields | changes)


def test_id_is_the_hash_of_the_canonical_json_without_later_fields_at_their_default():
    fields = make_config().model_dump(mode="json")
    # added with a default: an older record, written without it, must keep its id
    del fields["train_size"], fields["source_size"], fields["rotation"]
    fields["recipe"] = {name: fields["recipe"][name] for name in FIRST_RECIPE_FIELDS}
    fields["setting"] = {name: fields["setting"][name] for name in ("name", "cells", "equal_counts")}
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    assert make_config().id == hashlib.sha256(canonical.encode()).hexdigest()[:16]


def test_id_is_that_of_the_first_version():
    assert make_config().id == "f678b1583738643e"


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 4},
        {"size": 225},
        {"weights": "sha256:0"},
        {"train_size": 100},
        {"rotation": 5},
        {"recipe": LinearProbe(crops=1, precision="float32")},
        {"train_view": "binary"},
        {"train_view": {"name": "binary", "window": 27}},
        {"setting": Setting(name="natural", cells=(("a", "b"),), equal_counts=False)},
        {"recipe": load_recipe({"base": "paper", "precision": "bfloat16"})},
        *({"recipe": mitigate(load_recipe("paper"), name)} for name in MITIGATIONS if name != "none"),
    ],
)
def test_id_changes_with_every_field(changes):
    assert make_config(**changes).id != make_config().id


def test_id_survives_a_round_trip_through_json():
    config = make_config(train_view={"name": "binary", "window": 27})
    assert TrialConfig.model_validate(json.loads(config.model_dump_json())).id == config.id


def test_name_is_readable():
    assert make_config().name == "label-natural-rgb-resnet34-seed3"
    assert make_config(test_view="gray").name == "label-natural-rgb-to-gray-resnet34-seed3"
    blurred = mitigate(load_recipe("paper"), "blur_noise")
    assert make_config(recipe=blurred).name == "label-natural-rgb-resnet34-blur_noise-seed3"


def test_learning_rate_that_yaml_reads_as_text_is_a_number(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "{learning_rate: 1e-4, weight_decay: 0, batch_size: 8, schedule: constant, max_steps: 5, "
        "patience_steps: null, evaluate_every: 1, precision: float32}"
    )
    assert load_recipe(str(path)).learning_rate == pytest.approx(1e-4)


def test_paper_recipe_is_what_the_paper_says():
    recipe = load_recipe("paper")
    assert (recipe.learning_rate, recipe.weight_decay, recipe.schedule) == (1e-4, 0, "constant")


def test_every_shipped_recipe_loads():
    assert {"paper", "demo", "scratch"} <= set(recipe_names())
    for name in recipe_names():
        load_recipe(name)


def test_unknown_recipe_lists_what_is_allowed():
    with pytest.raises(
        CamerabiasError,
        match=r"no recipe 'papr' .*; allowed: calibration, demo, fine_tuning, paper, scratch, small",
    ):
        load_recipe("papr")


def test_wrong_recipe_names_every_wrong_field():
    with pytest.raises(CamerabiasError) as error:
        load_recipe({"base": "paper", "learning_rate": -1, "lr": 1})
    assert "learning_rate" in str(error.value)
    assert "lr" in str(error.value)


def test_cells_are_evened_out_in_one_way_alone():
    for first, second in combinations(BALANCING, 2):
        with pytest.raises(CamerabiasError, match=f"{first} and {second} each balance .* keep one of them"):
            load_recipe({"base": "paper", first: 1, second: 1})
    resampled = load_recipe({"base": "paper", "resample": True})
    assert resampled.evens_cells
    with pytest.raises(
        CamerabiasError, match=r"mitigation 'reweight' cannot be used \(.*reweight and resample"
    ):
        mitigate(resampled, "reweight")


def test_mitigation_is_told_by_the_fields_of_a_recipe():
    for name in MITIGATIONS:
        assert mitigate(load_recipe("demo"), name).mitigation == name
    assert load_recipe({"base": "demo", "blur": 0.5}).mitigation == "none"
    assert mitigate(mitigate(load_recipe("demo"), "jitter"), "blur_noise").mitigation == "blur_noise"


def test_file_may_start_from_another_recipe(tmp_path):
    path = tmp_path / "short.yaml"
    path.write_text("base: demo\nmax_steps: 20\n")
    assert load_recipe(str(path)) == load_recipe("demo").model_copy(update={"max_steps": 20})
