"""Probes: what they leave in a record, after training and later on kept weights."""

import dataclasses

import numpy as np
import pytest
from pydantic import ValidationError

from camerabias.datasets.sampling.rules import resolve_setting
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.probes.base import PROBES, ProbeKind
from camerabias.trainables.probes.counterfactual import with_every_camera
from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.records.run import Run

LABELS = {"target": "label"}
CROPS = {"train_view": "crop32", "test_view": "crop32", "size": 32, "source_size": 64}
HALVES = {"train_view": "left", "test_view": "right"}


@pytest.fixture
def probe(make_job, run_trial):
    """A function that trains a quick trial with probes and returns its record and its progress."""

    def run(*names, **changes):
        asked = tuple(map(Probe.model_validate, names))
        job = dataclasses.replace(make_job(**changes), probes=asked)
        progress = run_trial(job)
        return Run(job.run).record(job.config.id), progress, job

    return run


def test_perturbations_flip_test_images_of_the_second_class(probe, dataset):
    record, progress, _ = probe("perturbations", **LABELS)
    found = record.probe("perturbations")
    index = dataset.index.set_index("image_id").loc[found["image_id"]]
    assert progress.status == "done"
    assert set(index["fold"]) == {0}
    assert set(index["label"]) == {dataset.manifest.labels[1]}
    assert (
        len(index) == (dataset.index["fold"].eq(0) & dataset.index["label"].eq(index["label"].iloc[0])).sum()
    )
    assert (str(found["source"]), str(found["aim"])) == dataset.manifest.labels[::-1]
    changed = np.abs(found["perturbation"]).max(axis=(1, 2, 3)) > 0
    assert ((found["steps"] > 0) == changed).all()
    assert ((found["before"] == found["aim"]) == (found["steps"] == 0)).all()
    assert found["flipped"].all()
    assert found["pixels"].shape == found["perturbation"].shape == (len(index), 32, 32, 3)
    assert found["regions"].shape == found["pixels"].shape[:3]
    within = found["pixels"] + found["perturbation"]
    assert within.min() >= 0
    assert within.max() <= 255


def test_attributions_look_at_the_same_images(probe):
    record, _, _ = probe("perturbations", "attributions", **LABELS)
    first, second = record.probe("perturbations"), record.probe("attributions")
    for name in ("image_id", "regions"):
        np.testing.assert_array_equal(first[name], second[name])
    assert (second["prediction"] == first["before"]).all()
    assert second["attribution"].shape == first["pixels"].shape[:3]
    assert second["attribution"].min() >= 0


def test_number_of_images_per_camera_can_be_chosen(probe):
    record, _, _ = probe({"name": "attributions", "per_camera": 1}, **LABELS)
    cameras = record.probe("attributions-per_camera1")["camera"].tolist()
    assert len(cameras) == len(set(cameras)) == 5


def test_images_are_the_same_for_every_setting(probe, dataset):
    chosen = [
        probe("attributions", setting=resolve_setting(name, dataset.manifest), **LABELS)[0]
        .probe("attributions")["image_id"]
        .tolist()
        for name in ("balanced", "disjoint")
    ]
    assert chosen[0] == chosen[1]


def test_crop_map_holds_every_training_image_on_a_grid(probe, dataset):
    record, _, _ = probe({"name": "crop_map", "divisions": 4}, **CROPS)
    found = record.probe("crop_map-divisions4")
    index = dataset.index.set_index("image_id").loc[found["image_id"]]
    assert sorted(found["image_id"]) == sorted(dataset.index.loc[dataset.index["fold"] >= 2, "image_id"])
    assert found["top"].tolist() == found["left"].tolist() == [0, 16, 32]
    assert found["predicted"].shape == found["texture"].shape == (len(index), 3, 3)
    assert (found["classes"][found["truth"]] == index["camera"]).all()
    assert (int(found["side"]), int(found["height"]), int(found["width"])) == (32, 64, 64)


def test_crop_images_are_test_images_of_each_camera(probe, dataset):
    record, _, _ = probe({"name": "crop_images", "divisions": 4, "per_camera": 1}, **CROPS)
    found = record.probe("crop_images-divisions4-per_camera1")
    assert sorted(found["camera"]) == sorted(dataset.manifest.cameras)
    assert set(dataset.index.set_index("image_id").loc[found["image_id"], "fold"]) == {0}
    assert found["pixels"].shape == (5, 64, 64, 3)
    right = found["predicted"] == found["truth"][:, None, None]
    assert (right <= (found["probability"] >= 1 / 5)).all()


