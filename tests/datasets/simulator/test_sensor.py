from dataclasses import replace

import numpy as np
import pytest

from camerabias.datasets.simulator import sensor
from camerabias.datasets.simulator.cameras import CAMERAS, REFERENCE

SIZE = 128


def raw_flat(camera, device, level, seed):
    image = np.full((SIZE, SIZE, 3), level, np.float32)
    raw = sensor.expose(image, camera, device, np.random.default_rng(seed))
    return (raw.astype(float) - sensor.BLACK_LEVEL) / (sensor.WHITE_LEVEL - sensor.BLACK_LEVEL)


def test_mosaic_keeps_red_green_green_blue():
    image = np.zeros((4, 6, 3), np.float32) + np.array([1, 2, 3], np.float32)
    np.testing.assert_array_equal(sensor.mosaic(image), np.tile([[1, 2], [2, 3]], (2, 3)))


@pytest.mark.parametrize(("shot", "read"), [(0.02, 0.0), (0.05, 0.01)])
def test_noise_variance_is_linear_in_the_signal(shot, read):
    levels = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    rng = np.random.default_rng(0)
    flats = (np.full((400, 400), level, np.float32) for level in levels)
    variances = [np.var(sensor.noisy(flat, shot, read, np.zeros_like(flat), rng)) for flat in flats]
    slope, intercept = np.polyfit(levels, variances, 1)
    assert slope == pytest.approx(shot**2, rel=0.03)
    assert intercept == pytest.approx(read**2, abs=0.03 * shot**2)


def test_dark_current_leaves_its_pattern_and_no_brightness():
    device = sensor.draw_device(0, 0, SIZE)
    dark = np.float32(0.01) * device.dark
    frames = [
        sensor.noisy(np.zeros((SIZE, SIZE), np.float32), 0.01, 0.0, dark, np.random.default_rng(seed))
        for seed in range(20)
    ]
    mean = np.mean(frames, axis=0)
    assert np.corrcoef(mean.ravel(), device.dark.ravel())[0, 1] > 0.95
    assert abs(mean.mean()) < 1e-4


def test_a_devices_sensitivity_is_recovered_from_flat_photos():
    """The estimator of Lukas et al. (2006) on flat fields: the mean of the photos over their mean level."""
    camera = replace(REFERENCE, prnu=0.01)
    devices = [sensor.draw_device(0, number, SIZE) for number in range(2)]
    photos = [raw_flat(camera, devices[0], 0.6, seed) for seed in range(60)]
    mean = np.mean(photos, axis=0)
    pattern = np.empty_like(mean)
    for row in (0, 1):
        for column in (0, 1):
            site = np.s_[row::2, column::2]
            pattern[site] = mean[site] / mean[site].mean() - 1
    own, other = (np.corrcoef(pattern.ravel(), device.prnu.ravel())[0, 1] for device in devices)
    assert own > 0.9
    assert abs(other) < 0.05
    assert pattern.std() == pytest.approx(0.01, rel=0.1)


def test_defects_stand_at_the_same_places_in_every_photo():
    device = sensor.draw_device(0, 3, SIZE)
    camera = replace(CAMERAS["Redmi"], defects=0.002)
    first, second = (raw_flat(camera, device, 0.3, seed) for seed in (0, 1))
    hot = first > 0.99
    np.testing.assert_array_equal(hot, second > 0.99)
    np.testing.assert_array_equal(hot, device.defect < 0.002)
    assert hot.sum() == pytest.approx(0.002 * SIZE**2, rel=0.5)
    assert (first < 0.005).sum() == (device.defect >= 1 - 0.0005).sum()


def test_devices_differ_by_camera_and_seed():
    patterns = [sensor.draw_device(*key, 64).prnu for key in ((0, 0), (0, 1), (1, 0))]
    assert abs(np.corrcoef([pattern.ravel() for pattern in patterns]) - np.eye(3)).max() < 0.06


def test_raw_values_keep_the_noise_around_black_and_clip_at_white():
    raw = sensor.digitised(np.array([-1.0, -0.01, 0.0, 1.0, 2.0], np.float32))
    assert raw.tolist() == [0, 870, sensor.BLACK_LEVEL, sensor.WHITE_LEVEL, sensor.WHITE_LEVEL]
