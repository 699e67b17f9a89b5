"""A trial that fits a linear probe leaves a record like any other."""

import numpy as np
import pandas as pd
import pytest

from camerabias.datasets.sampling.rules import resolve_setting
from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.linear_probe import LinearProbe
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import load_recipe

PROBE = LinearProbe(crops=1, precision="float32")


@pytest.fixture
def fit(make_job, run_trial, dataset):
    def fit(run="run", mitigation="none", probes=(), **changes):
        recipe = PROBE.model_copy(update={"mitigation": mitigation})
        setting = resolve_setting("natural", dataset.manifest)
        job = make_job(run, recipe, model="linear:test_resnet", setting=setting, **changes)
        job = type(job)(**{**vars(job), "probes": tuple(map(Probe.model_validate, probes))})
        return run_trial(job), Run(job.run).record(job.config.id)

    return fit


def test_record_holds_predictions_of_the_test_images_and_no_history(fit, dataset):
    progress, record = fit(rotation=5, test_fold=1)
    assert (progress.status, progress.step, progress.max_steps) == ("done", 1, 1)
    rows, done = record.predictions(), record.done()
    tested = dataset.index[dataset.index["fold"].isin([1, 6])]
    assert rows["image_id"].tolist() == sorted(tested["image_id"])
    assert done.test_accuracy == pytest.approx((rows["prediction"] == rows["camera"]).mean())
    assert 0 < done.validation_accuracy <= 1
    np.testing.assert_allclose(np.stack(rows["probabilities"]).sum(axis=1), 1, atol=1e-5)
    assert record.history().empty
    assert record.is_done()


def test_same_trial_leaves_the_same_predictions_to_the_bit(fit):
    found = [fit(run)[1].predictions() for run in ("a", "b")]
    pd.testing.assert_frame_equal(*found, check_exact=True)


@pytest.mark.parametrize("mitigation", sorted(set(MITIGATIONS) - {"none", "adversary", "reweight"}))
def test_every_mitigation_of_features_fits_another_head(fit, mitigation):
    """The adversary is none, since features are frozen; and the cells are even already, so that weights are."""
    before, after = (fit(name, name, target="label")[1].predictions() for name in ("none", mitigation))
    assert after["image_id"].tolist() == before["image_id"].tolist()
    probabilities = [np.stack(rows["probabilities"]) for rows in (before, after)]
    assert not np.allclose(*probabilities)


def test_counterfactual_is_what_it_says_of_the_very_photos_of_all_cameras(fit):
    progress, record = fit(probes=["counterfactual", "training_images"], target="label")
    assert progress.status == "done"
    found, tested = record.probe("counterfactual"), record.predictions()
    again = {(g, c): p for g, c, p in zip(found["group"], found["camera"], found["prediction"], strict=True)}
    assert len(again) == len(tested)
    same = [again[row.group, row.camera] == row.prediction for row in tested.itertuples()]
    assert np.mean(same) > 0.95  # features are stored in float16
    train = record.probe("training_images")
    assert not set(train["image_id"]) & set(tested["image_id"])


def test_probes_are_run_again_on_the_head_that_was_kept(fit):
    before = fit(probes=["training_images"], target="label")[1]
    kept = before.probe("training_images")["prediction"]
    before.folder.delete("probes/training_images.npz")
    _, record = fit(probes=["training_images"], target="label")
    assert (record.probe("training_images")["prediction"] == kept).all()


def test_control_is_independent_of_the_camera_or_says_why_there_is_none(fit, dataset):
    _, record = fit(probes=["control"], target="label")
    found = record.probe("control")
    assert found["shams"].shape == (199, len(record.predictions()))
    assert 0.5 <= found["effective"] <= 1
    assert set(found["control"]) <= {0, 1}


def test_network_is_trained_as_before(make_job, run_trial):
    assert run_trial(make_job(recipe=load_recipe("demo").model_dump() | {"max_steps": 4})).step == 4
