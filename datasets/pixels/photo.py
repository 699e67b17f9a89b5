"""A photo, decoded once, with what several statistics look at, computed when it is first asked for.

At most one megapixel is looked at in native resolution: the whole photo, or crops of it in a grid. What needs the
whole frame is looked at scaled down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin

from camerabias.datasets.io.decode import Pixels, open_image, to_rgb
from camerabias.datasets.pixels.areas import (
    BLOCK,
    BRIGHT,
    DARK,
    Edges,
    FlatAreas,
    Levels,
    find_edges,
    flat_areas,
    in_blocks,
    transformed,
)

MAX_PIXELS = 2**20
"""Pixels that are looked at in native resolution."""

CROP = 256
"""Side in pixels of a crop of a larger photo."""

NARROW = 32
"""Pixels below which the short side of a photo is not scaled down."""

ALIGNED = 16
"""Crops begin at multiples of it, so that JPEG's blocks and the sensor's mosaic begin alike in each."""

SMALL_SIDE, MIDDLE_SIDE = 128, 512
"""Long side in pixels of the whole photo, scaled down: for brightness and colour; for the registration of colours."""


@dataclass(frozen=True)
class JpegTables:
    """What a JPEG says of its compression.

    Attributes:
        luma: Quantisation steps of luma, (8, 8), rows of rising vertical frequency.
        chroma: Those of colour; None of a gray file.
        luma_per_chroma: Pixels per stored colour: 1 without subsampling, 4 of 4:2:0; None of a gray file.
    """

    luma: Levels
    chroma: Levels | None
    luma_per_chroma: float | None


@dataclass(frozen=True)
class PreparedPhoto:
    """A photo as statistics take it; planes lie as on the sensor, EXIF orientation ignored.

    Attributes:
        pixels: uint8 (height, width, 3), RGB.
        jpeg: What the file says of its compression; None of other formats.
    """

    pixels: Pixels
    jpeg: JpegTables | None

    @cached_property
    def corners(self) -> list[tuple[int, int]]:
        """Top and left of every crop, in pixels."""
        height, width = self.pixels.shape[:2]
        if height * width <= MAX_PIXELS:
            return [(0, 0)]
        tall, wide = self._crop_size
        budget = MAX_PIXELS // (tall * wide)
        rows = min(height // tall, math.isqrt(budget))
        columns = min(width // wide, budget // rows)
        rows = min(height // tall, budget // columns)
        return [(top, left) for top in _spread(height, tall, rows) for left in _spread(width, wide, columns)]

    @property
    def _crop_size(self) -> tuple[int, int]:
        height, width = self.pixels.shape[:2]
        return (height, width) if height * width <= MAX_PIXELS else (min(height, CROP), min(width, CROP))

    @cached_property
    def crops(self) -> Pixels:
        """The crops in native resolution, uint8 (crops, height, width, 3)."""
        tall, wide = self._crop_size
        return np.stack([self.pixels[top : top + tall, left : left + wide] for top, left in self.corners])

    @cached_property
    def strongest(self) -> Pixels:
        """The strongest colour of every pixel of the crops, uint8 (crops, height, width)."""
        red, green, blue = np.moveaxis(self.crops, -1, 0)
        return np.asarray(np.maximum(np.maximum(red, green), blue), dtype=np.uint8)

    @cached_property
    def gray(self) -> Pixels:
        """Luma of the crops after ITU-R BT.601, uint8 (crops, height, width)."""
        n, height, width = self.crops.shape[:3]
        flat = cv2.cvtColor(self.crops.reshape(n * height, width, 3), cv2.COLOR_RGB2GRAY)
        return np.asarray(flat, dtype=np.uint8).reshape(n, height, width)

    @cached_property
    def histogram(self) -> npt.NDArray[np.intp]:
        """How many pixels of the crops have each level of luma, (256,)."""
        return np.bincount(self.gray.ravel(), minlength=256)

    @cached_property
    def luma(self) -> Levels:
        """Luma of the crops without rounding, 0 to 255, (crops, height, width)."""
        n, height, width = self.crops.shape[:3]
        floats = self.crops.reshape(n * height, width, 3).astype(np.float32)
        return np.asarray(cv2.cvtColor(floats, cv2.COLOR_RGB2GRAY), np.float32).reshape(n, height, width)

    @cached_property
    def small(self) -> Levels:
        """The whole photo in linear light (sRGB's curve undone), 0 to 1, at most 128 pixels long, (h, w, 3)."""
        return to_light(_scaled(self._middle, SMALL_SIDE))

    @cached_property
    def light(self) -> Levels:
        """Luma of `small`, 0 to 1, (h, w)."""
        return np.asarray(cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY))

    @cached_property
    def saturation(self) -> Levels:
        """Of `small`: the strongest colour less the weakest over the strongest, 0 to 1, (h, w)."""
        red, green, blue = cv2.split(self.small)
        most, least = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
        return np.asarray((most - least) / np.maximum(most, np.float32(1e-4)))

    @cached_property
    def unclipped(self) -> npt.NDArray[np.bool_]:
        """Which pixels of `small` are neither clipped nor almost black, (h, w)."""
        low, high = to_light(np.array([DARK, BRIGHT], np.uint8))
        red, green, blue = cv2.split(self.small)
        return np.asarray((self.light >= low) & (cv2.max(cv2.max(red, green), blue) <= high))

    @cached_property
    def middle(self) -> Levels:
        """The whole photo as it is encoded, 0 to 255, at most 512 pixels long, (h, w, 3)."""
        return self._middle.astype(np.float32)

    @cached_property
    def _middle(self) -> Pixels:
        return _scaled(self.pixels, MIDDLE_SIDE)

    @cached_property
    def coefficients(self) -> Levels:
        """The orthonormal DCT of every block's luma, (blocks, 8, 8), rows of rising vertical frequency."""
        return transformed(in_blocks(self.luma))

    @cached_property
    def flat(self) -> FlatAreas:
        """The blocks that show least, and their noise."""
        return flat_areas(self.crops, self.coefficients)

    @cached_property
    def edges(self) -> Edges:
        """The steepest edges."""
        return find_edges(self.luma)

    @cached_property
    def energies(self) -> npt.NDArray[np.float64]:
        """Mean energy of the blocks at every frequency, (8, 8)."""
        return np.asarray(np.square(self.coefficients).mean(axis=0, dtype=np.float64))

    @cached_property
    def block_radii(self) -> Levels:
        """Distance of every block's middle from the photo's, as a share of the corners', (blocks,)."""
        height, width = self.pixels.shape[:2]
        rows, columns = (side // BLOCK for side in self._crop_size)
        middles = BLOCK * (np.mgrid[:rows, :columns] + 0.5).reshape(2, -1)
        at = (np.array(self.corners).T[:, :, None] + middles[:, None, :]).reshape(2, -1)
        corner = math.hypot(height, width) / 2
        return np.asarray(np.hypot(at[0] - height / 2, at[1] - width / 2) / corner, np.float32)


def prepare(content: bytes) -> PreparedPhoto:
    """Decode an image file for its statistics.

    Raises:
        ImageError: It cannot be decoded.
    """
    with open_image(content) as file:
        file.load()
        return PreparedPhoto(np.asarray(to_rgb(file)), _tables(file))


def to_light(pixels: Pixels) -> Levels:
    """Linear light, 0 to 1, of encoded levels (sRGB's curve undone), of any shape."""
    return _linear()[pixels]


def to_levels(light: npt.NDArray[np.floating[Any]]) -> Pixels:
    """The encoded levels nearest to linear light, of any shape, which is clipped to 0 to 1: `to_light` undone."""
    return np.searchsorted(_borders(), light.ravel()).astype(np.uint8).reshape(light.shape)


def _tables(file: Image.Image) -> JpegTables | None:
    if not isinstance(file, JpegImagePlugin.JpegImageFile):
        return None
    if any(table not in file.quantization for *_, table in file.layer):
        return None  # the file has lost some; it decodes nevertheless
    steps = [np.array(file.quantization[table], np.float32).reshape(BLOCK, BLOCK) for *_, table in file.layer]
    if len(steps) < 3:
        return JpegTables(steps[0], None, None)
    (_, luma_across, luma_down, _), (_, across, down, _) = file.layer[:2]
    return JpegTables(steps[0], steps[1], luma_across * luma_down / (across * down))


@lru_cache(maxsize=1)
def _linear() -> Levels:
    """Linear light of every level (IEC 61966-2-1, sRGB), 0 to 1, (256,)."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


@lru_cache(maxsize=1)
def _borders() -> Levels:
    """Light halfway between a level and the next one, (255,)."""
    return np.asarray((_linear()[:-1] + _linear()[1:]) / 2, np.float32)


def _spread(side: int, crop: int, n: int) -> list[int]:
    """Where n crops begin, evenly spread over a side."""
    if n == 1:
        return [(side - crop) // 2 // ALIGNED * ALIGNED]
    return [(side - crop) * i // (n - 1) // ALIGNED * ALIGNED for i in range(n)]


def _scaled(pixels: Pixels, side: int) -> Pixels:
    """A photo averaged down to a long side in pixels, but no narrower than `NARROW`; a smaller one as it is."""
    height, width = pixels.shape[:2]
    scale = max(side / max(height, width), NARROW / min(height, width))
    if scale >= 1:
        return pixels
    halves = scale <= 0.25  # is fast, and leaves little for the slow step to any size
    size = (width // 2, height // 2) if halves else (round(width * scale), round(height * scale))
    return _scaled(np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), side)
