"""What compression leaves: tables of the file, blocks, and frequencies that are zero or whole multiples of a step."""

from __future__ import annotations

import math

import numpy as np

from camerabias.datasets.pixels.areas import BLOCK, Levels, orders
from camerabias.datasets.pixels.photo import PreparedPhoto
from camerabias.datasets.pixels.statistic import ratio, statistic

STEPS = np.arange(2, 33, dtype=np.float32)
"""Quantisation steps that are looked for in pixels."""

LOW_ORDERS = (1, 3)
"""Sums of two frequencies, from and to, in which they are looked for: there most coefficients are not zero."""

MAX_BLOCKS = 256
"""Blocks in which they are looked for, evenly spread."""

MIN_COEFFICIENTS = 24
"""Coefficients, larger than half a step, from which a step is recognised."""

MULTIPLES = 0.5
"""Mean cosine of coefficients over a step from which they are multiples of it: 1 if exactly, 0 if not at all."""


@statistic("mean quantisation step of luma in the file", "", "more compressed", "less compressed")
def luma_step(photo: PreparedPhoto) -> float:
    """Mean of the JPEG file's table; NaN of other formats."""
    return math.nan if photo.jpeg is None else float(photo.jpeg.luma.mean())


@statistic(
    "mean quantisation step of colour in the file",
    "",
    "more compressed in colour",
    "less compressed in colour",
)
def chroma_step(photo: PreparedPhoto) -> float:
    """As `luma_step`; NaN of gray files."""
    return math.nan if photo.jpeg is None or photo.jpeg.chroma is None else float(photo.jpeg.chroma.mean())


@statistic(
    "quantisation of high over low frequencies in the file",
    "stops",
    "compressed more in fine detail",
    "compressed more evenly",
)
def table_slope(photo: PreparedPhoto) -> float:
    """Mean log₂ step of the upper half of luma's frequencies less that of the lower half: the shape of the table."""
    if photo.jpeg is None:
        return math.nan
    logs = np.log2(np.maximum(photo.jpeg.luma, 1))
    return float(logs[orders() >= BLOCK].mean() - logs[orders() < BLOCK - 1].mean())


@statistic(
    "pixels per stored colour in the file", "pixels", "coarser in stored colour", "finer in stored colour"
)
def chroma_subsampling(photo: PreparedPhoto) -> float:
    """1 of 4:4:4, 2 of 4:2:2, 4 of 4:2:0; NaN of other formats than JPEG and of gray files."""
    return (
        math.nan if photo.jpeg is None or photo.jpeg.luma_per_chroma is None else photo.jpeg.luma_per_chroma
    )


@statistic(
    "steps at borders of 8 × 8 blocks over steps within", "% more", "blockier", "smoother at block borders"
)
def blockiness(photo: PreparedPhoto) -> float:
    """Mean absolute step between pixels of two blocks over that within blocks, less 1; 0 without blocks."""
    steps = [_steps(photo.luma, axis) for axis in (1, 2)]
    at = np.mean([means[BLOCK - 1 :: BLOCK].mean() for means in steps])
    within = np.mean([np.delete(means, np.s_[BLOCK - 1 :: BLOCK]).mean() for means in steps])
    return 100 * (ratio(float(at), float(within)) - 1)


@statistic("frequencies that are zero", "%", "emptier in fine detail", "fuller in fine detail")
def zero_coefficients(photo: PreparedPhoto) -> float:
    """Share of the cosine coefficients of 8 × 8 blocks, means aside, that are smaller than one level."""
    return 100 * float(np.mean(np.abs(photo.coefficients.reshape(-1, BLOCK**2)[:, 1:]) < 1))


@statistic(
    "quantisation step that shows in pixels",
    "",
    "more compressed in an earlier file",
    "less compressed in an earlier file",
)
def pixel_step(photo: PreparedPhoto) -> float:
    """Largest step of which low frequencies are multiples, mean over frequencies; also of photos saved again as PNG.

    NaN where there is none: never compressed, hardly compressed, or scaled or cropped since.
    """
    blocks = photo.coefficients[:: math.ceil(len(photo.coefficients) / MAX_BLOCKS)]
    low, high = LOW_ORDERS
    found = [_step_of(values) for values in blocks[:, (orders() >= low) & (orders() <= high)].T]
    known = [step for step in found if step]
    return float(np.mean(known)) if known else math.nan


def _step_of(coefficients: Levels) -> int | None:
    """The largest step of which coefficients of one frequency are multiples."""
    sizes = np.abs(coefficients)
    counted = sizes[None, :] > STEPS[:, None] / 2
    n = counted.sum(axis=1)
    cosine = (np.cos(np.float32(2 * np.pi) * sizes[None, :] / STEPS[:, None]) * counted).sum(axis=1)
    fits = STEPS[(n >= MIN_COEFFICIENTS) & (cosine > MULTIPLES * n)]
    return int(fits[-1]) if fits.size else None


def _steps(luma: Levels, axis: int) -> Levels:
    """Mean absolute step after every pixel along an axis."""
    others = tuple({0, 1, 2} - {axis})
    return np.asarray(np.abs(np.diff(luma, axis=axis)).mean(axis=others))
