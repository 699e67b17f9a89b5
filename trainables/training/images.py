"""Images of a variant seen through a view, in batches: whole tensors, gathered without per-image Python."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import numpy.typing as npt
import torch

from camerabias.datasets.views.random import cut
from camerabias.datasets.views.registry import View
from camerabias.trainables.models.registry import IMAGENET_MEAN, IMAGENET_STD

RESIDENT_SHARE = 0.5
"""A variant lives on the GPU when it takes at most this share of the memory that is free; the rest trains."""


class Images:
    """The images of one variant, on the device where they fit there.

    Args:
        pixels: uint8 (n, height, width, channels), memory-mapped.
        view: How they are seen; a random view draws from them.
        device: Where batches go.
    """

    def __init__(self, pixels: npt.NDArray[np.uint8], view: View, device: torch.device) -> None:
        self.view, self.device = view, device
        self._source = _upload(pixels, device) if _fits(pixels, device) else _wrap(pixels)
        # ImageNet's for every model and view, as most pretrained weights expect:
        # (x / 255 - mean) / std as one multiplication and one addition
        std = torch.tensor(IMAGENET_STD, device=device)
        self._scale = 1 / (255 * std)
        self._shift = -torch.tensor(IMAGENET_MEAN, device=device) / std

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every stored image."""
        _, height, width, channels = self._source.shape
        return height, width, channels

    def seen_as(self, view: View) -> Images:
        """The same stored images, seen through another view."""
        other = copy.copy(self)
        other.view = view
        return other

    def batch(self, rows: npt.NDArray[np.int64], numbers: torch.Tensor | None = None) -> torch.Tensor:
        """Gather images, ready for a model; arguments as of `levels`.

        Returns:
            float32 (b, 3, height, width) on the device, normalised, in channels_last memory.
        """
        return self.normalise(self.levels(rows, numbers))

    def levels(self, rows: npt.NDArray[np.int64], numbers: torch.Tensor | None = None) -> torch.Tensor:
        """Gather images.

        Args:
            rows: b row numbers.
            numbers: float64 (b, k) from 0 to 1, what a random view draws by; None for other views.

        Returns:
            Gray levels from 0 to 255 (b, height, width, channels) on the device; float32 where colours are drawn,
            else uint8.
        """
        draw = self.view.kind.draw
        if draw is None:
            return self.stored(rows)
        chosen = torch.from_numpy(rows).to(self._source.device)
        assert numbers is not None, f"view {self.view} needs random numbers"
        return draw(self._source, chosen, numbers.to(self.device), self.view.parameters).to(self.device)

    def stored(self, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """What a view draws from: uint8 (b, height, width, channels) on the device."""
        return self._source.index_select(0, torch.from_numpy(rows).to(self._source.device)).to(self.device)

    def cut(self, rows: torch.Tensor, tops: torch.Tensor, lefts: torch.Tensor) -> torch.Tensor:
        """Small crops of the stored images at given places, see `random_views.cut`; on the device."""
        return cut(self._source, rows, tops, lefts).to(self.device)

    def normalise(self, levels: torch.Tensor) -> torch.Tensor:
        """Gray levels (b, h, w, 1 or 3) to what models take: float32 (b, 3, h, w), channels_last."""
        width = levels.shape[2]
        lines = levels.expand(-1, -1, -1, 3).float().flatten(2)  # by threes it would take six times as long
        normalised = (lines * self._scale.repeat(width)).add_(self._shift.repeat(width))
        return normalised.view(*levels.shape[:3], 3).permute(0, 3, 1, 2)  # channels_last without a copy


def _fits(pixels: npt.NDArray[np.uint8], device: torch.device) -> bool:
    if device.type != "cuda":
        return False  # the memory map is as near as memory gets
    free, _ = torch.cuda.mem_get_info(device)
    return pixels.nbytes <= RESIDENT_SHARE * free


def _upload(pixels: npt.NDArray[np.uint8], device: torch.device) -> torch.Tensor:
    resident = torch.empty(pixels.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(pixels), 256):
        resident[start : start + 256] = _wrap(pixels[start : start + 256]).to(device)
    return resident


def _wrap(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the map is read-only, and nothing here writes
        return torch.from_numpy(pixels)
