import math
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.io.decode import ImageError
from camerabias.datasets.pixels.photo import ALIGNED, MAX_PIXELS, prepare
from camerabias.datasets.pixels.registry import STATISTICS, measure_pixels


def finite(numbers):
    return {name for name, number in numbers.items() if math.isfinite(number)}


def test_every_statistic_says_what_it_is():
    assert len(STATISTICS) >= 40
    for name, one in STATISTICS.items():
        assert name == one.name
        assert name.isidentifier()
        assert one.measures
        assert one.more != one.less
        assert one.measure.__doc__


def test_the_manual_has_a_row_for_every_statistic():
    manual = (Path(__file__).parents[3] / "docs/manual/check.md").read_text()
    for one in STATISTICS.values():
        row = f"| `{one.name}` | {one.measures} | {one.unit} | {one.more} | {one.less} |"
        assert row.replace("|  |", "| |") in manual


def test_a_scene_has_all_numbers_and_a_png_those_that_need_no_tables(encode, scene, rng):
    pixels = np.repeat(scene(300, 300)[..., None], 3, axis=2) + rng.normal(0, 3, (300, 300, 3))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    of_jpeg, of_png = (measure_pixels(encode(pixels, name)) for name in ("JPEG", "PNG"))
    assert finite(of_jpeg) == set(STATISTICS)
    of_tables = {"luma_step", "chroma_step", "table_slope", "chroma_subsampling"}
    assert finite(of_png) == set(STATISTICS) - of_tables - {"pixel_step"}


@pytest.mark.parametrize(
    "shape", [(32, 32), (32, 32, 3), (40, 33, 4), (32, 3000, 3), (3000, 35), (1200, 1100, 3)]
)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_one_level_alone_has_no_noise_edges_or_colours_and_warns_of_nothing(encode, shape, level):
    pixels = np.full(shape, level, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        numbers = measure_pixels(encode(pixels))
    for name in ("edge_width", "overshoot", "blockiness", "acutance", "noise_kurtosis", "red_magnification"):
        assert math.isnan(numbers[name])
    assert not any(math.isinf(number) for number in numbers.values())
    shown = level if len(shape) < 3 or shape[2] < 4 else 255 - level + level * level // 255
    assert numbers["brightness"] == pytest.approx(shown, abs=1)
    if level in (0, 255):
        assert math.isnan(numbers["noise_level"])
        assert math.isnan(numbers["warmth"])
    else:
        assert numbers["noise_level"] == 0


@pytest.mark.parametrize("side", [32, 33, 47, 100])
def test_random_pixels_of_any_size_warn_of_nothing(encode, rng, side):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        numbers = measure_pixels(encode(rng.integers(0, 256, (side, side + 5, 3), dtype=np.uint8), "JPEG"))
    assert len(finite(numbers)) > 25


def test_of_less_than_32_pixels_nothing_is_known(encode):
    assert not finite(measure_pixels(encode(np.zeros((31, 200, 3), np.uint8))))


def test_what_is_no_image_is_refused():
    with pytest.raises(ImageError, match="no image format"):
        measure_pixels(b"nothing")


def test_a_photo_is_measured_as_it_lies_on_the_sensor(encode, scene):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.repeat(scene(96, 160)[..., None], 3, axis=2).astype(np.uint8)
    turned, upright = (measure_pixels(encode(pixels, "JPEG", **options)) for options in ({"exif": exif}, {}))
    assert turned == pytest.approx(upright, nan_ok=True)


@pytest.mark.parametrize("shape", [(1200, 1600), (3000, 4000), (40, 40000), (9000, 130), (1030, 1030)])
def test_at_most_a_megapixel_is_looked_at_in_crops_that_lie_on_the_grid(encode, shape):
    photo = prepare(encode(np.zeros((*shape, 3), np.uint8)))
    n, height, width = photo.gray.shape
    assert MAX_PIXELS / 5 < n * height * width <= MAX_PIXELS
    assert len(set(photo.corners)) == n
    for top, left in photo.corners:
        assert top % ALIGNED == left % ALIGNED == 0
        assert top + height <= shape[0]
        assert left + width <= shape[1]
    covered = np.add(np.ptp(photo.corners, axis=0), [height, width])
    assert (covered > 0.9 * np.array(shape)).all(), "over all of the frame"


def test_a_large_photo_has_the_numbers_of_its_crops(encode, scene, rng):
    pixels = cv2.resize(scene(), (1600, 1200)) + rng.normal(0, 4, (1200, 1600))
    numbers = measure_pixels(encode(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)))
    assert numbers["noise_level"] == pytest.approx(4, rel=0.1)
