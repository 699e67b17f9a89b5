"""Lateral chromatic aberration: red and blue are magnified to the mean of all cameras."""

from __future__ import annotations

import cv2
import numpy as np

from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.registry import STATISTICS


class ChromaticAberration(Intervention):
    """Levels are the magnification of red and of blue against green, in thousandths."""

    def measure(self, photo: PreparedPhoto) -> Level:
        """As the statistics of the same names."""
        return np.array([STATISTICS[f"{colour}_magnification"].measure(photo) for colour in ("red", "blue")])

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Scale red and blue about the middle."""
        red, green, blue = np.moveaxis(pixels, -1, 0)
        by_red, by_blue = 1 + (other - level) / 1000
        return np.stack([_scaled(red, by_red), green, _scaled(blue, by_blue)], axis=-1)


CUES["chromatic aberration"] = CueSpec(
    number=9,
    parameters=("chromatic_aberration",),
    mitigation="blur_noise",
    intervention=ChromaticAberration(),
)


def _scaled(plane: Pixels, by: float) -> Pixels:
    height, width = plane.shape
    middle = (np.array([width, height]) - 1) / 2
    matrix = np.column_stack([by * np.eye(2), (1 - by) * middle])
    scaled = cv2.warpAffine(
        plane, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(scaled, np.uint8)
