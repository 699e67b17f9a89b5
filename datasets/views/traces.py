"""Views that keep some of a camera's traces and remove others, so that a model shows which of them it needs.

Each is a function of uint8 (H, W, 3) original pixels to as many. The same pixels always give the same: sums are of
whole numbers, and what is drawn is drawn by the pixels themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import product
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.io.decode import Pixels

MID_GRAY = 128
"""What a difference of 0 is shown as."""

NOISE_LEVELS = 5
"""Standard deviation of the noise that is looked for, in gray levels (Lukáš, Fridrich & Goljan 2006)."""

NOISE_WINDOW = 5
"""Side in pixels of the neighbourhood whose variance tells noise from content."""


def lowpass(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """Gaussian blur of `sigma` pixels: colour, layout and shading stay; noise, sharpening, compression traces go."""
    return _blur(pixels, parameters["sigma"])


def highpass(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """What `lowpass` removes, around mid-gray: edges and noise stay; colour casts and shading go."""
    return _around_mid_gray(pixels.astype(np.int16) - _blur(pixels, parameters["sigma"]))


def residual(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """The noise, `gain` times as strong, around mid-gray: the photo less its local Wiener estimate, per channel.

    Of the deviation from the mean over 5² pixels, a Wiener filter takes the share σ² / max(variance, σ²) for noise,
    so that edges, where the variance is large, hardly show.
    """
    n = NOISE_WINDOW**2
    # whole numbers: no order of summation changes them
    total = cv2.boxFilter(pixels, cv2.CV_32S, (NOISE_WINDOW, NOISE_WINDOW), normalize=False)
    squares = cv2.sqrBoxFilter(pixels, cv2.CV_32S, (NOISE_WINDOW, NOISE_WINDOW), normalize=False)
    deviation = n * pixels.astype(np.int32) - total  # n times as large as it is
    variance = n * squares - total * total  # n² times
    noise = n**2 * NOISE_LEVELS**2
    found = deviation * (noise / n) / np.maximum(variance, noise)
    return _around_mid_gray(np.rint(parameters["gain"] * found))


def recompressed(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """Saved as a JPEG of `quality` (standard tables, 4:2:0) and read again: every photo with the same traces."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY, int(parameters["quality"]),
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]  # fmt: skip
    _, content = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    return _pixels(cv2.cvtColor(_pixels(cv2.imdecode(content, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))


def resampled(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """Scaled down by `factor` (means of areas) and up again (linearly): traces of single pixels go."""
    height, width = pixels.shape[:2]
    small = tuple(max(1, round(side / parameters["factor"])) for side in (width, height))
    shrunk = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA)
    return _pixels(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR_EXACT))


def shuffled(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """`grid` × `grid` patches in an order drawn per image, by its pixels: layout, geometry and vignetting go.

    Patches are equally large. Where the sides are no multiples of `grid`, neighbours share a row or column of
    pixels, so that they cover the whole image, and the later one covers the earlier.
    """
    grid = int(parameters["grid"])
    places = list(product(*(_patches(side, grid) for side in pixels.shape[:2])))
    seed = int.from_bytes(hashlib.sha256(pixels.tobytes()).digest()[:8])
    mixed = np.empty_like(pixels)
    for place, source in zip(places, np.random.default_rng(seed).permutation(len(places)), strict=True):
        mixed[place] = pixels[places[source]]
    return mixed


def _patches(side: int, grid: int) -> list[slice]:
    """Equally long pieces that cover a side, the first at its start and the last at its end."""
    length = -(-side // grid)
    return [
        slice(start, start + length) for start in ((side - length) * k // (grid - 1) for k in range(grid))
    ]


def _blur(pixels: Pixels, sigma: float) -> Pixels:
    return _pixels(cv2.GaussianBlur(pixels, (0, 0), sigma))


def _around_mid_gray(difference: npt.NDArray[Any]) -> Pixels:
    return _pixels(np.clip(difference + MID_GRAY, 0, 255))


def _pixels(image: object) -> Pixels:
    return np.asarray(image, dtype=np.uint8)
