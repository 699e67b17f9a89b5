"""Brightness, contrast and clipping, from the histogram of luma in native resolution."""

from __future__ import annotations

import math

import numpy as np

from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.statistic import ratio, statistic

CLIPPED = 254
"""Level from which a colour is clipped; JPEG moves it by one."""

BLACK = 2
"""Level up to which all colours of a crushed shadow lie."""

PIXELS_PER_LEVEL = 50
"""Pixels per level from which an empty level of the histogram is a gap."""

MIN_LEVELS = 32
"""Levels that a photo must span for gaps to be counted."""


@statistic("median luma", "of 255", "brighter", "darker")
def brightness(photo: PreparedPhoto) -> float:
    """The level that half of the pixels lie below."""
    return _percentile(photo, 50)


@statistic("darkest twentieth of luma", "of 255", "brighter in shadows", "darker in shadows")
def shadow_level(photo: PreparedPhoto) -> float:
    """The 5th percentile."""
    return _percentile(photo, 5)


@statistic("brightest twentieth of luma", "of 255", "brighter in highlights", "darker in highlights")
def highlight_level(photo: PreparedPhoto) -> float:
    """The 95th percentile."""
    return _percentile(photo, 95)


@statistic("darkest thousandth of luma", "of 255", "lighter in blacks", "deeper in blacks")
def black_level(photo: PreparedPhoto) -> float:
    """The 0.1st percentile: where black lies."""
    return _percentile(photo, 0.1)


@statistic("standard deviation of luma", "of 255", "higher in contrast", "lower in contrast")
def contrast(photo: PreparedPhoto) -> float:
    """Root mean square contrast."""
    return float(np.std(photo.gray))


@statistic("median luma between shadows and highlights", "%", "lighter in midtones", "darker in midtones")
def midtones(photo: PreparedPhoto) -> float:
    """Where the median lies on the way from the 5th to the 95th percentile: the tone curve, whatever the range."""
    shadow, middle, highlight = (_percentile(photo, share) for share in (5, 50, 95))
    return 100 * ratio(middle - shadow, highlight - shadow)


@statistic("pixels with a colour at white", "%", "more clipped in highlights", "less clipped in highlights")
def clipped_highlights(photo: PreparedPhoto) -> float:
    """Share of pixels of which some colour is at 254 or 255."""
    return 100 * float(np.mean(photo.strongest >= CLIPPED))


@statistic("pixels at black", "%", "more clipped in shadows", "less clipped in shadows")
def clipped_shadows(photo: PreparedPhoto) -> float:
    """Share of pixels of which no colour is above 2."""
    return 100 * float(np.mean(photo.strongest <= BLACK))


@statistic("empty levels of green", "%", "more stretched in tone", "more continuous in tone")
def histogram_gaps(photo: PreparedPhoto) -> float:
    """Share of green's levels between the 5th and the 95th percentile that no pixel has; NaN where pixels are few."""
    counts = np.bincount(photo.crops[..., 1].ravel(), minlength=256)
    below = np.cumsum(counts) / counts.sum()
    low, high = np.searchsorted(below, [0.05, 0.95])
    levels = high - low + 1
    if levels < MIN_LEVELS or counts.sum() < PIXELS_PER_LEVEL * levels:
        return math.nan
    return 100 * float(np.mean(counts[low : high + 1] == 0))


def _percentile(photo: PreparedPhoto, share: float) -> float:
    below = np.cumsum(photo.histogram)
    return float(np.searchsorted(below, below[-1] * share / 100))
