"""Noise: added up to the noisiest camera, with its colours and its grain; never taken away."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.interventions.intervention import Intervention, Level, register
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.areas import BLOCK, CONTENT_ORDERS, orders, transformed
from camerabias.datasets.pixels.photo import PreparedPhoto

TILE = 256
"""Side in pixels of the noise that is drawn for a photo, and repeated over a larger one."""

FREQUENCIES = np.arange(BLOCK) / (2 * BLOCK)
"""Of 8 cosines, in cycles per pixel."""

FADING = np.sin(np.pi * (np.arange(2 * BLOCK) + 0.5) / (2 * BLOCK)) ** 2
"""How a square fades out (Hann's window)."""

SHAPE = (BLOCK, BLOCK, 3, 3)
"""Of a level: by vertical and horizontal frequency of 8 × 8 cosines, the covariance of red, green and blue."""

TOLERANCE = 0.05
"""Share of its variance that a photo may have more of than the level that it is brought to."""


class Noise(Intervention):
    """Levels are covariances of the colours of flat areas at every frequency: variances add up.

    What flat areas show counts, too, and is the same for all cameras.
    """

    cue = "noise"

    def measure(self, photo: PreparedPhoto) -> Level:
        """As `covariances`."""
        return covariances(photo)

    def common(self, levels: Level) -> Level:
        """At every frequency that of the camera with the most."""
        covariances = levels.reshape(-1, *SHAPE)
        most = _power(levels).argmax(axis=0)
        return np.take_along_axis(covariances, most[None, :, :, None, None], axis=0).ravel()

    def reaches(self, level: Level, other: Level) -> bool:
        """Where the other level is the noisier one at every frequency."""
        return bool(np.all(_power(level) <= _power(other) * (1 + TOLERANCE)))

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Add what lacks."""
        return add_noise(pixels, other - level, generator)


NOISE = register(Noise())


def covariances(photo: PreparedPhoto) -> Level:
    """The noise of a photo, (576,): of `SHAPE`, mean over flat areas; NaN where it has none.

    The lowest frequencies, which scenes have most of, are taken from the next ones.
    """
    colours = np.stack(
        [transformed(colour) for colour in (photo.flat.red, photo.flat.green, photo.flat.blue)]
    )
    if not colours.shape[1]:
        return np.full(np.prod(SHAPE), np.nan)
    covariance = np.einsum("ibuv,jbuv->uvij", colours, colours, optimize=True) / colours.shape[1]
    covariance[orders() <= CONTENT_ORDERS] = covariance[orders() == CONTENT_ORDERS + 1].mean(axis=0)
    return np.asarray(covariance, np.float64).ravel()


def add_noise(pixels: Pixels, covariance: Level, generator: np.random.Generator) -> Pixels:
    """A photo with noise that has a covariance (576,) of `SHAPE`, where it is one; elsewhere none is added."""
    height, width = pixels.shape[:2]
    noise = _draw(covariance, min(height, TILE), min(width, TILE), generator)
    levels = np.rint(noise).astype(np.int16)
    levels = np.pad(levels, ((0, height - len(levels)), (0, width - levels.shape[1]), (0, 0)), mode="wrap")
    return np.asarray(cv2.add(pixels, levels, dtype=cv2.CV_8U), np.uint8)


def spectrum(photo: PreparedPhoto) -> Level:
    """Energy of luma at `FREQUENCIES`, down and across, (8, 8); that of white noise is its variance.

    In squares of 16 × 16 pixels that fade out towards their borders: without that, borders look like fine detail.
    """
    windows = np.lib.stride_tricks.sliding_window_view(photo.luma, (2 * BLOCK, 2 * BLOCK), axis=(1, 2))
    squares = windows[:, ::BLOCK, ::BLOCK].reshape(-1, 2 * BLOCK, 2 * BLOCK)
    fading = np.outer(FADING, FADING)
    powers = np.abs(np.fft.rfft2((squares - squares.mean(axis=(1, 2), keepdims=True)) * fading)) ** 2
    mean = powers.mean(axis=0) / np.square(fading).sum()
    opposite = -np.arange(BLOCK)  # the negative frequencies down
    return np.asarray((mean[:BLOCK, :BLOCK] + mean[opposite, :BLOCK]) / 2, np.float64)


def between_frequencies(height: int, width: int) -> tuple[Level, Level]:
    """From 8 × 8 cosines to the frequencies of `rfft2`, linearly: weights (height, 8) and (width // 2 + 1, 8)."""
    places = [
        np.minimum(np.abs(some) / FREQUENCIES[1], BLOCK - 1)
        for some in (np.fft.fftfreq(height), np.fft.rfftfreq(width))
    ]
    down, across = (np.maximum(1 - np.abs(place[:, None] - np.arange(BLOCK)), 0) for place in places)
    return down, across


def _power(level: Level) -> Level:
    """Variance of the three colours together by frequency, (..., 8, 8)."""
    return np.asarray(np.trace(level.reshape(*level.shape[:-1], *SHAPE), axis1=-2, axis2=-1))


def _draw(
    covariance: Level, height: int, width: int, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Gaussian noise whose covariance at every frequency is given, where it is one, (height, width, 3)."""
    values, vectors = np.linalg.eigh(covariance.reshape(SHAPE))
    roots = (vectors * np.sqrt(np.maximum(values, 0))[..., None, :]) @ vectors.swapaxes(-1, -2)
    down, across = between_frequencies(height, width)
    shaped = np.einsum("hu,uvij,wv->hwij", down, roots, across, optimize=True)
    white = np.fft.rfft2(generator.standard_normal((height, width, 3)), axes=(0, 1))
    noise = np.fft.irfft2(np.einsum("hwij,hwj->hwi", shaped, white), s=(height, width), axes=(0, 1))
    return np.asarray(noise, np.float64)
