import numpy as np
import pytest

from camerabias.datasets.io.jpeg import LUMA
from camerabias.datasets.simulator import processing
from camerabias.datasets.simulator.cameras import REFERENCE
from camerabias.datasets.simulator.sensor import CHANNEL_RESPONSE, digitised, mosaic

ALGORITHMS = ["bilinear", "edge_aware", "malvar"]
INSIDE = np.s_[4:-4, 4:-4]


def raw_of(image):
    return digitised(mosaic(image.astype(np.float32)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_demosaicing_gives_a_flat_colour_back(algorithm):
    flat = np.full((16, 16, 3), [0.2, 0.5, 0.8])
    np.testing.assert_allclose(processing.demosaic(raw_of(flat), algorithm)[INSIDE], flat[INSIDE], atol=1e-4)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_demosaicing_gives_a_grey_ramp_back(algorithm):
    ramp = np.repeat(np.linspace(0.1, 0.9, 32)[None, :, None] * np.ones((32, 1, 1)), 3, axis=2)
    np.testing.assert_allclose(processing.demosaic(raw_of(ramp), algorithm)[INSIDE], ramp[INSIDE], atol=1e-3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_demosaicing_keeps_the_measured_colours(algorithm):
    image = np.random.default_rng(0).uniform(0.2, 0.8, (16, 16, 3))
    demosaiced = processing.demosaic(raw_of(image), algorithm)
    np.testing.assert_allclose(mosaic(demosaiced)[INSIDE], mosaic(image)[INSIDE], atol=1e-4)


def test_white_balance_undoes_the_sensor_and_keeps_the_luma():
    np.testing.assert_allclose(processing.white_balance_gains(1.0, 1.0) * CHANNEL_RESPONSE, 1.0, rtol=1e-6)
    grey = processing.white_balance_gains(1.2, 0.8) * CHANNEL_RESPONSE
    assert grey @ LUMA == pytest.approx(1.0)
    np.testing.assert_allclose(grey / grey[1], [1.2, 1.0, 0.8], rtol=1e-6)


def test_the_colour_matrix_keeps_greys_and_luma():
    np.testing.assert_allclose(processing.colour_matrix(1.0, 0.0), np.eye(3), atol=1e-6)
    matrix = processing.colour_matrix(1.3, 20.0)
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(LUMA @ matrix, LUMA, atol=1e-5)
    np.testing.assert_allclose(processing.colour_matrix(0.0, 5.0), np.tile(LUMA, (3, 1)), atol=1e-5)


def test_denoising_calms_flat_parts_and_keeps_edges():
    rng = np.random.default_rng(0)
    step = np.where(np.arange(64)[None, :, None] < 32, 0.2, 0.8) * np.ones((64, 1, 3))
    image = (step + rng.normal(0, 0.01, step.shape)).astype(np.float32)
    calm = processing.denoise(image, 1.0)
    assert calm[:, :28].std() < 0.5 * image[:, :28].std()
    np.testing.assert_allclose(calm[:, 31].mean(), 0.2, atol=0.01)
    assert processing.denoise(image, 0.0) is image


def test_sharpening_is_an_unsharp_mask_of_the_luma():
    flat = np.full((16, 16, 3), 0.4, np.float32)
    np.testing.assert_allclose(processing.sharpen(flat, 2.0), flat, atol=1e-6)
    image = np.random.default_rng(0).uniform(0, 1, (32, 32, 3)).astype(np.float32)
    added = processing.sharpen(image, 1.0) - image
    np.testing.assert_allclose(added[:, :, 0], added[:, :, 2], atol=1e-6)
    np.testing.assert_allclose(processing.sharpen(image, 2.0) - image, 2 * added, atol=1e-6)


def test_the_tone_curve_keeps_black_and_white_and_follows_gamma():
    levels = np.linspace(0, 1, 11, dtype=np.float32)[:, None, None] * np.ones((1, 1, 3), np.float32)
    np.testing.assert_allclose(processing.tone_curve(levels, 2.0, 0.0), np.sqrt(levels), atol=1e-6)
    curved = processing.tone_curve(levels, 2.0, 0.5)
    np.testing.assert_allclose(curved[[0, -1]], levels[[0, -1]], atol=1e-6)
    assert (np.diff(curved, axis=0) > 0).all()


def test_a_grey_card_comes_out_grey():
    card = np.full((32, 32, 3), 0.4, np.float32) * CHANNEL_RESPONSE
    pixels = processing.develop(digitised(mosaic(card)), REFERENCE)[INSIDE]
    assert np.ptp(pixels) <= 1
    expected = processing.tone_curve(np.full((1, 1, 3), 0.4, np.float32), REFERENCE.gamma, REFERENCE.contrast)
    assert pixels.mean() == pytest.approx(255 * expected[0, 0, 0], abs=1)
