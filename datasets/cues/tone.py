"""Tone: levels are mapped by one curve, so that each share of the pixels is as bright as with the other camera."""

from __future__ import annotations

import numpy as np

from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.photo import PreparedPhoto

SHARES = np.array([0.01, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.99])
"""Shares of the pixels that are darker than a level."""


class Tone(Intervention):
    """Levels are quantiles of luma: the median photo's, whose exposure is every camera's own."""

    def measure(self, photo: PreparedPhoto) -> Level:
        """In native resolution."""
        below = np.cumsum(photo.histogram)
        return np.asarray(np.searchsorted(below, below[-1] * SHARES), np.float64)

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Map all colours by the curve from one level's quantiles to the other's; black stays black, white white."""
        before, after = (
            np.maximum.accumulate(np.clip([0.0, *quantiles, 255.0], 0, 255)) for quantiles in (level, other)
        )
        before = before + 1e-6 * np.arange(len(before))  # strictly rising
        curve = np.rint(np.interp(np.arange(256), before, after)).astype(np.uint8)
        return curve[pixels]


CUES["tone"] = CueSpec(
    number=10,
    parameters=("tone_curve",),
    mitigation="jitter",
    intervention=Tone(),
    words="tone curve",
)
