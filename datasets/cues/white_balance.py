"""White balance: gains of red and blue in linear light (von Kries), to the mean of all cameras."""

from __future__ import annotations

import cv2
import numpy as np

from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.io.jpeg import LUMA
from camerabias.datasets.pixels.photo import PreparedPhoto, to_levels, to_light

MIN_COLOURS = 16
"""Pixels from which colours are measured."""


class WhiteBalance(Intervention):
    """Levels are log₂ of red over green and of blue over green, means over what is not clipped."""

    def measure(self, photo: PreparedPhoto) -> Level:
        """Of linear light."""
        if np.count_nonzero(photo.unclipped) < MIN_COLOURS:
            return np.full(2, np.nan)
        red, green, blue, _ = cv2.mean(photo.small, photo.unclipped.astype(np.uint8))
        return np.log2(np.maximum([red, blue], 1e-4) / max(green, 1e-4))

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Multiply colours such that a gray keeps its luma."""
        red, blue = 2.0 ** (other - level)
        gains = np.array([red, 1.0, blue])
        each = to_light(np.arange(256, dtype=np.uint8))[:, None] * np.float32(gains / (gains @ LUMA))
        return np.asarray(cv2.LUT(pixels, to_levels(each)[None]), np.uint8)


CUES["white balance"] = CueSpec(
    number=0,
    parameters=("white_balance", "colour_matrix"),
    mitigation="jitter",
    full_strength={"white_balance": 2, "colour_matrix": 2},
    intervention=WhiteBalance(),
)