def test_training_images_are_predicted_through_the_test_view(probe, dataset):
    record, _, _ = probe("training_images", **HALVES)
    found = record.probe("training_images")
    training = dataset.index.loc[dataset.index["fold"] >= 2]
    assert sorted(found["image_id"]) == sorted(training["image_id"])
    assert set(found["prediction"]) <= set(dataset.manifest.cameras)
    assert record.done().train_images == len(training)


def test_probes_later_on_kept_weights_are_those_after_training_and_change_nothing_else(probe, run_trial):
    record, _, job = probe("perturbations", "attributions", **LABELS)
    before = {name: record.probe(name) for name in record.probe_names()}
    files = {name: record.folder.read_bytes(name) for name in record.folder.names() if "." in name}
    record.folder.delete_folder("probes")
    again = run_trial(job)
    assert again.status == "done"
    assert again.test_accuracy == record.done().test_accuracy
    for name, arrays in before.items():
        for key, values in record.probe(name).items():
            np.testing.assert_array_equal(values, arrays[key])
    assert {name: record.folder.read_bytes(name) for name in files} == files


def test_probe_that_fails_is_named_and_the_trial_and_other_probes_are_done(probe, monkeypatch, run_trial):
    def explode(subject, parameters):
        raise RuntimeError("the lens cap is on")

    monkeypatch.setitem(PROBES, "attributions", ProbeKind(explode, defaults={"per_camera": 10}))
    record, progress, job = probe("attributions", "perturbations", **LABELS)
    assert progress.status == "failed"
    assert progress.reason == "probe attributions: RuntimeError: the lens cap is on"
    assert "explode" in record.probe_failure("attributions").traceback
    assert record.is_done()
    assert record.probe_names() == ["perturbations"]
    monkeypatch.undo()
    assert run_trial(job).status == "done"
    assert record.probe_names() == ["attributions", "perturbations"]
    assert Run(job.run).contents()[job.config.id].probe_status("attributions") == "done"


def test_weights_are_kept_for_probes_alone(probe):
    assert not probe()[0].folder.exists("weights.safetensors")
    assert probe("attributions", seed=1)[0].folder.exists("weights.safetensors")


def test_a_probe_is_added_as_contributing_says(contributed, probe):
    contributed("trainables/probes/confidence.py", PROBES)
    record, _, _ = probe("confidence", **LABELS)
    found = record.probe("confidence")
    assert set(found["image_id"]) == set(record.predictions()["image_id"])
    assert ((found["confidence"] >= 0.5) & (found["confidence"] <= 1)).all(), "of two classes"


def test_names_and_parameters_read_as_those_of_views_do():
    probe = Probe.model_validate({"name": "crop_map", "divisions": 8})
    assert str(probe) == "crop_map-divisions8"
    assert str(Probe.model_validate("crop_map")) == "crop_map"
    with pytest.raises(
        ValidationError, match=f"probe 'x' is not known; allowed: {', '.join(sorted(PROBES))}"
    ):
        Probe.model_validate("x")


def test_damaged_weights_are_named_with_what_to_do(probe, run_trial):
    record, _, job = probe("attributions", **LABELS)
    record.folder.delete_folder("probes")
    record.folder.write_bytes("weights.safetensors", record.folder.read_bytes("weights.safetensors")[:100])
    progress = run_trial(job)
    assert progress.status == "failed"
    assert "weights.safetensors is damaged" in progress.reason
    assert f"delete {record.folder} to have the trial trained again" in progress.reason
    assert record.is_done()


def test_counterfactual_is_what_the_model_says_of_the_very_photos_of_all_cameras(probe, dataset):
    """The dataset holds every bottle by every camera, so that counterfactual photos are those it has."""
    record, progress, _ = probe("counterfactual", **LABELS)
    assert progress.status == "done"
    found = record.probe("counterfactual")
    tested = record.predictions()
    again = {(g, c): p for g, c, p in zip(found["group"], found["camera"], found["prediction"], strict=True)}
    assert len(again) == len(tested) == tested["group"].nunique() * 5
    for row in tested.itertuples():
        assert again[row.group, row.camera] == row.prediction
    labels = dict(zip(found["group"], found["label"], strict=True))
    assert labels == dict(zip(tested["group"], tested["label"], strict=True))


def test_real_photos_are_not_shot_again(dataset):
    source = {"kind": "table", "root": "photos"}
    real = type(dataset)(
        dataset.folder, dataset.manifest.model_copy(update={"source": source}), dataset.index
    )
    with pytest.raises(CamerabiasError, match="only simulated photos"):
        with_every_camera(real, dataset.index)
