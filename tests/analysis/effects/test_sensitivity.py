"""Dependence on the camera in whatever direction, against scipy's own statistics."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, kruskal

from camerabias.analysis.effects.sensitivity import predictions_sensitivity, scores_sensitivity


def rows(n=400, labels=2, cameras=3, shift=0.0, seed=0):
    """Predictions of photos that are groups of their own; `shift` is how often camera 0 decides."""
    generator = np.random.default_rng(seed)
    label, camera = generator.integers(labels, size=n), generator.integers(cameras, size=n)
    prediction = np.where(generator.random(n) < 0.8, label, generator.integers(labels, size=n))
    prediction = np.where((generator.random(n) < shift) & (camera == 0), 0, prediction)
    frame = pd.DataFrame({"image_id": np.arange(n), "group": np.arange(n), "draw": 0})
    named = {"label": label, "camera": camera, "prediction": prediction, "truth": label}
    return frame.assign(**{name: values.astype(str) for name, values in named.items()})


def test_of_one_label_p_is_that_of_the_chi_square():
    frame = rows(labels=2, shift=0.15)
    frame = frame[frame["label"] == "1"].reset_index(drop=True)
    table = pd.crosstab(frame["prediction"], frame["camera"])
    found = predictions_sensitivity([frame])
    assert found.p == pytest.approx(chi2_contingency(table, correction=False).pvalue, abs=0.03)


def test_of_one_label_p_is_that_of_kruskal_and_wallis():
    frame = rows(labels=1, cameras=3).assign(score=np.random.default_rng(3).normal(size=400))
    frame["score"] += 0.12 * (frame["camera"] == "2")
    by_camera = [part["score"] for _, part in frame.groupby("camera")]
    found = scores_sensitivity([frame], [frame[["score"]]])
    assert found.p == pytest.approx(kruskal(*by_camera).pvalue, abs=0.03)
    epsilon_squared = (kruskal(*by_camera).statistic - 2) / (len(frame) - 1 - 2)
    assert found.explained == pytest.approx(epsilon_squared, abs=0.002)


def test_probabilities_and_logits_come_to_the_same():
    frame, logits = rows(), pd.DataFrame(np.random.default_rng(1).normal(size=(400, 2)), columns=["a", "b"])
    assert scores_sensitivity([frame], [logits]) == scores_sensitivity([frame], [1 / (1 + np.exp(-logits))])


def test_balanced_photos_that_are_harder_by_one_camera_are_found():
    found = predictions_sensitivity([rows(2000, shift=0.3)])
    assert found.p == 0.001
    assert found.explained > 0.02


def test_independent_predictions_are_found_as_often_as_the_level_says():
    p = [predictions_sensitivity([rows(150, seed=seed)]).p for seed in range(60)]
    assert 0.3 < np.mean(np.array(p) <= 0.5) < 0.7
    assert np.mean(np.array(p) <= 0.05) < 0.15


def test_a_second_model_of_the_same_photos_adds_no_photos():
    one = rows(shift=0.1)
    assert predictions_sensitivity([one, one]).p == predictions_sensitivity([one]).p


@pytest.mark.parametrize("frame", [rows(cameras=1), rows(labels=1)])
def test_where_nothing_can_vary_nothing_is_known(frame):
    assert np.isnan(predictions_sensitivity([frame]).p)
