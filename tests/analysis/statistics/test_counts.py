"""Permutations by counts, against those of photos one by one and against scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, random_table

from camerabias.analysis.effects.shortcut_effect import identification, minimum_detectable, shortcut_effect
from camerabias.analysis.statistics import association, counts
from camerabias.analysis.statistics.association import associate
from camerabias.analysis.statistics.counts import count_units, permuted_tables, random_tables


def test_tables_have_their_margins_and_scipys_distribution():
    kinds, classes = np.array([5, 0, 12, 3]), np.array([8, 10, 2])
    tables = permuted_tables(kinds, classes, 4000, np.random.default_rng(0))
    assert (tables.sum(axis=2) == kinds).all()
    assert (tables.sum(axis=1) == classes).all()
    assert (tables >= 0).all()
    reference = random_table(kinds, classes).rvs(4000, random_state=0)
    for cell in np.ndindex(4, 3):
        assert (
            ks_2samp(tables[(slice(None), *cell)], reference[(slice(None), *cell)], method="asymp").pvalue
            > 1e-4
        )
    assert np.cov(tables.reshape(4000, -1).T) == pytest.approx(
        np.cov(reference.reshape(4000, -1).T), abs=0.15
    )


def test_every_table_may_have_margins_of_its_own():
    kinds = np.array([[3, 1], [0, 4], [2, 2]])
    tables = random_tables(kinds, np.array([2, 2]), np.random.default_rng(0))
    assert (tables.sum(axis=2) == kinds).all()
    assert (tables.sum(axis=1) == 2).all()


def predictions(n=6_000, per_group=1, labels=3, follow=0.0, seeds=1):
    """Frames per seed, of photos in groups that one camera has taken; mostly right, or as the camera says."""
    generator = np.random.default_rng(0)
    groups = np.arange(n) // per_group
    label = generator.integers(labels, size=n)
    camera = generator.integers(4, size=n)[groups]
    frames = []
    for _ in range(seeds):
        prediction = np.where(generator.random(n) < 0.85, label, generator.integers(labels, size=n))
        prediction = np.where((generator.random(n) < follow) & (camera < labels), camera, prediction)
        named = {"label": label, "camera": camera, "prediction": prediction, "truth": label}
        frame = pd.DataFrame({name: values.astype(str) for name, values in named.items()})
        frames.append(frame.assign(image_id=np.arange(n), group=groups, draw=0))
    return frames


ASSOCIATED = {"0": "0", "1": "1", "2": "2"}
"""Camera 3 has no associated label."""


@pytest.fixture
def one_by_one(monkeypatch):
    """Has photos permuted one by one, however many they are."""

    def switch():
        for module in (counts, association):
            monkeypatch.setattr(module, "MANY", 10**9)

    return switch


@pytest.mark.parametrize(
    "design", [{}, {"seeds": 2}, {"per_group": 3, "labels": 2}, {"follow": 0.02}], ids=str
)
def test_p_and_the_minimum_detectable_effect_are_those_of_photos_one_by_one(design, one_by_one):
    frames = predictions(**design)
    counted = shortcut_effect(frames, ASSOCIATED), minimum_detectable(frames, ASSOCIATED)
    one_by_one()
    effect, detectable = shortcut_effect(frames, ASSOCIATED), minimum_detectable(frames, ASSOCIATED)
    assert counted[0].p == pytest.approx(effect.p, abs=0.03)
    assert counted[0].risk_difference == effect.risk_difference
    assert counted[1] == pytest.approx(detectable, abs=0.01)


def test_the_camera_is_identified_as_surely():
    frames = [frame.assign(prediction=frame["camera"], truth=frame["camera"]) for frame in predictions()]
    assert identification(frames).p == pytest.approx(1 / 5000)


def test_label_and_camera_are_associated_as_much(one_by_one):
    images = predictions(follow=0.02)[0].assign(label=lambda rows: rows["prediction"])
    counted = associate(images)
    one_by_one()
    found = associate(images)
    assert counted.p == pytest.approx(found.p, abs=0.05)
    for end in ("mean", "low", "high"):
        assert getattr(counted.cramers_v, end) == pytest.approx(getattr(found.cramers_v, end), abs=0.01)


def test_very_many_photos_in_groups_take_fewer_permutations(monkeypatch):
    images = predictions(3_000, per_group=2, follow=0.3)[0].assign(label=lambda rows: rows["prediction"])
    usual = associate(images)
    monkeypatch.setattr(association, "VERY_MANY", 1_000)
    fewer = associate(images)
    assert usual.p == pytest.approx(1 / 1000)
    assert fewer.p == pytest.approx(1 / 200)
    assert fewer.cramers_v.mean == pytest.approx(usual.cramers_v.mean, abs=0.005)


def test_photos_of_mixed_groups_are_not_counted():
    frame = predictions(per_group=3)[0]
    images = frame.assign(seeds=0, camera=np.random.default_rng(1).permutation(frame["camera"]))
    assert count_units(images, np.ones((len(images), 1)), pd.factorize(images["camera"])[0]) is None
