"""Where a photo shows its noise and its sharpness: 8 × 8 blocks, the flat ones among them, and the steepest edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import fft

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.io.jpeg import LUMA

Levels = npt.NDArray[np.float32]

BLOCK = 8
"""Side in pixels of JPEG's blocks."""

DARK, BRIGHT = 8, 247
"""Levels of 255 between which a mean is neither clipped nor close to it."""

CONTENT_ORDERS = 2
"""Up to this sum of its two frequencies, a cosine of a flat block is taken for what is shown, and above for noise."""

FLATTEST = 0.25
"""Share of the blocks of a photo that count as flat: those that show least."""

MAX_CONTENT = 8.0
"""Standard deviation, in levels, of what a flat block shows at most."""

ROUNDING = 1e-2
"""Levels up to which a coefficient is a rounding error: that of one level in a block is 0.125 at least."""

MIN_FLAT = 4
"""Flat blocks from which noise is measured."""

HALF = 7
"""Pixels of a profile on either side of the two between which an edge is steepest."""

END = 3
"""Pixels whose mean is the level of an end."""

MIN_STEP, MIN_HEIGHT = 12.0, 24.0
"""Levels: between two pixels, and from one end to the other."""

MAX_EDGES, MIN_EDGES = 2000, 10
"""Edges per direction that are looked at, the steepest; and all together from which anything is said."""

_Number = TypeVar("_Number", bound=np.generic)


