"""Augmentation against Pillow, SciPy and arithmetic."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.training.augment import augment, blur, recompress, rescale

STRENGTHS = ("recompress", "blur", "noise", "rescale", "jitter")


def make_pixels(n=4, height=40, width=56, channels=3):
    """Soft shapes with some noise: uint8 (n, height, width, channels)."""
    generator = np.random.default_rng(0)
    shapes = gaussian_filter(generator.normal(size=(n, height, width, channels)), (0, 4, 4, 0))
    shapes = 128 + 60 * shapes / shapes.std() + generator.normal(0, 3, shapes.shape)
    return shapes.clip(0, 255).astype(np.uint8)


def treated(pixels, recipe, seed=0):
    chosen = load_recipe({"base": "demo", **recipe})
    return augment(torch.from_numpy(pixels), chosen, torch.Generator().manual_seed(seed))


def by_pillow(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(pixels.shape).astype(float)


@pytest.mark.parametrize("channels", [1, 3])
def test_recompressed_is_what_pillow_s_jpeg_of_that_quality_is(channels):
    pixels, qualities = make_pixels(channels=channels), (20, 50, 75, 95)
    ours = recompress(torch.from_numpy(pixels), torch.tensor(qualities).float()).numpy()
    for image, found, quality in zip(pixels, ours, qualities, strict=True):
        expected = by_pillow(image, quality)
        # libjpeg computes in whole numbers, so that some coefficients are rounded the other way
        changed = np.abs(expected - image).mean()
        assert np.abs(found - expected).mean() < (0.25 if channels == 1 else 0.35) * changed
    assert np.abs(ours[0] - by_pillow(pixels[0], 20)).mean() < (0.05 if channels == 1 else 1.5)


def test_blur_is_a_gaussian_of_each_image_s_own_width():
    pixels, sigmas = make_pixels(n=3), [0.0, 0.8, 2.0]
    ours = blur(torch.from_numpy(pixels), torch.tensor(sigmas)).numpy()
    assert np.array_equal(ours[0], pixels[0])
    inside = np.s_[8:-8, 8:-8]
    for image, found, sigma in zip(pixels[1:], ours[1:], sigmas[1:], strict=True):
        expected = gaussian_filter(image.astype(float), (sigma, sigma, 0), truncate=8)
        np.testing.assert_allclose(found[inside], expected[inside], atol=0.1)


def test_blur_leaves_a_constant_image_constant_up_to_its_border():
    flat = torch.full((2, 9, 17, 1), 77.0)
    torch.testing.assert_close(blur(flat, torch.tensor([0.5, 2.0])), flat)


def test_rescaled_is_what_pillow_makes_of_it_down_and_up_again():
    pixels, scales = make_pixels(n=3), [1.0, 0.5, 0.3]
    ours = rescale(torch.from_numpy(pixels), torch.tensor(scales)).numpy()
    np.testing.assert_allclose(ours[0], pixels[0], atol=1e-3)
    height, width = pixels.shape[1:3]
    for image, found, scale in zip(pixels[1:], ours[1:], scales[1:], strict=True):
        for channel in range(3):
            plane = Image.fromarray(image[..., channel].astype(np.float32))  # in floating point, unrounded
            small = plane.resize((round(width * scale), round(height * scale)), Image.Resampling.BILINEAR)
            expected = np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))
            np.testing.assert_allclose(found[..., channel], expected, atol=0.05)


def test_noise_has_a_standard_deviation_of_each_image_s_own_from_nothing_to_twenty_levels():
    flat = np.full((200, 16, 16, 3), 128, np.uint8)
    deviations = treated(flat, {"noise": 1.0}).numpy().std(axis=(1, 2, 3))
    assert deviations.min() < 2
    assert 18 < deviations.max() < 22
    assert deviations.mean() == pytest.approx(10, rel=0.15)
    halved = treated(flat, {"noise": 0.5}).numpy().std(axis=(1, 2, 3))
    assert halved.mean() == pytest.approx(deviations.mean() / 2, rel=0.01)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", STRENGTHS)
def test_every_strength_changes_images_within_gray_levels_and_by_the_generator_alone(name, channels):
    pixels = make_pixels(channels=channels)
    found = treated(pixels, {name: 1.0})
    assert found.shape == pixels.shape
    assert -0.01 < found.min() < found.max() < 255.01
    assert not torch.equal(found, torch.from_numpy(pixels).float())
    assert torch.equal(found, treated(pixels, {name: 1.0}))
    assert not torch.equal(found, treated(pixels, {name: 1.0}, seed=1))


def test_nothing_asked_for_leaves_images_and_generator_as_they_are():
    pixels, generator = torch.from_numpy(make_pixels()), torch.Generator().manual_seed(3)
    before = generator.get_state()
    assert augment(pixels, load_recipe("demo"), generator) is pixels
    assert torch.equal(generator.get_state(), before)


def test_sides_that_are_no_multiples_of_blocks_keep_their_size():
    pixels = torch.from_numpy(make_pixels(height=33, width=50))
    assert recompress(pixels, torch.full((4,), 50.0)).shape == pixels.shape
