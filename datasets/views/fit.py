"""From photos of any size to a model's input."""

from __future__ import annotations

import cv2
import numpy as np

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.schema import Fit


def fit_pixels(pixels: Pixels, height: int, width: int, fit: Fit) -> Pixels:
    """Bring pixels to `height` × `width`.

    `resize` scales the image, its proportions kept, until it just covers the target, and cuts out the centre;
    an image of the target's size passes untouched. `crop` cuts the centre out of unscaled pixels and enlarges
    only what is too small. `pad` scales until the image just fits in and fills up with mid-gray. `stretch` scales
    height and width each to the target, whatever becomes of the proportions.

    Args:
        pixels: uint8 (h, w, c).
        height: Target height in pixels.
        width: Target width in pixels.
        fit: The rule.

    Returns:
        uint8 (height, width, c).
    """
    if fit == "stretch":
        # one side after the other, since one may shrink while the other grows
        return _scale_to(_scale_to(pixels, height, pixels.shape[1]), height, width)
    factor = fit_factor(pixels.shape[0], pixels.shape[1], height, width, fit)
    if factor != 1:
        pixels = _scale(pixels, factor, minimum=(height, width) if fit != "pad" else (1, 1))
    if fit == "pad":
        return _pad(pixels, height, width)
    top, start = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return np.ascontiguousarray(pixels[top : top + height, start : start + width])


def fit_factor(h: int, w: int, height: int, width: int, fit: Fit) -> float:
    """By how much `fit` scales an image of h × w pixels on its way to height × width; `stretch`: at most."""
    cover, contain = max(height / h, width / w), min(height / h, width / w)
    return {"resize": cover, "crop": max(cover, 1.0), "pad": contain, "stretch": cover}[fit]


def _scale(pixels: Pixels, factor: float, minimum: tuple[int, int]) -> Pixels:
    h = max(round(pixels.shape[0] * factor), minimum[0])
    w = max(round(pixels.shape[1] * factor), minimum[1])
    return _scale_to(pixels, h, w)


def _scale_to(pixels: Pixels, h: int, w: int) -> Pixels:
    if pixels.shape[:2] == (h, w):
        return np.ascontiguousarray(pixels)
    # area averaging does not alias when it shrinks
    interpolation = cv2.INTER_AREA if h < pixels.shape[0] or w < pixels.shape[1] else cv2.INTER_LINEAR
    scaled = cv2.resize(pixels, (w, h), interpolation=interpolation)
    return np.asarray(scaled, dtype=np.uint8).reshape(h, w, pixels.shape[2])


def _pad(pixels: Pixels, height: int, width: int) -> Pixels:
    h, w, channels = pixels.shape
    h, w = min(h, height), min(w, width)
    canvas = np.full((height, width, channels), 128, dtype=np.uint8)
    top, start = (height - h) // 2, (width - w) // 2
    canvas[top : top + h, start : start + w] = pixels[:h, :w]
    return canvas
