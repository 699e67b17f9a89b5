import math

import cv2
import numpy as np
import pytest


@pytest.mark.parametrize("sigma", [0.8, 1.2, 2])
def test_the_width_of_edges_is_that_of_a_known_blur(measure, sigma):
    across = np.tile(np.where(np.arange(256) // 32 % 2, 200.0, 60.0), (256, 1))
    step = math.erf(0.5 / sigma / math.sqrt(2))  # of a unit step, between the two pixels beside it
    blurred = cv2.GaussianBlur(across, (0, 0), sigma)
    for pixels in (blurred, blurred.T):
        assert measure(pixels)["edge_width"] == pytest.approx(1 / step, rel=0.1)


def test_blur_softens_every_number(measure, scene, rng):
    sharp = scene() + rng.normal(0, 2, (256, 256))
    numbers = [measure(cv2.GaussianBlur(sharp, (0, 0), sigma)) for sigma in (0.4, 0.8, 1.2)]
    for name, sign in (("edge_width", 1), ("fine_detail", -1), ("spectrum_slope", -1), ("acutance", -1)):
        assert np.all(np.diff([sign * one[name] for one in numbers]) > 0), name


@pytest.mark.parametrize("amount", [0.5, 1])
def test_sharpening_overshoots_by_a_known_share(measure, amount):
    across = np.tile(np.where(np.arange(256) // 32 % 2, 180.0, 80.0), (256, 1))
    soft = cv2.GaussianBlur(across, (0, 0), 1.0)
    sharpened = soft + amount * (soft - cv2.GaussianBlur(soft, (0, 0), 2.0))
    expected = 100 * (sharpened[100, 96:128].max() - 180) / 100
    assert measure(sharpened)["overshoot"] == pytest.approx(expected, abs=2)
    assert measure(soft)["overshoot"] < 1


def test_white_noise_is_as_strong_at_all_frequencies(measure, rng):
    numbers = measure(128 + rng.normal(0, 20, (256, 256)))
    assert numbers["fine_detail"] == pytest.approx(0, abs=0.2)
    assert numbers["spectrum_slope"] == pytest.approx(0, abs=0.3)
    assert numbers["acutance"] == pytest.approx(0, abs=0.1)
    assert numbers["detail_direction"] == pytest.approx(0, abs=0.5)


def test_a_blur_along_rows_leaves_detail_down(measure, rng):
    noise = 128 + rng.normal(0, 20, (256, 256))
    assert measure(cv2.blur(noise, (3, 1)))["detail_direction"] < -3
    assert measure(cv2.blur(noise, (1, 3)))["detail_direction"] > 3


def test_without_edges_nothing_is_said_of_them(measure):
    assert math.isnan(measure(np.tile(np.linspace(50, 200, 256), (256, 1)))["edge_width"])
