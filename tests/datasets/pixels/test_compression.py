import io
import math

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(scene, rng):
    noise = rng.normal(0, 5, (256, 256, 3))
    return np.clip(scene()[..., None] * [1, 0.9, 0.7] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_steps_are_those_of_the_file(measure, encode, photo, quality):
    with Image.open(io.BytesIO(encode(photo, "JPEG", quality=quality))) as file:
        luma, chroma = (np.array(file.quantization[number]).reshape(8, 8) for number in (0, 1))
    numbers = measure(photo, "JPEG", quality=quality)
    assert numbers["luma_step"] == pytest.approx(luma.mean())
    assert numbers["chroma_step"] == pytest.approx(chroma.mean())
    frequency = np.add.outer(range(8), range(8))
    expected = np.log2(luma)[frequency >= 8].mean() - np.log2(luma)[frequency <= 6].mean()
    assert numbers["table_slope"] == pytest.approx(expected)


@pytest.mark.parametrize(("subsampling", "pixels"), [("4:4:4", 1), ("4:2:2", 2), ("4:2:0", 4)])
def test_subsampling_is_that_of_the_file(measure, photo, subsampling, pixels):
    assert measure(photo, "JPEG", subsampling=subsampling)["chroma_subsampling"] == pixels


def test_a_gray_jpeg_has_no_colour_steps(encode, photo):
    from camerabias.datasets.pixels.registry import measure_pixels

    numbers = measure_pixels(encode(photo[..., 0], "JPEG", quality=75))
    assert numbers["luma_step"] > 1
    assert math.isnan(numbers["chroma_step"])
    assert math.isnan(numbers["chroma_subsampling"])


@pytest.mark.parametrize("quality", [60, 80])
def test_pixels_tell_the_step_of_a_jpeg_that_was_saved_as_png(measure, encode, photo, quality):
    with Image.open(io.BytesIO(encode(photo, "JPEG", quality=quality))) as file:
        steps = np.array(file.quantization[0]).reshape(8, 8)
        pixels = np.asarray(file)
    low = [steps[row, column] for row in range(4) for column in range(4) if 1 <= row + column <= 3]
    numbers = measure(pixels)
    assert numbers["pixel_step"] == pytest.approx(np.mean(low), rel=0.2)
    assert math.isnan(numbers["luma_step"])
    assert math.isnan(measure(photo)["pixel_step"]), "never compressed"
    assert math.isnan(measure(pixels[3:, 5:])["pixel_step"]), "cropped since"


def test_compression_makes_blocks_and_zeros(measure, photo):
    without, *by_quality = (
        measure(photo),
        *(measure(photo, "JPEG", quality=quality) for quality in (90, 50, 10)),
    )
    assert without["blockiness"] == pytest.approx(0, abs=3)
    assert np.all(np.diff([one["blockiness"] for one in by_quality]) > 0)
    assert by_quality[-1]["blockiness"] > 20
    zeros = [one["zero_coefficients"] for one in (without, *by_quality)]
    assert np.all(np.diff(zeros) > 0)
    assert zeros[0] == pytest.approx(100 * math.erf(1 / 2.8 / math.sqrt(2)), abs=12), "of noise, mostly"
