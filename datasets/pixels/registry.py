"""All pixel statistics, and how they are measured on a photo."""

from __future__ import annotations

import math

from camerabias.datasets.io.registered import import_files
from camerabias.datasets.pixels.photo import prepare
from camerabias.datasets.pixels.statistic import NOTICEABLE, STATISTICS

__all__ = ["MIN_SIDE", "NOTICEABLE", "STATISTICS", "measure_pixels"]

MIN_SIDE = 32
"""Short side in pixels of a photo on which anything is measured."""

import_files("camerabias.datasets.pixels")


def measure_pixels(encoded: bytes) -> dict[str, float]:
    """Measure every pixel statistic on a photo.

    Args:
        encoded: Bytes of an image file of any format that can be imported.

    Returns:
        A number per statistic of `STATISTICS`, in its unit; NaN where this photo does not tell, and in all of them
        where a side is shorter than 32 pixels.

    Raises:
        ImageError: It cannot be decoded.
    """
    photo = prepare(encoded)
    if min(photo.pixels.shape[:2]) < MIN_SIDE:
        return dict.fromkeys(STATISTICS, math.nan)
    return {name: one.measure(photo) for name, one in STATISTICS.items()}
