"""Views that keep some of a camera's traces and remove others."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from scipy.signal import wiener

from camerabias.datasets.views.regions import read_regions
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant

CUE_VIEWS = ["lowpass", "highpass", "residual", "recompressed", "resampled", "shuffled"]


def see(name, pixels, **parameters):
    view = View.model_validate({"name": name, **parameters})
    return view.kind.transform(pixels, view.parameters)


@pytest.fixture
def photo(noise):
    """Smooth content with a sharp edge, a colour cast and noise of 5 gray levels, 64 × 48."""
    rows, columns = np.mgrid[:64, :48]
    content = 90 + rows[..., None] * [0.5, 0.2, 0.0] + np.where(columns > 24, 70, 0)[..., None]
    generator = np.random.default_rng(1)
    return np.clip(content + generator.normal(0, 5, content.shape), 0, 255).astype(np.uint8)


def blurred(pixels, sigma):
    """scipy's Gaussian, cut off where OpenCV's is for uint8, mirrored without repeating the edge."""
    radius = round(6 * sigma + 1) // 2
    mirrored = {"radius": radius, "mode": "mirror"}
    channels = np.moveaxis(pixels.astype(float), 2, 0)
    return np.stack([ndimage.gaussian_filter(one, sigma, **mirrored) for one in channels], axis=2)


@pytest.mark.parametrize("shape", [(20, 30), (31, 7), (2, 2), (1, 9)])
@pytest.mark.parametrize("name", CUE_VIEWS)
def test_pixels_come_out_as_many_as_they_were_and_always_the_same(noise, name, shape):
    pixels = noise(*shape)
    before = pixels.copy()
    seen = see(name, pixels)
    assert (seen.shape, seen.dtype) == (pixels.shape, np.uint8)
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(see(name, pixels), seen)


@pytest.mark.parametrize("sigma", [0.7, 2, 3.5])
def test_lowpass_is_scipys_gaussian(photo, sigma):
    assert np.abs(see("lowpass", photo, sigma=sigma) - blurred(photo, sigma)).max() <= 1
    np.testing.assert_array_equal(see("lowpass", photo), see("lowpass", photo, sigma=2))


def test_highpass_is_what_the_lowpass_removes(photo):
    expected = np.clip(photo - blurred(photo, 2) + 128, 0, 255)
    assert np.abs(see("highpass", photo) - expected).max() <= 1
    cast = photo // 2 + np.array([0, 20, 60], np.uint8)  # halved, it cannot clip
    difference = see("highpass", cast).astype(int) - see("highpass", photo // 2)
    assert np.abs(difference).max() <= 1  # a colour cast leaves no trace


def test_residual_is_scipys_wiener_filters(photo):
    kept = np.stack([wiener(c.astype(float), 5, noise=25) for c in np.moveaxis(photo, 2, 0)], axis=2)
    expected = np.clip(128 + 4 * (photo - kept), 0, 255)
    inside = slice(2, -2), slice(2, -2)  # scipy's goes on with zeros
    assert np.abs(see("residual", photo)[inside] - expected[inside]).max() <= 0.5 + 1e-9
    flat = see("residual", np.full((9, 9, 3), 77, np.uint8))
    np.testing.assert_array_equal(flat, 128)


def test_residual_shows_noise_and_hardly_an_edge():
    edge = np.zeros((20, 20, 3), np.uint8)
    edge[:, 10:] = 120
    leaks = {name: np.abs(see(name, edge).astype(int) - 128).max() for name in ("highpass", "residual")}
    assert leaks["highpass"] > 40
    assert leaks["residual"] <= 4 * 2  # two gray levels, four times as strong
    noise = np.clip(128 + np.random.default_rng(0).normal(0, 3, (64, 64, 3)).round(), 0, 255).astype(np.uint8)
    amplified = see("residual", noise).astype(float) - 128
    assert np.corrcoef(amplified.ravel(), noise.ravel())[0, 1] > 0.9
    assert 9 < amplified.std() < 12  # 4 × 3, less what goes into the local mean


@pytest.mark.parametrize("quality", [10, 50, 90])
def test_recompressed_is_pillows_jpeg(photo, quality):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    seen = see("recompressed", photo, quality=quality)
    assert np.abs(seen.astype(int) - np.asarray(Image.open(file))).max() <= 2
    if quality == 50:
        np.testing.assert_array_equal(seen, see("recompressed", photo))


def test_resampled_is_linear_between_the_means_of_areas(photo):
    means = photo.reshape(32, 2, 24, 2, 3).mean(axis=(1, 3))
    expected = ndimage.zoom(means, (2, 2, 1), order=1, mode="nearest", grid_mode=True)
    assert np.abs(see("resampled", photo) - expected).max() <= 1.5  # the means are rounded, and the result
    np.testing.assert_array_equal(see("resampled", photo, factor=1), photo)
    np.testing.assert_array_equal(see("resampled", photo, factor=100), see("resampled", photo, factor=90))


def patches(pixels, grid):
    """The bytes of each patch, of sides that `grid` divides."""
    return [part.tobytes() for row in np.split(pixels, grid) for part in np.split(row, grid, axis=1)]


@pytest.mark.parametrize("grid", [2, 4, 8])
def test_shuffled_has_the_same_patches_in_another_order(noise, grid):
    pixels = noise(16, 32)
    seen = see("shuffled", pixels, grid=grid)
    assert sorted(patches(seen, grid)) == sorted(patches(pixels, grid))
    assert patches(seen, grid) != patches(pixels, grid) or grid == 2  # of 24 orders one is the photo's own


def test_shuffled_draws_an_order_for_every_image():
    """Over many images every patch comes everywhere equally often."""
    generator = np.random.default_rng(0)
    landed = np.zeros((16, 16), int)
    for _ in range(800):
        numbers = generator.permutation(16).astype(np.uint8)
        pixels = np.repeat(numbers.reshape(4, 4, 1), 3, axis=2)
        sources = [numbers.tolist().index(value) for value in see("shuffled", pixels)[..., 0].ravel()]
        landed[np.arange(16), sources] += 1
    assert ((landed - 50) ** 2 / 50).sum() < 300  # chi squared with 225 degrees: 0.0006 beyond


def test_shuffled_patches_cover_sides_that_the_grid_does_not_divide():
    pixels = np.arange(10 * 7, dtype=np.uint8).reshape(10, 7, 1).repeat(3, axis=2)
    seen = see("shuffled", pixels)[..., 0]  # patches of 3 × 2 from rows 0 2 4 7, columns 0 1 3 5
    tops, lefts = [0, 2, 4, 7], [0, 1, 3, 5]
    last = seen[7:, 5:]  # nothing covers the last one
    assert any(np.array_equal(last, pixels[t : t + 3, c : c + 2, 0]) for t in tops for c in lefts)


def test_regions_are_unknown_where_a_view_moves_them():
    variant = Variant(view="shuffled", size=16, fit="resize")
    assert read_regions(None, np.arange(2), variant) is None  # no dataset is asked
