import math

import cv2
import numpy as np
import pytest

LUMA = np.array([0.299, 0.587, 0.114])


def ramp(low, high, side=256):
    return np.tile(np.linspace(low, high, side)[:, None, None], (1, side, 3))


@pytest.mark.parametrize("sigma", [1, 3, 8])
@pytest.mark.parametrize("shapes", [0, 60])
def test_levels_are_those_of_known_noise_on_gradients_and_between_shapes(measure, scene, rng, sigma, shapes):
    light = scene(shapes=shapes)
    gray = measure(light + rng.normal(0, sigma, light.shape))
    for name in ("noise_level", "noise_red", "noise_green", "noise_blue"):
        assert gray[name] == pytest.approx(sigma, rel=0.1)
    assert gray["noise_colour_correlation"] == pytest.approx(1)
    assert gray["colour_noise"] == 0


def test_each_colour_has_its_noise(measure, rng):
    sigmas = np.array([2, 3, 6])
    numbers = measure(ramp(60, 180) + rng.normal(0, sigmas, (256, 256, 3)))
    for name, sigma in zip(("noise_red", "noise_green", "noise_blue"), sigmas, strict=True):
        assert numbers[name] == pytest.approx(sigma, rel=0.1)
    assert numbers["noise_level"] == pytest.approx(np.sqrt(np.square(LUMA * sigmas).sum()), rel=0.1)
    assert numbers["colour_noise"] == pytest.approx(
        (math.hypot(2, 3) + math.hypot(6, 3)) / math.sqrt(8), rel=0.1
    )
    assert numbers["noise_colour_correlation"] == pytest.approx(0, abs=0.03)


def test_a_shared_part_correlates_colours(measure, rng):
    noise = rng.normal(0, 3, (256, 256, 1)) + rng.normal(0, 3, (256, 256, 3))
    assert measure(ramp(60, 180) + noise)["noise_colour_correlation"] == pytest.approx(0.5, abs=0.05)


def test_noise_that_grows_with_brightness_has_its_slope(measure, rng):
    light = ramp(40, 220)
    growing = measure(light + rng.normal(0, 1, light.shape[:2])[..., None] * (1 + light / 50))
    assert growing["noise_slope"] == pytest.approx(2, rel=0.15)
    assert measure(light + rng.normal(0, 3, light.shape))["noise_slope"] == pytest.approx(0, abs=0.2)
    assert math.isnan(measure(ramp(100, 103) + rng.normal(0, 3, light.shape))["noise_slope"])


def test_kurtosis_is_that_of_the_distribution(measure, rng):
    assert measure(120 + rng.normal(0, 5, (256, 256)))["noise_kurtosis"] == pytest.approx(0, abs=0.1)
    assert measure(120 + rng.uniform(-9, 9, (256, 256)))["noise_kurtosis"] < -0.8
    assert measure(120 + rng.laplace(0, 5, (256, 256)))["noise_kurtosis"] > 1


@pytest.mark.parametrize(("axis", "name"), [(1, "noise_along_rows"), (0, "noise_along_columns")])
def test_smeared_noise_correlates_along_that_axis_alone(measure, rng, axis, name):
    white = rng.normal(0, 8, (256, 256))
    assert measure(120 + white)[name] == pytest.approx(0, abs=0.02)
    smeared = measure(120 + (white + np.roll(white, 1, axis)) / math.sqrt(2))
    assert smeared[name] > 0.3
    other = {"noise_along_rows", "noise_along_columns"} - {name}
    assert abs(smeared[other.pop()]) < 0.1
    sharpened = white - 0.5 * (np.roll(white, 1, axis) + np.roll(white, -1, axis))
    assert measure(120 + sharpened)[name] < -0.3


def test_stripes_have_a_direction(measure, rng):
    noise, stripes = rng.normal(0, 3, (256, 256)), rng.normal(0, 2, (256, 1))
    assert measure(120 + noise)["banding"] == pytest.approx(0, abs=0.5)
    assert measure(120 + noise + stripes)["banding"] > 3
    assert measure(120 + (noise + stripes).T)["banding"] < -3


def test_denoising_leaves_less(measure, scene, rng):
    noisy = np.clip(scene() + rng.normal(0, 6, (256, 256)), 0, 255).astype(np.uint8)
    denoised = cv2.fastNlMeansDenoising(noisy, None, 10)
    assert measure(denoised)["noise_level"] < measure(noisy)["noise_level"] / 2


def test_texture_alone_is_no_flat_area(measure, rng):
    rough = cv2.resize(rng.uniform(0, 255, (128, 128)), (256, 256), interpolation=cv2.INTER_NEAREST)
    assert math.isnan(measure(rough)["noise_level"])
