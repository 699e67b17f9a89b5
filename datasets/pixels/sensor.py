"""What sensors and scaling leave: a period of two pixels, other periods, and single pixels that stand out."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.pixels.areas import Levels
from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.statistic import decibels, statistic

STANDS_OUT = 24
"""Levels by which a hot pixel exceeds all pixels around it, and twice those by which these differ at most."""

AROUND = 2
"""Distance in pixels of the ring that a pixel is compared with: demosaicing spreads one over those next to it."""

PERIODS = (0.06, 0.47)
"""Frequencies, per pixel, between which traces of scaling are looked for."""

MIN_FREQUENCIES = 12
"""Frequencies from which a peak is recognised."""


@statistic("2 × 2 pattern of green", "dB", "more patterned by the mosaic", "less patterned by the mosaic")
def green_mosaic(photo: PreparedPhoto) -> float:
    """How much less green's interpolation error is on one diagonal of 2 × 2 pixels: those that a sensor measured."""
    errors = _phases(photo, 1)
    return abs(2 * decibels(errors[0] + errors[3], errors[1] + errors[2]))


@statistic("2 × 2 pattern of red and blue", "dB", "more patterned in colour", "less patterned in colour")
def colour_mosaic(photo: PreparedPhoto) -> float:
    """Largest over least interpolation error of the four pixels of 2 × 2, mean of red and blue.

    Demosaicing raises it, and so does colour that JPEG stores for every other pixel.
    """
    red, blue = _phases(photo, 0), _phases(photo, 2)
    return decibels(max(red), min(red)) + decibels(max(blue), min(blue))


@statistic("strongest period that is no block's", "dB", "more marked by scaling", "less marked by scaling")
def scaling_trace(photo: PreparedPhoto) -> float:
    """Peak over median of the spectrum of second differences, mean of rows and columns, without multiples of 1/8.

    After Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", 2005.
    """
    return (_peak(photo.luma) + _peak(photo.luma.transpose(0, 2, 1))) / 2


@statistic("single bright pixels", "per megapixel", "fuller of hot pixels", "freer of hot pixels")
def hot_pixels(photo: PreparedPhoto) -> float:
    """Pixels that exceed an even surrounding by 24 levels or more in some colour."""
    return _count_outliers(photo.crops)


@statistic("single dark pixels", "per megapixel", "fuller of dead pixels", "freer of dead pixels")
def dead_pixels(photo: PreparedPhoto) -> float:
    """Pixels that lie below an even surrounding by 24 levels or more in some colour."""
    return _count_outliers(255 - photo.crops)


def _phases(photo: PreparedPhoto, colour: int) -> tuple[float, ...]:
    """Mean absolute error of the mean of the four neighbours at each of the pixels of 2 × 2."""
    plane: Levels = photo.crops[..., colour].astype(np.float32)
    beside = plane[:, 1:-1, :-2] + plane[:, 1:-1, 2:] + plane[:, :-2, 1:-1] + plane[:, 2:, 1:-1]
    error = np.abs(plane[:, 1:-1, 1:-1] - beside / 4)
    return tuple(float(error[:, row::2, column::2].mean()) for row in (0, 1) for column in (0, 1))


def _peak(luma: Levels) -> float:
    """The strongest frequency along rows over the median one, in dB; NaN where there are too few."""
    second = np.abs(luma[..., 2:] - 2 * luma[..., 1:-1] + luma[..., :-2]).mean(axis=1)
    length = second.shape[1]
    window = np.hanning(length)
    spectrum = np.abs(np.fft.rfft((second - second.mean(axis=1, keepdims=True)) * window)).mean(axis=0)
    frequency = np.fft.rfftfreq(length)
    of_blocks = np.abs(frequency * 8 - np.round(frequency * 8)) < 8 * 2.5 / length
    looked_at = spectrum[(frequency > PERIODS[0]) & (frequency < PERIODS[1]) & ~of_blocks]
    if len(looked_at) < MIN_FREQUENCIES:
        return math.nan
    return 2 * decibels(float(looked_at.max()), float(np.median(looked_at)))


def _count_outliers(crops: npt.NDArray[np.uint8]) -> float:
    n = sum(_outliers(crop) for crop in crops)
    return 1e6 * n / (crops[..., 0].size)


def _outliers(crop: npt.NDArray[np.uint8]) -> int:
    """Pixels of a crop that are the largest of 3 × 3, and brighter than an even ring around these."""
    highest, lowest = _ring(crop, cv2.dilate, cv2.max), _ring(crop, cv2.erode, cv2.min)
    inner = crop[AROUND:-AROUND, AROUND:-AROUND]
    alone = (cv2.subtract(inner, highest) >= STANDS_OUT) & (highest - lowest <= STANDS_OUT // 2)
    if not alone.any():
        return 0
    largest = cv2.dilate(crop, np.ones((3, 3), np.uint8))[AROUND:-AROUND, AROUND:-AROUND]
    return int(np.count_nonzero((alone & (inner == largest)).any(axis=2)))


def _ring(crop: npt.NDArray[np.uint8], spread: Any, most: Any) -> npt.NDArray[np.uint8]:
    """The extreme of the 16 pixels at a distance of two of every pixel that has them, as four sides of five."""
    side, inside = 2 * AROUND + 1, slice(AROUND, -AROUND)
    rows, columns = spread(crop, np.ones((1, side), np.uint8)), spread(crop, np.ones((side, 1), np.uint8))
    across = most(rows[: -2 * AROUND, inside], rows[2 * AROUND :, inside])
    down = most(columns[inside, : -2 * AROUND], columns[inside, 2 * AROUND :])
    return np.asarray(most(across, down), dtype=np.uint8)
