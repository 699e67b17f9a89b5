"""By how much cameras differ in each statistic."""

import numpy as np
import pytest

from camerabias.analysis.cues.effects import camera_effects


def photos(shift, n=4000, seed=0):
    """Two labels that differ by far, and two cameras, one of them shifted."""
    rng = np.random.default_rng(seed)
    label, camera = rng.integers(2, size=n), rng.integers(2, size=n)
    value = 50.0 * label + shift * camera + rng.standard_normal(n)
    return value[:, None], label, camera


@pytest.mark.parametrize("shift", [0.5, 1.0, 3.0])
def test_effect_of_two_cameras_is_their_difference_in_standard_deviations(shift):
    found = camera_effects(*photos(shift))
    assert found.effect[:, 0] == pytest.approx([-shift, shift], rel=0.08)
    assert found.mean - found.others == pytest.approx(np.array([[-shift], [shift]]), rel=0.08)


def test_effect_does_not_depend_on_the_unit():
    values, label, camera = photos(1.0)
    scaled = camera_effects(values * 1000 - 7, label, camera)
    assert scaled.effect == pytest.approx(camera_effects(values, label, camera).effect)


def test_units_are_those_of_two_means():
    label, camera = np.zeros(40, int), np.repeat([0, 1], [10, 30])
    found = camera_effects(np.random.default_rng(0).standard_normal((40, 1)), label, camera)
    assert found.units == pytest.approx(np.full((2, 1), 10 * 30 / 40))


def test_label_and_camera_that_go_together_are_kept_apart():
    values, label, camera = photos(0.0)
    tied = np.where(np.random.default_rng(1).random(len(label)) < 0.9, label, camera)
    assert np.abs(camera_effects(values, label, tied).effect).max() < 0.15, "it is the label that differs"


def test_constants_differ_by_nothing_or_without_bound():
    label, camera = np.repeat([0, 1], 10), np.tile([0, 1], 10)
    values = np.stack([np.full(20, 2.0), np.tile([3.0, 9.0], 10)], axis=1)
    assert camera_effects(values, label, camera).effect.tolist() == [[0, -np.inf], [0, np.inf]]


def test_a_camera_that_shares_no_label_is_not_compared():
    values, label, camera = photos(1.0, 100)
    label, camera = np.append(label, [2, 2]), np.append(camera, [2, 2])
    found = camera_effects(np.concatenate([values, [[1.0], [2.0]]]), label, camera)
    assert np.isnan(found.effect[2, 0])
    assert found.units[2, 0] == 0


def test_numbers_that_were_not_measured_are_missing_not_zero():
    values, label, camera = photos(2.0)
    one_lacks = np.where(camera[:, None] == 0, np.nan, values)
    some_lack = np.where(np.arange(len(values))[:, None] % 4, values, np.nan)
    assert np.isnan(camera_effects(one_lacks, label, camera).effect).all()
    assert camera_effects(some_lack, label, camera).effect[1, 0] == pytest.approx(2, rel=0.1)
