"""Noise of flat areas: how strong, in which colours, how coarse, and how it grows with brightness.

Flat areas are a photo's blocks of 8 × 8 pixels that show least, and their noise is what they hold beyond smooth
content. A sensor's fixed pattern cannot be measured on one photo: `inspection.sensor_pattern` compares many.
"""

from __future__ import annotations

import math

import numpy as np

from camerabias.datasets.pixels.areas import BLOCK, CONTENT_ORDERS, Levels, noise_projector, orders
from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.statistic import decibels, median, ratio, statistic

DEGREES = int((orders() > CONTENT_ORDERS).sum())
"""Degrees of freedom of a block's noise."""

MIN_RISE = 10.0
"""Levels by which bright flat areas must be brighter than dark ones for noise to be compared."""


@statistic("standard deviation of luma in flat areas", "of 255", "noisier or rougher", "cleaner or smoother")
def noise_level(photo: PreparedPhoto) -> float:
    """Median over flat areas."""
    return _level(photo.flat.luma)


@statistic("standard deviation of red in flat areas", "of 255", "noisier in red", "cleaner in red")
def noise_red(photo: PreparedPhoto) -> float:
    """As `noise_level`."""
    return _level(photo.flat.red)


@statistic("standard deviation of green in flat areas", "of 255", "noisier in green", "cleaner in green")
def noise_green(photo: PreparedPhoto) -> float:
    """As `noise_level`."""
    return _level(photo.flat.green)


@statistic("standard deviation of blue in flat areas", "of 255", "noisier in blue", "cleaner in blue")
def noise_blue(photo: PreparedPhoto) -> float:
    """As `noise_level`."""
    return _level(photo.flat.blue)


@statistic(
    "standard deviation of colour differences in flat areas",
    "of 255",
    "blotchier in colour",
    "cleaner in colour",
)
def colour_noise(photo: PreparedPhoto) -> float:
    """Of red less green and blue less green, over √2: the noise of each colour where colours are independent."""
    red, green, blue = photo.flat.red, photo.flat.green, photo.flat.blue
    return (_level(red - green) + _level(blue - green)) / math.sqrt(8)


@statistic(
    "growth of noise with brightness",
    "per 100 levels",
    "noisier towards highlights",
    "noisier towards shadows",
)
def noise_slope(photo: PreparedPhoto) -> float:
    """Noise of the brightest third of the flat areas less that of the darkest, per 100 levels of brightness."""
    order, third = np.argsort(photo.flat.brightness), len(photo.flat.brightness) // 3
    if not third:
        return math.nan
    noise = photo.flat.luma[order]
    light = photo.flat.brightness[order]
    rise = median(light[-third:]) - median(light[:third])
    return 100 * (_level(noise[-third:]) - _level(noise[:third])) / rise if rise >= MIN_RISE else math.nan


@statistic("excess kurtosis of the noise", "", "spikier in noise", "more even in noise")
def noise_kurtosis(photo: PreparedPhoto) -> float:
    """Mean over flat areas, 0 for Gaussian noise; isolated pixels raise it, quantisation lowers it."""
    noise = photo.flat.luma
    squares = np.square(noise)
    variance = squares.mean(axis=1)
    some = variance > 0
    if not some.any():
        return math.nan
    return float(np.mean(np.square(squares[some]).mean(axis=1) / variance[some] ** 2)) - _gaussian_kurtosis()


@statistic(
    "correlation of noise between colours",
    "",
    "grayer in noise",
    "more colourful in noise",
)
def noise_colour_correlation(photo: PreparedPhoto) -> float:
    """Mean of red with green and of green with blue; 1 where the noise is gray."""
    red, green, blue = photo.flat.red, photo.flat.green, photo.flat.blue
    return (_correlation(red, green) + _correlation(green, blue)) / 2


@statistic(
    "correlation of noise with the next pixel of a row",
    "",
    "smoother in noise along rows",
    "crisper in noise along rows",
)
def noise_along_rows(photo: PreparedPhoto) -> float:
    """0 for white noise; demosaicing, denoising, scaling up and JPEG raise it, sharpening lowers it."""
    return _neighbours(photo.flat.luma, axis=2)


@statistic(
    "correlation of noise with the next pixel of a column",
    "",
    "smoother in noise along columns",
    "crisper in noise along columns",
)
def noise_along_columns(photo: PreparedPhoto) -> float:
    """As `noise_along_rows`."""
    return _neighbours(photo.flat.luma, axis=1)


@statistic(
    "noise of rows over noise of columns", "dB", "more striped along rows", "more striped along columns"
)
def banding(photo: PreparedPhoto) -> float:
    """Variance of the rows' means over that of the columns' means, in flat areas."""
    luma = photo.flat.luma.reshape(-1, BLOCK, BLOCK)
    return decibels(_energy(luma.mean(axis=2)), _energy(luma.mean(axis=1)))


def _level(noise: Levels) -> float:
    """Standard deviation of noise, (blocks, 64): median over blocks, so that the odd edge does not count."""
    return math.sqrt(median(np.square(noise).sum(axis=1)) / DEGREES)


def _energy(values: Levels) -> float:
    return float(np.square(values).sum(dtype=np.float64))


def _correlation(first: Levels, second: Levels) -> float:
    together = float((first * second).sum(dtype=np.float64))
    return ratio(together, math.sqrt(_energy(first) * _energy(second)))


def _neighbours(luma: Levels, axis: int) -> float:
    """Correlation of neighbours along an axis, less what taking the content away gives white noise."""
    moved = np.moveaxis(luma.reshape(-1, BLOCK, BLOCK), axis, -1)
    together = float((moved[..., :-1] * moved[..., 1:]).sum(dtype=np.float64))
    white = noise_projector().reshape(BLOCK, BLOCK, BLOCK, BLOCK)[:, :-1, :, 1:]
    expected = float(np.einsum("abab->", white)) / DEGREES
    return (ratio(together, _energy(luma)) - expected) * BLOCK / (BLOCK - 1)


def _gaussian_kurtosis() -> float:
    """What Gaussian noise gives, less a block's content, over the square of the same block's variance."""
    variances = np.diag(noise_projector())
    return float(3 * BLOCK**2 * np.square(variances).sum() / (DEGREES * (DEGREES + 2)))
