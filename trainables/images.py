"""Images of a variant, in batches: whole tensors, gathered and normalised without per-image Python."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB in 0..1; used for every model and view, as pretrained weights expect (torchvision's reference)."""

RESIDENT_SHARE = 0.5
"""A variant lives on the GPU when it takes at most this share of the memory that is free; the rest trains."""


class Images:
    """The images of one variant, on the device where they fit there.

    Args:
        pixels: uint8 (n, height, width, channels), memory-mapped.
        device: Where batches go.
    """

    def __init__(self, pixels: npt.NDArray[np.uint8], device: torch.device) -> None:
        self.device = device
        self._pixels = pixels
        self._resident = self._upload() if self._fits() else None
        # (x / 255 - mean) / std as one multiplication and one addition
        std = torch.tensor(IMAGENET_STD, device=device)
        self._scale = 1 / (255 * std)
        self._shift = -torch.tensor(IMAGENET_MEAN, device=device) / std

    def batch(self, rows: npt.NDArray[np.int64]) -> torch.Tensor:
        """Gather images.

        Args:
            rows: b row numbers.

        Returns:
            float32 (b, 3, height, width) on the device, normalised, in channels_last memory.
        """
        if self._resident is not None:
            raw = self._resident[torch.from_numpy(rows).to(self.device)]
        else:
            raw = torch.from_numpy(self._pixels[rows]).to(self.device)
        # one channel spreads over three here; (b, h, w, 3) permuted is channels_last without a copy
        return raw.float().mul(self._scale).add_(self._shift).permute(0, 3, 1, 2)

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return False  # the memory map is as near as memory gets
        free, _ = torch.cuda.mem_get_info(self.device)
        return self._pixels.nbytes <= RESIDENT_SHARE * free

    def _upload(self) -> torch.Tensor:
        resident = torch.empty(self._pixels.shape, dtype=torch.uint8, device=self.device)
        for start in range(0, len(self._pixels), 256):
            chunk = np.array(self._pixels[start : start + 256])  # a copy: the map is read-only
            resident[start : start + 256] = torch.from_numpy(chunk).to(self.device)
        return resident
