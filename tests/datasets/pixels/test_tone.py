import math

import numpy as np
import pytest


def test_levels_are_percentiles_and_contrast_the_standard_deviation(measure, scene, rng):
    pixels = np.rint(np.clip(scene(400, 400) + rng.normal(0, 5, (400, 400)), 0, 255))
    numbers = measure(pixels)
    shares = {"brightness": 50, "shadow_level": 5, "highlight_level": 95, "black_level": 0.1}
    for name, share in shares.items():
        assert numbers[name] == pytest.approx(np.percentile(pixels, share), abs=1)
    assert numbers["contrast"] == pytest.approx(pixels.std(), rel=0.01)


def test_midtones_are_where_a_curve_puts_them(measure):
    ramp = np.tile(np.linspace(0, 1, 400), (100, 1))
    assert measure(40 + 150 * ramp)["midtones"] == pytest.approx(50, abs=1)
    curved = [((share**0.5) - 0.05**0.5) / (0.95**0.5 - 0.05**0.5) for share in (0.5,)]
    assert measure(40 + 150 * ramp**0.5)["midtones"] == pytest.approx(100 * curved[0], abs=1)


def test_clipped_shares_are_counted(measure):
    pixels = np.full((100, 100, 3), 128)
    pixels[:7, :, 0] = 255
    pixels[-3:] = 1
    numbers = measure(pixels)
    assert numbers["clipped_highlights"] == pytest.approx(7)
    assert numbers["clipped_shadows"] == pytest.approx(3)
    pixels[-3:, :, 2] = 60
    assert measure(pixels)["clipped_shadows"] == 0, "a colour is left"


def test_a_stretched_histogram_has_gaps(measure, rng):
    pixels = rng.integers(20, 150, (200, 200))
    assert measure(pixels)["histogram_gaps"] == 0
    assert measure(np.floor(pixels * 1.5))["histogram_gaps"] == pytest.approx(100 / 3, abs=2)
    assert math.isnan(measure(pixels[:50, :50])["histogram_gaps"]), "too few pixels for as many levels"
    assert math.isnan(measure(pixels // 10)["histogram_gaps"]), "too few levels"
