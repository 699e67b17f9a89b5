import math

import cv2
import numpy as np
import pytest
from scipy import ndimage


def radii(height, width):
    """Distance from the middle, 1 in the corners."""
    down, across = np.mgrid[:height, :width] + 0.5
    return np.hypot(down - height / 2, across - width / 2) / (math.hypot(height, width) / 2)


def magnified(plane, factor):
    height, width = plane.shape
    down, across = np.mgrid[:height, :width]
    places = [
        (at - (side - 1) / 2) / factor + (side - 1) / 2 for at, side in ((down, height), (across, width))
    ]
    return ndimage.map_coordinates(plane, places, order=3, mode="nearest")


@pytest.mark.parametrize("shape", [(128, 128), (300, 400), (1200, 1600)])
@pytest.mark.parametrize("half_angle", [20, 30])
def test_light_falls_off_as_the_fourth_power_of_the_cosine(measure, decoded, shape, half_angle):
    angle = np.arctan(radii(*shape) * math.tan(math.radians(half_angle)))
    lost = -4 * math.log2(math.cos(math.radians(half_angle)))
    numbers = measure(decoded(0.5 * np.cos(angle) ** 4))
    assert numbers["corner_darkening"] == pytest.approx(lost, rel=0.12)


def test_a_plane_of_light_is_no_vignetting(measure, decoded):
    light = 0.2 * 2 ** np.tile(np.linspace(0, 1, 200), (150, 1))
    assert measure(decoded(light))["corner_darkening"] == pytest.approx(0, abs=0.02)


def test_a_cast_of_corners_is_measured_in_stops(measure, decoded):
    light = np.full((200, 300, 3), 0.3)
    light[..., 0] *= 2 ** (0.5 * radii(200, 300) ** 2)
    assert measure(decoded(light))["corner_warmth"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("thousandths", [-3, 0, 2])
@pytest.mark.parametrize("shape", [(256, 256), (768, 1024)])
def test_colours_are_registered_to_green(measure, scene, rng, thousandths, shape):
    green = cv2.GaussianBlur(scene(*shape, shapes=200), (0, 0), 1.0)
    red, blue = 0.8 * magnified(green, 1 + thousandths / 1000), magnified(green, 1 - thousandths / 2000)
    numbers = measure(np.stack([red, green, blue], axis=2) + rng.normal(0, 1, (*shape, 3)))
    assert numbers["red_magnification"] == pytest.approx(thousandths, abs=0.3)
    assert numbers["blue_magnification"] == pytest.approx(-thousandths / 2, abs=0.3)


def test_shifted_colours_are_not_magnified(measure, scene):
    green = cv2.GaussianBlur(scene(), (0, 0), 1.0)
    shifted = np.roll(green, 1, axis=1)
    assert measure(np.stack([shifted, green, green], axis=2))["red_magnification"] == pytest.approx(
        0, abs=0.3
    )


def test_corners_that_are_blurred_are_softer(measure, rng):
    pixels = 128 + rng.normal(0, 15, (256, 256))
    assert measure(pixels)["corner_softness"] == pytest.approx(0, abs=0.5)
    blurred = np.where(radii(256, 256) > 0.6, cv2.GaussianBlur(pixels, (0, 0), 0.8), pixels)
    assert measure(blurred)["corner_softness"] > 3


def test_what_is_clipped_says_nothing_of_light(measure):
    assert math.isnan(measure(np.full((64, 64), 255))["corner_darkening"])


@pytest.mark.filterwarnings("error")
def test_a_colour_without_detail_is_not_registered(measure, scene):
    green = cv2.GaussianBlur(scene(), (0, 0), 1.0)
    numbers = measure(np.stack([np.full_like(green, 90), green, green], axis=2))
    assert math.isnan(numbers["red_magnification"])
    assert numbers["blue_magnification"] == pytest.approx(0, abs=0.3)
