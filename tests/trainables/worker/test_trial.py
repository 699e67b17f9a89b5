"""One trial: which images it takes, what its record holds, how it fails and goes on."""

import dataclasses
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from camerabias.trainables.records.run import Run
from camerabias.trainables.worker import fine_tuning
from camerabias.trainables.worker.trial import Trial


def record_of(job):
    return Run(job.run).record(job.config.id)


def test_record_holds_a_prediction_for_every_test_image(dataset, make_job, run_trial):
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
    assert progress.test_accuracy == done.test_accuracy
    assert record.config() == job.config
    assert not record.folder.exists("checkpoint.safetensors")


def test_same_trial_leaves_the_same_record_to_the_bit(make_job, run_trial):
    first, second = make_job("a"), make_job("b")
    run_trial(first)
    run_trial(second)
    assert_equal_records(record_of(first), record_of(second))


def assert_equal_records(ours, theirs):
    assert ours.config() == theirs.config()
    for read in ("history", "predictions"):
        pd.testing.assert_frame_equal(getattr(ours, read)(), getattr(theirs, read)(), check_exact=True)


def test_killed_trial_goes_on_from_its_checkpoint_to_the_same_bits(make_job, monkeypatch, run_trial):
    whole, killed = make_job("whole", {"max_steps": 30}), make_job("killed", {"max_steps": 30})
    run_trial(whole)
    monkeypatch.setattr(fine_tuning, "CHECKPOINT_SECONDS", 0.0)
    Trial(killed).advance(seconds=0.0)  # one epoch, then the process is gone
    assert record_of(killed).folder.exists("checkpoint.json")
    resumed = Trial(killed)
    epochs = 0
    while resumed.advance(seconds=0.0).status == "running":
        epochs += 1
    assert epochs < 30 // 10
    assert_equal_records(record_of(whole), record_of(killed))
    assert not record_of(killed).folder.exists("checkpoint.json")


def test_running_trial_says_how_far_it_is_and_takes_it_back_when_it_ends(make_job, monkeypatch, run_trial):
    monkeypatch.setattr(fine_tuning, "PROGRESS_SECONDS", 0.0)
    job, unwatched = make_job("watched", {"max_steps": 30}), make_job("plain", {"max_steps": 30})
    trial = Trial(job)
    trial.advance(seconds=0.0)
    said = record_of(job).progress()
    assert (said.step, said.max_steps, said.validation_loss) == (0, 30, None)  # before the first epoch
    reported = trial.advance(seconds=0.0)
    said = record_of(job).progress()
    assert 0 < said.step < reported.step
    assert said.images_per_second > 0
    contents = Run(job.run).contents()[job.config.id]
    assert (contents.status, contents.has_progress) == ("started", True)
    while trial.advance(seconds=0.0).status == "running":
        pass
    assert record_of(job).progress() is None
    monkeypatch.setattr(fine_tuning, "PROGRESS_SECONDS", 1e9)
    run_trial(unwatched)
    assert_equal_records(record_of(job), record_of(unwatched))


def test_trial_that_fails_takes_its_progress_back(make_job, run_trial):
    job = make_job(recipe={"learning_rate": 1e30, "schedule": "constant"})
    assert run_trial(job).status == "failed"
    assert not record_of(job).folder.exists("progress.json")


def test_progress_alone_is_no_record(make_job):
    folder = Run(make_job().run).record("somebody").folder
    folder.write_json("progress.json", {})  # a worker that outlived the folder it wrote into
    assert Run(make_job().run).statuses() == {"somebody": "missing"}


def test_every_validation_is_reported_once_and_a_resumed_trial_goes_on_where_it_was(make_job, monkeypatch):
    monkeypatch.setattr(fine_tuning, "CHECKPOINT_SECONDS", 0.0)
    job = make_job(recipe={"max_steps": 30, "evaluate_every": 3})
    reports = [Trial(job).advance(seconds=0.0)]  # one epoch, then the process is gone
    resumed = Trial(job)
    while reports[-1].status == "running":
        reports.append(resumed.advance(seconds=0.0))
    told = [validation for report in reports for validation in report.validations]
    validated = record_of(job).history().dropna()
    assert [v.step for v in told] == validated["step"].tolist()
    assert [v.loss for v in told] == validated["validation_loss"].tolist()
    assert [v.accuracy for v in told] == validated["validation_accuracy"].tolist()


