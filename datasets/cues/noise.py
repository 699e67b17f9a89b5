"""Noise: added up to the noisiest camera, as that of a sensor; never taken away."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.cues.jpeg import saved_again, tables_of
from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.frequencies import FREQUENCIES, between_frequencies
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.areas import BLOCK, CONTENT_ORDERS, orders, transformed
from camerabias.datasets.pixels.photo import PreparedPhoto

TILE = 256
"""Side in pixels of the noise that is drawn for a photo, and repeated over a larger one."""

SHAPE = (BLOCK, BLOCK, 3, 3)
"""Of a covariance: by vertical and horizontal frequency of 8 × 8 cosines, that of red, green and blue."""

N_COVARIANCES = int(np.prod(SHAPE))

OPPONENT = np.array([[0.299, 0.587, 0.114], [0.5, -0.4187, -0.0813], [-0.1687, -0.3313, 0.5]])
"""Luma and two differences of colours, from red, green and blue (JPEG's)."""

RAW_GAINS = (1.6, 1.0, 1.5)
"""Of red, green and blue in white balance, which amplifies their noise: of usual sensors in daylight."""

LUMA_ORDERS = (CONTENT_ORDERS + 1, CONTENT_ORDERS + 2)
"""Sums of two frequencies at which the noise of luma is neither content nor lost in JPEG's coarse steps."""

LEFT = 0.5
"""Share of the variance of colours' noise that JPEG leaves in flat areas, at sums of two frequencies of 1."""

TOLERANCE = 0.05
"""Share of its variance that a photo may have more of than the level that it is brought to."""


class Noise(Intervention):
    """Levels are covariances of the colours of flat areas at every frequency, and JPEG's tables: variances add up.

    What flat areas show counts, too, and is the same for all cameras. JPEG leaves little of noise that is finer or
    more colourful than its steps, so that of a JPEG its spectrum is not believed: what is added is white noise of a
    Bayer mosaic, interpolated, as much as the covariances say, and the photo is saved again as it was.
    """

    def measure(self, photo: PreparedPhoto) -> Level:
        """As `covariances`, and `tables_of`; tables of ones where the photo is no JPEG."""
        return np.concatenate([covariances(photo), np.nan_to_num(tables_of(photo))])

    def common(self, levels: Level) -> Level:
        """At every frequency that of the camera with the most, and its tables."""
        most = _power(levels).argmax(axis=0)
        covariances = levels[:, :N_COVARIANCES].reshape(-1, *SHAPE)
        joined = np.take_along_axis(covariances, most[None, :, :, None, None], axis=0).ravel()
        return np.concatenate([joined, levels[np.bincount(most.ravel()).argmax(), N_COVARIANCES:]])

    def reaches(self, level: Level, other: Level) -> bool:
        """Where the other level is the noisier one, at frequencies that JPEG leaves."""
        left = (orders() > 0) & (orders() <= max(LUMA_ORDERS))
        return bool(_power(level)[left].sum() <= _power(other)[left].sum() * (1 + TOLERANCE))

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Add what lacks."""
        lacking, tables = (other - level)[:N_COVARIANCES], level[N_COVARIANCES:]
        if not tables.any():
            return add_noise(pixels, lacking, generator)
        added = of_mosaic(lacking)
        return saved_again(add_noise(pixels, added, generator), tables) if added.any() else pixels


CUES["noise"] = CueSpec(
    number=1,
    parameters=("shot_noise", "read_noise"),
    mitigation="blur_noise",
    full_strength={"shot_noise": 3, "read_noise": 3},
    intervention=Noise(),
)


def covariances(photo: PreparedPhoto) -> Level:
    """The noise of a photo, (576,): of `SHAPE`, mean over flat areas; NaN where it has none.

    The lowest frequencies of luma, which scenes have most of and by which flat areas are chosen, are taken from the
    next ones; the mean colour from the lowest.
    """
    colours = np.stack([transformed(colour) for colour in photo.flat.blocks])
    if not colours.shape[1]:
        return np.full(N_COVARIANCES, np.nan)
    colours = np.einsum("ki,ibuv->kbuv", OPPONENT, colours)
    found = np.einsum("ibuv,jbuv->uvij", colours, colours, optimize=True) / colours.shape[1]
    low = orders() <= CONTENT_ORDERS
    found[0, 0] = found[orders() == 1].mean(axis=0)
    found[low, 0, :] = found[low, :, 0] = 0
    found[low, 0, 0] = found[orders() == CONTENT_ORDERS + 1, 0, 0].mean()
    back = np.linalg.inv(OPPONENT)
    return np.asarray(back @ found @ back.T, np.float64).ravel()


def of_mosaic(covariance: Level) -> Level:
    """Noise of a Bayer mosaic, interpolated linearly, with as much of luma and of colours, (576,).

    Its spectra are those of the kernels that fill in what three quarters, half and three quarters of the pixels lack.
    """
    down, across = np.cos(2 * np.pi * FREQUENCIES)[:, None], np.cos(2 * np.pi * FREQUENCIES)
    quarter, half = ((1 + down) * (1 + across)) ** 2 / 4, (1 + (down + across) / 2) ** 2 / 2
    powers = np.stack([quarter, half, quarter], axis=-1) * np.square(RAW_GAINS)
    mosaic = OPPONENT @ (powers[..., None] * np.eye(3)) @ OPPONENT.T
    asked = OPPONENT @ covariance.reshape(SHAPE) @ OPPONENT.T
    luma, colour = np.isin(orders(), LUMA_ORDERS), orders() == 1
    of_luma = asked[luma][:, 0, 0].mean() / mosaic[luma][:, 0, 0].mean()
    of_colour = _colours(asked[colour]) / _colours(mosaic[colour]) / LEFT
    scale = np.linalg.inv(OPPONENT) * np.sqrt(np.maximum([of_luma, of_colour, of_colour], 0))
    return np.asarray(scale @ mosaic @ scale.T).ravel()


def add_noise(pixels: Pixels, covariance: Level, generator: np.random.Generator) -> Pixels:
    """A photo with noise that has a covariance (576,) of `SHAPE`, where it is one; elsewhere none is added."""
    height, width = pixels.shape[:2]
    noise = _draw(covariance, min(height, TILE), min(width, TILE), generator)
    levels = np.rint(noise).astype(np.int16)
    levels = np.pad(levels, ((0, height - len(levels)), (0, width - levels.shape[1]), (0, 0)), mode="wrap")
    return np.asarray(cv2.add(pixels, levels, dtype=cv2.CV_8U), np.uint8)


def _colours(covariances: Level) -> float:
    return float(np.trace(covariances[:, 1:, 1:], axis1=-2, axis2=-1).mean())


def _power(level: Level) -> Level:
    """Variance of the three colours together by frequency, (..., 8, 8)."""
    covariances = level[..., :N_COVARIANCES].reshape(*level.shape[:-1], *SHAPE)
    return np.asarray(np.trace(covariances, axis1=-2, axis2=-1))


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
