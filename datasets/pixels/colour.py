"""White balance, casts and saturation, in linear light of the whole photo; ratios of colours in stops (×2)."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.statistic import statistic, stops

GRAYEST, DARKEST, BRIGHTEST = 0.2, 0.2, 0.1
"""Shares of the unclipped pixels: the least saturated, the darkest and the brightest."""

MIN_COLOURS = 16
"""Pixels from which a colour is measured."""

Mask = npt.NDArray[np.bool_]


@statistic("red over blue, mean of the photo", "stops", "warmer", "cooler")
def warmth(photo: PreparedPhoto) -> float:
    """Mean red over mean blue of what is not clipped (the gray world's white balance)."""
    return _warmth(photo, photo.unclipped)


@statistic("green over red and blue, mean of the photo", "stops", "greener", "more magenta")
def tint(photo: PreparedPhoto) -> float:
    """Mean green over the geometric mean of red and blue."""
    return _tint(photo, photo.unclipped)


@statistic("red over blue in grays", "stops", "warmer in grays", "cooler in grays")
def gray_warmth(photo: PreparedPhoto) -> float:
    """As `warmth`, of the fifth of the pixels that is least saturated."""
    return _warmth(photo, _least(photo.saturation, photo.unclipped, GRAYEST))


@statistic("green over red and blue in grays", "stops", "greener in grays", "more magenta in grays")
def gray_tint(photo: PreparedPhoto) -> float:
    """As `tint`, of the fifth of the pixels that is least saturated."""
    return _tint(photo, _least(photo.saturation, photo.unclipped, GRAYEST))


@statistic("red over blue in shadows", "stops", "warmer in shadows", "cooler in shadows")
def shadow_warmth(photo: PreparedPhoto) -> float:
    """As `warmth`, of the darkest fifth of the pixels."""
    return _warmth(photo, _least(photo.light, photo.unclipped, DARKEST))


@statistic("green over red and blue in shadows", "stops", "greener in shadows", "more magenta in shadows")
def shadow_tint(photo: PreparedPhoto) -> float:
    """As `tint`, of the darkest fifth of the pixels."""
    return _tint(photo, _least(photo.light, photo.unclipped, DARKEST))


@statistic("red over blue in highlights", "stops", "warmer in highlights", "cooler in highlights")
def highlight_warmth(photo: PreparedPhoto) -> float:
    """As `warmth`, of the brightest tenth of the pixels that are not clipped."""
    return _warmth(photo, _least(-photo.light, photo.unclipped, BRIGHTEST))


@statistic("mean saturation", "%", "more saturated", "less saturated")
def saturation(photo: PreparedPhoto) -> float:
    """Difference of the strongest and the weakest colour over the strongest, mean of what is not clipped."""
    values = photo.saturation[photo.unclipped]
    return 100 * float(values.mean()) if values.size else math.nan


@statistic("saturation of the most colourful twentieth", "%", "more vivid", "less vivid")
def vividness(photo: PreparedPhoto) -> float:
    """The 95th percentile of `saturation`'s pixels."""
    values = photo.saturation[photo.unclipped]
    return 100 * float(np.percentile(values, 95)) if values.size else math.nan


def _warmth(photo: PreparedPhoto, chosen: Mask) -> float:
    red, _, blue = _means(photo, chosen)
    return stops(red, blue)


def _tint(photo: PreparedPhoto, chosen: Mask) -> float:
    red, green, blue = _means(photo, chosen)
    return stops(green, math.sqrt(red * blue))


def _means(photo: PreparedPhoto, chosen: Mask) -> tuple[float, float, float]:
    if np.count_nonzero(chosen) < MIN_COLOURS:
        return math.nan, math.nan, math.nan
    red, green, blue, _ = cv2.mean(photo.small, chosen.astype(np.uint8))
    return red, green, blue


def _least(values: npt.NDArray[np.float32], within: Mask, share: float) -> Mask:
    """The share of some pixels that has the smallest values; more of them where values are the same."""
    inside = values[within]
    if not inside.size:
        return within
    last = math.ceil(share * inside.size) - 1
    return np.asarray(within & (values <= np.partition(inside, last)[last]))