def test_trials_are_logged_by_name(make_job, caplog, run_trial):
    job = make_job()
    with caplog.at_level("INFO", logger="camerabias"):
        run_trial(job)
    assert [message.startswith(job.config.name) for message in caplog.messages] == [True, True]


def test_failure_is_kept_with_its_traceback_and_cleared_by_the_next_start(make_job, monkeypatch, run_trial):
    job = make_job()

    def explode(*args):
        raise RuntimeError("the disk is made of cheese")

    with monkeypatch.context() as patch:
        patch.setattr(fine_tuning, "predict_logits", explode)
        progress = run_trial(job)
    failure = record_of(job).failure()
    assert progress.status == "failed"
    assert progress.reason == failure.reason == "RuntimeError: the disk is made of cheese"
    assert "in explode" in failure.traceback
    assert Run(job.run).statuses() == {job.config.id: "failed"}
    assert run_trial(job).status == "done"
    assert Run(job.run).statuses() == {job.config.id: "done"}


def test_divergence_is_a_failure_named_in_a_sentence(make_job, run_trial):
    job = make_job(recipe={"learning_rate": 1e30, "schedule": "constant"})
    assert "training has diverged" in run_trial(job).reason


@pytest.mark.parametrize("view", ["jitter", "crop32"])
def test_trials_on_random_views_leave_the_same_record_to_the_bit(make_job, view, run_trial):
    pieces = {"size": 32, "source_size": 64} if view == "crop32" else {}
    jobs = [make_job(run, train_view=view, test_view=view, **pieces) for run in ("a", "b")]
    for job in jobs:
        run_trial(job)
    assert_equal_records(*map(record_of, jobs))


def test_crops_are_tested_on_ten_draws_of_each_image_and_the_first_is_the_accuracy(make_job, run_trial):
    job = make_job(train_view="crop32", test_view="crop32", size=32, source_size=64)
    progress = run_trial(job)
    rows = record_of(job).predictions()
    draws = rows.pivot(index="image_id", columns="draw", values="probabilities")
    assert draws.columns.tolist() == list(range(10))
    assert not np.allclose(np.stack(draws[0]), np.stack(draws[1]))
    first = rows[rows["draw"] == 0]
    assert progress.test_accuracy == pytest.approx((first["prediction"] == first["camera"]).mean())
    assert record_of(job).done().test_images == len(first)


def test_jitter_of_the_recipe_changes_the_training_and_nothing_of_an_older_id(make_job, run_trial):
    plain, jittered = make_job("a"), make_job("b", {"jitter": 0.5})
    assert "jitter" not in plain.config.recipe.model_dump(exclude_defaults=True)
    assert plain.config.id != jittered.config.id
    histories = []
    for job in (plain, jittered):
        run_trial(job)
        histories.append(record_of(job).history())
    assert not np.allclose(histories[0]["train_loss"], histories[1]["train_loss"])


def test_search_never_looks_at_test_images(dataset, make_job, run_trial):
    job = dataclasses.replace(make_job(), purpose="search")
    progress = run_trial(job)
    folder = record_of(job).folder
    assert progress.status == "done"
    assert not folder.exists("predictions.parquet")
    rows = folder.read_table("validation.parquet").to_pandas()
    validation = dataset.index.loc[dataset.index["fold"] == 1, "image_id"]
    assert sorted(rows["image_id"]) == sorted(validation)
    assert progress.validation_accuracy == pytest.approx((rows["prediction"] == rows["camera"]).mean())
    assert progress.test_accuracy is None
    last = (
        folder.read_table("history.parquet").to_pandas().iloc[-1]
    )  # of one cycle the last weights are tested
    assert progress.validation_loss == last["validation_loss"]
    assert progress.validation_accuracy == last["validation_accuracy"]


def test_trial_tests_on_another_view(dataset, make_job, run_trial):
    same, other = make_job("a"), make_job("b", test_view="gray")
    run_trial(same)
    run_trial(other)
    ours, theirs = record_of(same).predictions(), record_of(other).predictions()
    assert ours["image_id"].equals(theirs["image_id"])
    assert not np.allclose(np.stack(ours["probabilities"]), np.stack(theirs["probabilities"]))


def test_training_does_not_import_ray():
    code = (
        "import camerabias.trainables.worker.trial, sys; "
        "assert 'ray' not in sys.modules and 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
