"""From a Bayer mosaic to three channels, by five algorithms.

- `bilinear`: each channel by itself
- `hue`: green bilinear, red and blue through their smooth difference to green (Cok 1987, with differences for ratios)
- `malvar`: the linear filters of Malvar, He and Cutler (2004)
- `hamilton-adams`: green along the smaller gradient, with a correction by the second derivative (1997)
- `edge-aware`: OpenCV's, on 16 bits

All but `bilinear` take the channels for alike, and so want a mosaic balanced for daylight. A mosaic is a float32
array (height, width) of even sides, red at its first pixel, blue across from it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .scenes import Array

CROSS = np.array([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
SQUARE = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4
GREEN = (
    np.array([[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0]]) / 8
)
ROW = (
    np.array([[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]])
    / 8
)
DIAGONAL = (
    np.array([[0, 0, -3, 0, 0], [0, 4, 0, 4, 0], [-3, 0, 12, 0, -3], [0, 4, 0, 4, 0], [0, 0, -3, 0, 0]]) / 16
)


def _filtered(image: Array, kernel: Array) -> Array:
    """An image filtered, mirrored at its border so that the mosaic's colours stay in place."""
    return cv2.filter2D(image, cv2.CV_32F, kernel.astype(np.float32), borderType=cv2.BORDER_REFLECT_101)


def _sites(mosaic: Array, row: int, column: int) -> Array:
    """A mosaic with zeros but at every second row and column."""
    kept = np.zeros_like(mosaic)
    kept[row::2, column::2] = mosaic[row::2, column::2]
    return kept


def _bilinear_green(mosaic: Array) -> Array:
    return _filtered(_sites(mosaic, 0, 1) + _sites(mosaic, 1, 0), CROSS)


def _by_difference(mosaic: Array, green: Array) -> Array:
    """Red and blue from their differences to green, interpolated bilinearly."""
    difference = mosaic - green
    red, blue = (green + _filtered(_sites(difference, at, at), SQUARE) for at in (0, 1))
    return cv2.merge([red, green, blue])


def bilinear(mosaic: Array) -> Array:
    red, blue = (_filtered(_sites(mosaic, at, at), SQUARE) for at in (0, 1))
    return cv2.merge([red, _bilinear_green(mosaic), blue])


def smooth_hue(mosaic: Array) -> Array:
    return _by_difference(mosaic, _bilinear_green(mosaic))


def malvar(mosaic: Array) -> Array:
    red, green, blue = mosaic.copy(), mosaic.copy(), mosaic.copy()
    at_green, row = _filtered(mosaic, GREEN), _filtered(mosaic, ROW)
    column, diagonal = _filtered(mosaic, np.ascontiguousarray(ROW.T)), _filtered(mosaic, DIAGONAL)
    for at in (0, 1):
        green[at::2, at::2] = at_green[at::2, at::2]
    for channel, at in ((red, 0), (blue, 1)):
        channel[at::2, 1 - at :: 2] = row[at::2, 1 - at :: 2]
        channel[1 - at :: 2, at::2] = column[1 - at :: 2, at::2]
        channel[1 - at :: 2, 1 - at :: 2] = diagonal[1 - at :: 2, 1 - at :: 2]
    return cv2.merge([red, green, blue])


def hamilton_adams(mosaic: Array) -> Array:
    estimates, gradients = [], []
    for turn in (np.asarray, np.transpose):
        slope = _filtered(mosaic, turn(np.array([[-1.0, 0, 1]])))
        curve = _filtered(mosaic, turn(np.array([[-1.0, 0, 2, 0, -1]])))
        estimates.append(_filtered(mosaic, turn(np.array([[0.5, 0, 0.5]]))) + curve / 4)
        gradients.append(np.abs(slope) + np.abs(curve))
    along = np.where(gradients[0] < gradients[1], estimates[0], estimates[1])
    along = np.where(gradients[0] == gradients[1], (estimates[0] + estimates[1]) / 2, along)
    green = mosaic.copy()
    for at in (0, 1):
        green[at::2, at::2] = along[at::2, at::2]
    return _by_difference(mosaic, green)


def edge_aware(mosaic: Array) -> Array:
    """OpenCV's on 16 bits, between -1/8 and 1.8."""
    codes = np.clip(np.rint(mosaic * 32768) + 4096, 0, 65535).astype(np.uint16)
    padded = cv2.copyMakeBorder(codes, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    colours = cv2.cvtColor(padded, cv2.COLOR_BayerRGGB2RGB_EA)[2:-2, 2:-2]
    restored: Array = (colours.astype(np.float32) - 4096) / 32768
    return restored


# each as like the one before as can be, so that a weak cue differs little
DEMOSAICING: dict[str, Callable[[Array], Array]] = {
    "bilinear": bilinear,
    "edge-aware": edge_aware,
    "hue": smooth_hue,
    "malvar": malvar,
    "hamilton-adams": hamilton_adams,
}
