"""Vignetting: light towards the corners, multiplied to the mean of all cameras."""

from __future__ import annotations

import numpy as np

from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.photo import PreparedPhoto, to_levels, to_light
from camerabias.datasets.pixels.registry import STATISTICS

STEPS = 128
"""Of light per stop: a level of 255 is more than one of them."""


class Vignetting(Intervention):
    """Levels are the stops lost in the corners, which grow with the square of the distance from the middle."""

    def measure(self, photo: PreparedPhoto) -> Level:
        """As the statistic of the corners."""
        return np.array([STATISTICS["corner_darkening"].measure(photo)])

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Multiply linear light."""
        height, width = pixels.shape[:2]
        down, across = (np.arange(side, dtype=np.float32) - (side - 1) / 2 for side in (height, width))
        squares = (down[:, None] ** 2 + across**2) * (4 / (height**2 + width**2))
        steps = np.rint(np.float32((level[0] - other[0]) * STEPS) * squares).astype(np.int32)
        gains = np.exp2(np.arange(steps.min(), steps.max() + 1, dtype=np.float32) / STEPS)
        table = to_levels(gains[:, None] * to_light(np.arange(256, dtype=np.uint8)))
        return np.asarray(np.take(table, 256 * (steps - steps.min())[..., None] + pixels))


CUES["vignetting"] = CueSpec(
    number=6,
    parameters=("vignetting",),
    mitigation="blur_noise",
    full_strength={"vignetting": 8},
    intervention=Vignetting(),
)
