"""Blur: photos are blurred to the softest camera, and keep their noise."""

from __future__ import annotations

import cv2
import numpy as np

from camerabias.datasets.interventions.intervention import Intervention, Level, register
from camerabias.datasets.interventions.noise import FREQUENCIES, SHAPE, add_noise, covariances, spectrum
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.io.jpeg import LUMA
from camerabias.datasets.pixels.areas import orders
from camerabias.datasets.pixels.photo import PreparedPhoto

ORDERS = (1, 5)
"""Sums of two frequencies, from and to, in which blur is measured: below scenes differ, above is noise."""

MIN_FREQUENCIES = 10
"""Frequencies with more energy than the noise, from which blur is measured."""

SQUARES = FREQUENCIES[:, None] ** 2 + FREQUENCIES**2

TOLERANCE = 0.02
"""Square pixels by which a photo may be blurred more than the level that it is brought to."""


class Blur(Intervention):
    """Levels are the variance of the blur, which adds up, and the covariances of the noise, which blur takes away.

    A Gaussian blur of variance v lowers the energy at frequency f by exp(4 π² v f²), whatever there is to be blurred.
    """

    cue = "blur"

    def measure(self, photo: PreparedPhoto) -> Level:
        """From the slope of log energy over the square of the frequency, without the noise of flat areas."""
        noise = covariances(photo)
        luma = np.einsum("i,uvij,j->uv", LUMA, noise.reshape(SHAPE), LUMA)
        energies = spectrum(photo) - luma
        known = (orders() >= ORDERS[0]) & (orders() <= ORDERS[1]) & (energies > 0)
        if np.count_nonzero(known) < MIN_FREQUENCIES:
            return np.full(1 + noise.size, np.nan)
        slope = np.polyfit(SQUARES[known], np.log(energies[known]), 1)[0]
        return np.concatenate([[-slope / (4 * np.pi**2)], noise])

    def common(self, levels: Level) -> Level:
        """That of the softest camera."""
        return np.asarray(levels[levels[:, 0].argmax()])

    def reaches(self, level: Level, other: Level) -> bool:
        """Where the other level is the softer one."""
        return bool(level[0] <= other[0] + TOLERANCE)

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Blur, and add the noise that this takes away."""
        variance = float(other[0] - level[0])
        if variance <= 0:
            return pixels
        soft = np.asarray(cv2.GaussianBlur(pixels, (0, 0), float(np.sqrt(variance))), np.uint8)
        passed = np.exp(-2 * np.pi**2 * variance * SQUARES)
        lost = level[1:].reshape(SHAPE) * (1 - passed**2)[..., None, None]
        return add_noise(soft, lost.ravel(), generator)


BLUR = register(Blur())
