"""The steepest edges of a photo, and their profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from camerabias.datasets.pixels.blocks import Levels

HALF = 7
"""Pixels of a profile on either side of the two between which an edge is steepest."""

END = 3
"""Pixels whose mean is the level of an end."""

MIN_STEP, MIN_HEIGHT = 12.0, 24.0
"""Levels: between two pixels, and from one end to the other."""

MAX_EDGES, MIN_EDGES = 2000, 10
"""Edges per direction that are looked at, the steepest; and all together from which anything is said."""


@dataclass(frozen=True)
class Edges:
    """The steepest edges of a photo along its rows and columns, a number each, in levels of 255.

    Attributes:
        heights: From one end of the profile to the other.
        slopes: Largest step between two pixels.
        overshoots: How far the profile exceeds its ends, mean of both.
    """

    heights: Levels
    slopes: Levels
    overshoots: Levels


def find_edges(luma: Levels) -> Edges:
    """Find the steepest edges of crops, (crops, height, width); none where fewer than ten are found."""
    rising = np.concatenate([_profiles(luma), _profiles(luma.transpose(0, 2, 1))])
    low, high = rising[:, :END].mean(axis=1), rising[:, -END:].mean(axis=1)
    slopes = rising[:, HALF + 1] - rising[:, HALF]
    over = (np.maximum(rising.max(axis=1) - high, 0) + np.maximum(low - rising.min(axis=1), 0)) / 2
    tall = high - low >= np.maximum(MIN_HEIGHT, slopes)
    if tall.sum() < MIN_EDGES:
        tall[:] = False
    return Edges(high[tall] - low[tall], slopes[tall], over[tall])


def _profiles(luma: Levels) -> Levels:
    """Profiles along rows across the steepest steps, each turned so that it rises, (edges, 16)."""
    steps = np.diff(luma, axis=2)
    steep = np.abs(steps)
    inner = steep[:, :, HALF:-HALF]
    peak = (inner >= steep[:, :, HALF - 1 : -HALF - 1]) & (inner > steep[:, :, HALF + 1 : -HALF + 1 or None])
    found = np.flatnonzero(peak & (inner >= MIN_STEP))
    if len(found) > MAX_EDGES:
        found = found[np.argpartition(inner.ravel()[found], -MAX_EDGES)[-MAX_EDGES:]]
    crop, row, column = np.unravel_index(found, inner.shape)
    across = column[:, None] + np.arange(2 * HALF + 2)
    profile = luma[crop[:, None], row[:, None], across]
    falling = profile[:, HALF + 1] < profile[:, HALF]
    return np.asarray(np.where(falling[:, None], 255 - profile, profile))