def in_blocks(planes: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    """Planes (crops, height, width) cut into blocks, (blocks, 64); what remains at the right and below is dropped."""
    n, height, width = planes.shape
    rows, columns = height // BLOCK, width // BLOCK
    cut = planes[:, : rows * BLOCK, : columns * BLOCK].reshape(n, rows, BLOCK, columns, BLOCK)
    return cut.transpose(0, 1, 3, 2, 4).reshape(-1, BLOCK * BLOCK)


def transformed(blocks: Levels) -> Levels:
    """The orthonormal cosine transform of blocks, (blocks, 8, 8), rows of rising vertical frequency.

    What rounding makes of nothing is nothing.
    """
    values = np.asarray(
        fft.dctn(blocks.reshape(-1, BLOCK, BLOCK), axes=(1, 2), norm="ortho"), dtype=np.float32
    )
    values[np.abs(values) < ROUNDING] = 0
    return values


def orders() -> npt.NDArray[np.intp]:
    """Sum of the vertical and the horizontal frequency of every coefficient, 0 to 14, (8, 8)."""
    return np.add.outer(np.arange(BLOCK), np.arange(BLOCK))


def noise_of(blocks: Levels) -> Levels:
    """What blocks, (blocks, 64), hold above their content, (blocks, 64)."""
    values = transformed(blocks)
    values[:, orders() <= CONTENT_ORDERS] = 0
    noise = fft.idctn(values, axes=(1, 2), norm="ortho", overwrite_x=True)
    return np.asarray(noise, dtype=np.float32).reshape(-1, BLOCK**2)


@lru_cache(maxsize=1)
def noise_projector() -> npt.NDArray[np.float64]:
    """The covariance of what `noise_of` makes of white noise, (64, 64)."""
    return noise_of(np.eye(BLOCK**2, dtype=np.float32)).astype(np.float64)


@dataclass(frozen=True)
class FlatAreas:
    """The blocks of a photo that show least.

    Attributes:
        brightness: Mean luma of the blocks, 0 to 255, (blocks,).
        blocks: Red, green and blue as they are, (3, blocks, 64).
        red: Noise of red, the blocks less their content, (blocks, 64).
        green: Noise of green.
        blue: Noise of blue.
    """

    brightness: Levels
    blocks: Levels
    red: Levels
    green: Levels
    blue: Levels

    @cached_property
    def luma(self) -> Levels:
        """Noise of luma, (blocks, 64)."""
        red, green, blue = (np.float32(weight) for weight in LUMA)
        return np.asarray(red * self.red + green * self.green + blue * self.blue)


def flat_areas(crops: Pixels, coefficients: Levels) -> FlatAreas:
    """Find the flat blocks of a photo.

    Blocks are chosen by what they show in low frequencies, and their noise is what they hold above these, so that
    the choice says nothing of white noise. In a block none of whose colours is close to black or white.

    Args:
        crops: uint8 (crops, height, width, 3).
        coefficients: The cosine transform of the luma of their blocks, (blocks, 8, 8).
    """
    content = np.square(coefficients[:, (orders() <= CONTENT_ORDERS) & (orders() > 0)]).sum(axis=1) / BLOCK**2
    brightness = coefficients[:, 0, 0] / BLOCK
    usable = np.flatnonzero((brightness >= DARK) & (brightness <= BRIGHT) & (content <= MAX_CONTENT**2))
    n = min(len(usable), round(FLATTEST * len(brightness)))
    chosen = usable[np.argpartition(content[usable], n - 1)[:n]] if 0 < n < len(usable) else usable
    blocks = _blocks_at(crops, chosen)
    means = blocks.mean(axis=2)
    inside = np.all((means >= DARK) & (means <= BRIGHT), axis=0)
    if np.count_nonzero(inside) < MIN_FLAT:
        inside[:] = False
    blocks = blocks[:, inside]
    red, green, blue = (noise_of(colour) for colour in blocks)
    return FlatAreas(np.asarray(brightness[chosen][inside], np.float32), blocks, red, green, blue)


def _blocks_at(crops: Pixels, chosen: npt.NDArray[np.intp]) -> Levels:
    """Some of the blocks that `in_blocks` makes, of every colour, (3, blocks, 64)."""
    n, height, width, _ = crops.shape
    rows, columns = height // BLOCK, width // BLOCK
    cut = crops[:, : rows * BLOCK, : columns * BLOCK].reshape(n, rows, BLOCK, columns, BLOCK, 3)
    crop, row, column = np.unravel_index(chosen, (n, rows, columns))
    return cut[crop, row, :, column].reshape(-1, BLOCK**2, 3).transpose(2, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Edges:
    """The steepest edges of a photo along its rows and columns, a number each, in levels of 255.

    Attributes:
        heights: From one end of the profile to the other.
        slopes: Largest step between two pixels.
        overshoots: How far the profile exceeds its ends, mean of both.
    """

    heights: Levels
    slopes: Levels
    overshoots: Levels


def find_edges(luma: Levels) -> Edges:
    """Find the steepest edges of crops, (crops, height, width); none where fewer than ten are found."""
    rising = np.concatenate([_profiles(luma), _profiles(luma.transpose(0, 2, 1))])
    low, high = rising[:, :END].mean(axis=1), rising[:, -END:].mean(axis=1)
    slopes = rising[:, HALF + 1] - rising[:, HALF]
    over = (np.maximum(rising.max(axis=1) - high, 0) + np.maximum(low - rising.min(axis=1), 0)) / 2
    tall = high - low >= np.maximum(MIN_HEIGHT, slopes)
    if tall.sum() < MIN_EDGES:
        tall[:] = False
    return Edges(high[tall] - low[tall], slopes[tall], over[tall])


def _profiles(luma: Levels) -> Levels:
    """Profiles along rows across the steepest steps, each turned so that it rises, (edges, 16)."""
    steps = np.diff(luma, axis=2)
    steep = np.abs(steps)
    inner = steep[:, :, HALF:-HALF]
    peak = (inner >= steep[:, :, HALF - 1 : -HALF - 1]) & (inner > steep[:, :, HALF + 1 : -HALF + 1 or None])
    found = np.flatnonzero(peak & (inner >= MIN_STEP))
    if len(found) > MAX_EDGES:
        found = found[np.argpartition(inner.ravel()[found], -MAX_EDGES)[-MAX_EDGES:]]
    crop, row, column = np.unravel_index(found, inner.shape)
    across = column[:, None] + np.arange(2 * HALF + 2)
    profile = luma[crop[:, None], row[:, None], across]
    falling = profile[:, HALF + 1] < profile[:, HALF]
    return np.asarray(np.where(falling[:, None], 255 - profile, profile))
