import cv2
import numpy as np
import pytest


@pytest.fixture
def noisy(scene, rng):
    return scene()[..., None] + rng.normal(0, 6, (256, 256, 3))


@pytest.mark.parametrize("pattern", [cv2.COLOR_BayerRGGB2RGB, cv2.COLOR_BayerGRBG2RGB])
def test_demosaicing_leaves_a_period_of_two_pixels(measure, noisy, pattern):
    raw = np.clip(noisy[..., 0], 0, 255).astype(np.uint8)
    numbers, without = measure(cv2.demosaicing(raw, pattern)), measure(noisy)
    assert without["green_mosaic"] < 0.3
    assert without["colour_mosaic"] < 0.6
    assert numbers["green_mosaic"] > 3
    assert numbers["colour_mosaic"] > 3


def test_stored_at_half_resolution_colours_have_it_too(measure, noisy):
    whole, half = (measure(noisy, "JPEG", quality=98, subsampling=name) for name in ("4:4:4", "4:2:0"))
    assert half["colour_mosaic"] > whole["colour_mosaic"]
    assert half["green_mosaic"] < 1


@pytest.mark.parametrize("factor", [1.25, 1.7])
def test_scaling_up_leaves_a_period(measure, noisy, factor):
    size = round(256 * factor)
    scaled = cv2.resize(noisy, (size, size), interpolation=cv2.INTER_LINEAR)
    assert measure(scaled)["scaling_trace"] > measure(noisy)["scaling_trace"] + 6


def test_blocks_are_no_trace_of_scaling(measure, noisy):
    compressed = measure(noisy, "JPEG", quality=30, subsampling="4:4:4")
    assert compressed["scaling_trace"] < measure(noisy)["scaling_trace"] + 4


def hot(rng, pixels, n, change):
    """Pixels with n of them changed in one colour each, apart from each other and from edges."""
    places = rng.permutation([(row, column) for row in range(8, 248, 8) for column in range(8, 248, 8)])[:n]
    changed = pixels.copy()
    for number, (row, column) in enumerate(places):
        changed[row, column, number % 3] += change
    return changed


@pytest.mark.parametrize(("name", "change"), [("hot_pixels", 60), ("dead_pixels", -60)])
def test_single_pixels_are_counted(measure, rng, name, change):
    pixels = np.full((256, 256, 3), 120.0) + rng.normal(0, 1.5, (256, 256, 3))
    assert measure(pixels)[name] == 0
    per_megapixel = 1e6 / 256**2
    numbers = measure(hot(rng, pixels, 40, change))
    assert numbers[name] == pytest.approx(40 * per_megapixel)
    assert numbers[({"hot_pixels", "dead_pixels"} - {name}).pop()] == 0


def test_a_hot_pixel_is_counted_once_after_demosaicing(measure, rng):
    raw = np.full((256, 256), 120, np.uint8)
    raw[8:248:16, 8:248:16] = 220
    numbers = measure(cv2.demosaicing(raw, cv2.COLOR_BayerRGGB2RGB))
    assert numbers["hot_pixels"] == pytest.approx(15**2 * 1e6 / 256**2)


def test_edges_and_texture_are_no_hot_pixels(measure, scene):
    assert measure(scene())["hot_pixels"] < 100
