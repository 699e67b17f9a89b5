"""Denoising and sharpening: detail is weakened to the softest camera at every frequency, never strengthened."""

from __future__ import annotations

import cv2
import numpy as np

from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.frequencies import filtered, spectrum
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.areas import BLOCK, orders
from camerabias.datasets.pixels.photo import PreparedPhoto

LOWEST = 1
"""Sums of two frequencies up to which detail is what scenes differ in, and stays."""

FINE = 7
"""Sums of two frequencies from which detail is fine."""

TOLERANCE = 0.1
"""log₂ of the energy of fine detail that the other level may have more of."""


class Sharpening(Intervention):
    """Levels are log₂ of the energy of luma at every frequency."""

    def measure(self, photo: PreparedPhoto) -> Level:
        """As `spectrum`."""
        return np.asarray(np.log2(np.maximum(spectrum(photo.luma), 1e-3))).ravel()

    def common(self, levels: Level) -> Level:
        """The least energy at every frequency."""
        return np.asarray(levels.min(axis=0))

    def reaches(self, level: Level, other: Level) -> bool:
        """Where the other level has less of fine detail."""
        fine = (orders() >= FINE).ravel()
        return bool(level[fine].mean() >= other[fine].mean() - TOLERANCE)

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Filter luma, and leave colours."""
        gains = np.minimum(2.0 ** ((other - level) / 2), 1).reshape(BLOCK, BLOCK)
        gains[orders() <= LOWEST] = 1
        luma = np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)
        change = filtered(luma, gains - 1)
        return np.asarray(np.clip(np.rint(pixels + change[..., None]), 0, 255), np.uint8)


CUES["denoising, sharpening"] = CueSpec(
    number=4,
    parameters=("denoising", "sharpening"),
    mitigation="blur_noise",
    full_strength={"denoising": 4, "sharpening": 5},
    intervention=Sharpening(),
    words="denoising and sharpening",
)
