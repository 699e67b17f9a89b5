"""What a model says of images, in evaluation mode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from camerabias.trainables.config import Precision
from camerabias.trainables.images import Images


@torch.no_grad()
def predict_logits(
    model: nn.Module, images: Images, rows: npt.NDArray[np.int64], batch_size: int, precision: Precision
) -> torch.Tensor:
    """Logits of images.

    Args:
        model: The model; it is put into evaluation mode, and left there.
        images: The images.
        rows: n row numbers.
        batch_size: Images per forward pass.
        precision: As in training.

    Returns:
        float32 (n, k) on the images' device.
    """
    model.eval()
    device = images.device.type
    parts = []
    for start in range(0, len(rows), batch_size):
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16"):
            parts.append(model(images.batch(rows[start : start + batch_size])).float())
    return torch.cat(parts)
