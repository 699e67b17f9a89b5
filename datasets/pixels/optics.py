"""What the lens does towards the corners: light, colour and sharpness lost, and colours magnified differently.

Distances from the photo's middle are 1 in its corners. What a single photo shows there counts too; over many photos
it averages out. Straight lines are not looked for: no single photo has enough of them to measure distortion.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.pixels.areas import Levels
from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.sharpness import fineness
from camerabias.datasets.pixels.statistic import statistic

MIN_SHARE = 0.25
"""Share of the frame that must not be clipped for light to be compared over it."""

INNER, OUTER = 0.4, 0.65
"""Distances from the middle within which, and beyond which, sharpness is compared."""

MIN_DETAIL = 1.0
"""Mean square of green's detail, in levels², from which colours are registered."""

SLOPE = np.array([1, -8, 0, 8, -1], np.float32) / 12
"""The derivative of a polynomial of fourth degree from five of its values."""

MAX_UNLIKE = 0.2
"""Share of a colour's detail that green does not explain, up to which it is registered."""

SMOOTHING, BACKGROUND = 1.0, 9
"""Before registration: standard deviation of a blur against noise; side of the square whose mean is taken away."""


@statistic("light lost in corners", "stops", "darker in corners", "brighter in corners")
def corner_darkening(photo: PreparedPhoto) -> float:
    """Quadratic in the distance from the middle, fitted to log₂ of light beside a plane."""
    return -_corner_change(photo, _logs(photo.light))


@statistic("change of red over blue towards corners", "stops", "warmer in corners", "cooler in corners")
def corner_warmth(photo: PreparedPhoto) -> float:
    """As `corner_darkening`, of red over blue."""
    logs = _logs(photo.small)
    return _corner_change(photo, logs[..., 0] - logs[..., 2])


@statistic("fine detail lost in corners", "dB", "softer in corners", "crisper in corners")
def corner_softness(photo: PreparedPhoto) -> float:
    """Fine against medium detail (`fine_detail`) of the blocks in the middle, less that of the outer ones."""
    energy, radii = np.square(photo.coefficients), photo.block_radii
    middle, outer = energy[radii < INNER], energy[radii > OUTER]
    if not len(middle) or not len(outer):
        return math.nan
    return fineness(middle.mean(axis=0, dtype=np.float64)) - fineness(outer.mean(axis=0, dtype=np.float64))


@statistic("magnification of red against green", "‰", "magnified more in red", "magnified less in red")
def red_magnification(photo: PreparedPhoto) -> float:
    """How much larger the red image is (lateral chromatic aberration), by registration of detail in first order."""
    return _magnification(photo, 0)


@statistic("magnification of blue against green", "‰", "magnified more in blue", "magnified less in blue")
def blue_magnification(photo: PreparedPhoto) -> float:
    """As `red_magnification`."""
    return _magnification(photo, 2)


def _corner_change(photo: PreparedPhoto, values: Levels) -> float:
    """How much values differ in the corners from the middle, beside a plane; NaN where too much is clipped."""
    inside = photo.unclipped
    if inside.mean() < MIN_SHARE:
        return math.nan
    down, across = _positions(*inside.shape)
    terms = [np.ones((), np.float32), down, across, down**2 + across**2]
    known = np.stack([np.broadcast_to(term, inside.shape)[inside] for term in (*terms, values)])
    return float(_fit(known)[-1])


def _fit(planes: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """The least-squares combination of the first planes that gives the last, from (planes, pixels)."""
    exact = planes.astype(np.float64)
    products = np.einsum("ip,jp->ij", exact, exact)  # in this thread alone, which costs small photos less
    return np.asarray(np.linalg.lstsq(products[:-1, :-1], products[:-1, -1], rcond=1e-9)[0])


def _logs(light: Levels) -> Levels:
    return np.asarray(np.log2(np.maximum(light, np.float32(1e-4))))


def _positions(height: int, width: int) -> tuple[Levels, Levels]:
    """Down and across from the middle, in units in which the corners' distance is 1, (h, 1) and (1, w)."""
    corner = math.hypot(height, width) / 2
    down, across = ((np.arange(side, dtype=np.float32) - (side - 1) / 2) / corner for side in (height, width))
    return down[:, None], across[None, :]


def _magnification(photo: PreparedPhoto, colour: int) -> float:
    """Solve colour = a (green - m x · gradient of green) for m, up to a shift and a blur, in thousandths."""
    smooth = cv2.GaussianBlur(photo.middle, (0, 0), SMOOTHING)
    green = smooth[..., 1]
    down, across = _positions(*green.shape)
    slope_across, slope_down = cv2.filter2D(green, -1, SLOPE[None]), cv2.filter2D(green, -1, SLOPE[:, None])
    radial_slope = down * slope_down + across * slope_across
    terms = [green, radial_slope, slope_across, slope_down, cv2.Laplacian(green, cv2.CV_32F)]
    detail = np.stack([_detail(plane).ravel() for plane in (*terms, smooth[..., colour])])
    fitted = _fit(detail)
    unlike = float(np.square(detail[-1] - fitted @ detail[:-1]).mean())
    if float(np.square(detail[0]).mean()) < MIN_DETAIL or unlike > MAX_UNLIKE * float(
        np.square(detail[-1]).mean()
    ):
        return math.nan
    if not fitted[0]:  # nothing of green is in the colour, such as in a flat one
        return math.nan
    return float(-1000 * fitted[1] / fitted[0] / (math.hypot(*green.shape) / 2))


def _detail(plane: Levels) -> Levels:
    """A plane less its background, without the margin in which the background reaches beyond the photo."""
    margin = BACKGROUND // 2
    return np.asarray(plane - cv2.blur(plane, (BACKGROUND, BACKGROUND)))[margin:-margin, margin:-margin]
