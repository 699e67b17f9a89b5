"""Blur: photos are blurred to the softest camera, lose false colours as its photos do, and keep their noise."""

from __future__ import annotations

import cv2
import numpy as np

from camerabias.datasets.cues.noise import N_COVARIANCES, SHAPE, add_noise, covariances
from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.frequencies import SQUARES, filtered, spectrum
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.io.jpeg import LUMA
from camerabias.datasets.pixels.areas import BLOCK, Levels, orders
from camerabias.datasets.pixels.photo import PreparedPhoto

ORDERS = (1, 5)
"""Sums of two frequencies, from and to, in which blur is measured: below scenes differ, above is noise."""

MIN_FREQUENCIES = 10
"""Frequencies with more energy than the noise, from which blur is measured."""

TOLERANCE = 0.02
"""Square pixels by which a photo may be blurred more than the level that it is brought to."""


class Blur(Intervention):
    """Levels are the variance of the blur, the covariances of the noise, and log₂ of the energies of two colours.

    A Gaussian blur of variance v lowers the energy at frequency f by exp(4 π² v f²), whatever there is to be blurred;
    variances add up. A sharper lens draws finer detail than the sensor's mosaic of colours resolves, which turns into
    false colours as coarse as anything: what the softer camera has less of in colours is taken away.
    """

    def measure(self, photo: PreparedPhoto) -> Level:
        """Blur from the slope of log energy over the square of the frequency, without the noise of flat areas."""
        noise = covariances(photo)
        luma = np.einsum("i,uvij,j->uv", LUMA, noise.reshape(SHAPE), LUMA)
        energies = spectrum(photo.luma) - luma
        known = (orders() >= ORDERS[0]) & (orders() <= ORDERS[1]) & (energies > 0)
        if np.count_nonzero(known) < MIN_FREQUENCIES:
            return np.full(1 + noise.size + 2 * BLOCK**2, np.nan)
        slope = np.polyfit(SQUARES[known], np.log(energies[known]), 1)[0]
        opponent = np.stack([_opponent(crop)[..., 1:] for crop in photo.crops])
        colours = np.stack([spectrum(plane) for plane in np.moveaxis(opponent, -1, 0)])
        return np.concatenate([[-slope / (4 * np.pi**2)], noise, np.log2(np.maximum(colours, 1e-3)).ravel()])

    def common(self, levels: Level) -> Level:
        """That of the softest camera."""
        return np.asarray(levels[levels[:, 0].argmax()])

    def reaches(self, level: Level, other: Level) -> bool:
        """Where the other level is the softer one."""
        return bool(level[0] <= other[0] + TOLERANCE)

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Blur luma, weaken colours, and add the noise that this takes away."""
        variance = float(other[0] - level[0])
        if variance <= 0:
            return pixels
        passed = np.exp(-2 * np.pi**2 * variance * SQUARES)
        colours = np.minimum(2.0 ** ((other - level)[1 + N_COVARIANCES :] / 2), 1).reshape(2, BLOCK, BLOCK)
        colours[:, 0, 0] = 1
        planes = np.moveaxis(_opponent(pixels), -1, 0)
        weakened = [filtered(plane, gains) for plane, gains in zip(planes, (passed, *colours), strict=True)]
        soft = cv2.cvtColor(cv2.merge(weakened), cv2.COLOR_YCrCb2RGB)
        lost = level[1 : 1 + N_COVARIANCES].reshape(SHAPE) * (1 - passed**2)[..., None, None]
        return add_noise(np.clip(np.rint(soft), 0, 255).astype(np.uint8), lost.ravel(), generator)


CUES["blur"] = CueSpec(
    number=5, parameters=("blur",), mitigation="blur_noise", full_strength={"blur": 8}, intervention=Blur()
)


def _opponent(pixels: Pixels) -> Levels:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2YCrCb), np.float32)
