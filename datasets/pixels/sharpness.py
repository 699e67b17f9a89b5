"""How sharp edges are, what sharpening leaves beside them, and how much fine detail there is."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from camerabias.datasets.pixels.areas import BLOCK, Levels, orders
from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.statistic import decibels, median, statistic

MID, FINE = (2, 4), (7, 14)
"""Sums of two frequencies of 8 × 8 cosines, from and to: detail of four to eight pixels, and of about two."""


@statistic("width of edges: height over steepest slope", "pixels", "softer at edges", "crisper at edges")
def edge_width(photo: PreparedPhoto) -> float:
    """Median over the steepest edges along rows and columns; 2.5 σ of a Gaussian blur, 1 where there is none."""
    return median(photo.edges.heights / photo.edges.slopes)


@statistic("overshoot beside edges", "% of their height", "more sharpened", "less sharpened")
def overshoot(photo: PreparedPhoto) -> float:
    """How far the profile of an edge exceeds its two ends, both sides together halved: the halo of sharpening."""
    return 100 * median(photo.edges.overshoots / photo.edges.heights)


@statistic("fine against medium detail", "dB", "richer in fine detail", "poorer in fine detail")
def fine_detail(photo: PreparedPhoto) -> float:
    """Energy of the highest frequencies of 8 × 8 blocks over that of medium ones; noise counts as detail."""
    return fineness(photo.energies)


@statistic("slope of the spectrum", "dB per octave", "flatter in spectrum", "steeper in spectrum")
def spectrum_slope(photo: PreparedPhoto) -> float:
    """Least-squares slope of log energy over log frequency; about -6 of usual scenes, 0 of white noise."""
    octaves = np.log2(np.arange(1, 2 * BLOCK - 1))
    mean = np.bincount(orders().ravel(), photo.energies.ravel()) / np.bincount(orders().ravel())
    if not np.all(mean[1:] > 0):
        return math.nan
    return float(np.polyfit(octaves, 10 * np.log10(mean[1:]), 1)[0])


@statistic("fine detail across over fine detail down", "dB", "crisper across", "crisper down")
def detail_direction(photo: PreparedPhoto) -> float:
    """Energy of the upper half of purely horizontal frequencies over that of vertical ones."""
    half = BLOCK // 2
    return decibels(photo.energies[0, half:].sum(), photo.energies[half:, 0].sum())


@statistic(
    "step to the next pixel over step to the next but one", "dB", "crisper in detail", "smoother in detail"
)
def acutance(photo: PreparedPhoto) -> float:
    """Mean square difference of neighbours over that at two pixels; 0 of white noise, -6 of smooth content."""
    luma = photo.luma
    near = sum(_square_step(luma, axis, 1) for axis in (1, 2))
    far = sum(_square_step(luma, axis, 2) for axis in (1, 2))
    return decibels(near, far)


def fineness(energies: npt.NDArray[np.float64]) -> float:
    """Energy of fine detail over that of medium detail in dB, from the mean energies of blocks, (8, 8)."""
    fine, medium = (energies[(orders() >= low) & (orders() <= high)].mean() for low, high in (FINE, MID))
    return decibels(fine, medium)


def _square_step(luma: Levels, axis: int, distance: int) -> float:
    moved = np.moveaxis(luma, axis, -1)
    return float(np.square(moved[..., distance:] - moved[..., :-distance]).mean())
