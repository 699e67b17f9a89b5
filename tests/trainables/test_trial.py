"""One trial: which images it takes, what its record holds, how it fails and goes on."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from camerabias.datasets.create import import_dataset
from camerabias.datasets.settings import Setting, resolve_setting
from camerabias.datasets.sources import Photo, Source
from camerabias.datasets.storage import Folder
from camerabias.trainables import trial as trial_module
from camerabias.trainables.record import Run
from camerabias.trainables.train import TrainingError
from camerabias.trainables.trial import Trial, assign_parts, run_trial


def record_of(job):
    return Run(job.run).record(job.config.id)


def test_record_holds_a_prediction_for_every_test_image(dataset, make_job):
    job = make_job()
    progress = run_trial(job)
    record = record_of(job)
    test = dataset.index[dataset.index["fold"] == 0].sort_values("image_id")
    rows = record.predictions()
    assert rows["image_id"].tolist() == test["image_id"].tolist()
    for column in ("label", "camera", "group"):
        assert rows[column].tolist() == test[column].tolist()
    probabilities = np.stack(rows["probabilities"])
    assert probabilities.shape == (len(test), 5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    names = np.array(dataset.manifest.cameras)
    assert rows["prediction"].tolist() == names[probabilities.argmax(axis=1)].tolist()
    done = record.done()
    assert done.test_accuracy == pytest.approx((rows["prediction"] == rows["camera"]).mean())
    assert (done.steps, done.stopped, done.test_images) == (12, "max_steps", len(test))
    assert progress.status == "done"
    assert progress.accuracy == done.test_accuracy
    assert record.config() == job.config
    assert not record.folder.exists("checkpoint.safetensors")


def test_parts_of_a_setting(dataset, make_job):
    setting = resolve_setting("disjoint", dataset.manifest)
    parts = assign_parts(dataset, make_job(target="label", setting=setting, test_fold=9).config)
    index = dataset.index
    cells = set(zip(index["label"], index["camera"], strict=True))
    for rows, folds in ((parts.train, set(range(1, 9))), (parts.validation, {0})):
        some = index.iloc[rows]
        assert set(some["fold"]) == folds
        assert set(zip(some["label"], some["camera"], strict=True)) == set(setting.cells)
    test = index.iloc[parts.test]
    assert set(test["fold"]) == {9}
    assert set(zip(test["label"], test["camera"], strict=True)) == cells
    groups = [set(index.iloc[rows]["group"]) for rows in (parts.train, parts.validation, parts.test)]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]


def test_training_size_cuts_training_images_alone(dataset, make_job):
    whole = assign_parts(dataset, make_job().config)
    cut = assign_parts(dataset, make_job(train_size=40).config)
    assert len(cut.train) == 40
    counts = dataset.index.iloc[cut.train].groupby(["label", "camera"]).size()
    assert counts.tolist() == [4] * 10
    assert (len(cut.validation), len(cut.test)) == (len(whole.validation), len(whole.test))


def test_setting_without_images_is_a_failure_that_says_so(dataset, make_job):
    setting = Setting(name="mine", cells=(("manufacturer 1", "nobody's"),), equal_counts=False)
    with pytest.raises(TrainingError, match="no train images for setting 'mine'"):
        assign_parts(dataset, make_job(setting=setting).config)


def test_split_of_the_user_wins_over_folds(dataset, tmp_path):
    photos = []
    for number, row in enumerate(dataset.index.itertuples()):
        name = f"{row.image_id}.jpg"
        (tmp_path / name).write_bytes(dataset.read_image(row.image_id))
        split = "test" if number % 4 == 0 else "train"
        photos.append(Photo(name, row.label, row.camera, None, split))
    mine = import_dataset(Source("table", Folder(tmp_path), photos), Folder(tmp_path / "mine"), "local")
    config = make_config_for(mine)
    parts = assign_parts(mine, config)
    split, fold = mine.index["split"].to_numpy(), mine.index["fold"].to_numpy()
    assert set(parts.test) == set(np.flatnonzero(split == "test"))
    assert set(parts.validation) == set(np.flatnonzero((split == "train") & (fold == 1)))
    assert set(parts.train) == set(np.flatnonzero((split == "train") & (fold != 1)))


def make_config_for(dataset):
    from camerabias.trainables.config import TrialConfig, load_recipe

    return TrialConfig.model_validate(
        {
            "dataset": dataset.manifest.fingerprint,
            "model": "test_resnet",
            "weights": "none",
            "target": "label",
            "setting": resolve_setting("natural", dataset.manifest),
            "train_view": "rgb",
            "test_view": "rgb",
            "test_fold": 0,
            "seed": 0,
            "size": 32,
            "fit": "resize",
            "recipe": load_recipe("demo"),
        }
    )


def test_same_trial_leaves_the_same_record_to_the_bit(make_job):
    first, second = make_job("a"), make_job("b")
    run_trial(first)
    run_trial(second)
    assert_equal_records(record_of(first), record_of(second))


def assert_equal_records(ours, theirs):
    assert ours.config() == theirs.config()
    for read in ("history", "predictions"):
        pd.testing.assert_frame_equal(getattr(ours, read)(), getattr(theirs, read)(), check_exact=True)


def test_killed_trial_goes_on_from_its_checkpoint_to_the_same_bits(make_job, monkeypatch):
    whole, killed = make_job("whole", {"max_steps": 30}), make_job("killed", {"max_steps": 30})
    run_trial(whole)
    monkeypatch.setattr(trial_module, "CHECKPOINT_SECONDS", 0.0)
    Trial(killed).advance(seconds=0.0)  # one epoch, then the process is gone
    assert record_of(killed).folder.exists("checkpoint.json")
    resumed = Trial(killed)
    epochs = 0
    while resumed.advance(seconds=0.0).status == "running":
        epochs += 1
    assert epochs < 30 // 10
    assert_equal_records(record_of(whole), record_of(killed))
    assert not record_of(killed).folder.exists("checkpoint.json")


def test_failure_is_kept_with_its_traceback_and_cleared_by_the_next_start(make_job, monkeypatch):
    job = make_job()

    def explode(*args):
        raise RuntimeError("the disk is made of cheese")

    with monkeypatch.context() as patch:
        patch.setattr(trial_module, "predict_logits", explode)
        progress = run_trial(job)
    failure = record_of(job).failure()
    assert progress.status == "failed"
    assert progress.reason == failure.reason == "RuntimeError: the disk is made of cheese"
    assert "in explode" in failure.traceback
    assert Run(job.run).statuses() == {job.config.id: "failed"}
    assert run_trial(job).status == "done"
    assert Run(job.run).statuses() == {job.config.id: "done"}


def test_divergence_is_a_failure_named_in_a_sentence(make_job):
    job = make_job(recipe={"learning_rate": 1e30, "schedule": "constant"})
    assert "training has diverged" in run_trial(job).reason


def test_trial_tests_on_another_view(dataset, make_job):
    same, other = make_job("a"), make_job("b", test_view="gray")
    run_trial(same)
    run_trial(other)
    ours, theirs = record_of(same).predictions(), record_of(other).predictions()
    assert ours["image_id"].equals(theirs["image_id"])
    assert not np.allclose(np.stack(ours["probabilities"]), np.stack(theirs["probabilities"]))


def test_training_does_not_import_ray():
    code = (
        "import camerabias.trainables.trial, sys; assert 'ray' not in sys.modules and 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
