"""What a model says of images, in evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from camerabias.trainables.spec.recipe import Precision
from camerabias.trainables.training.images import Images


@dataclass(frozen=True)
class Examples:
    """Images with their classes.

    Attributes:
        images: The images of a variant.
        rows: int64 (n,), which of them.
        classes: int64 (n,), their classes.
        numbers: float64 (n, k), what a random view draws each by outside training; None for other views.
        cells: int64 (n, 2), codes of the label and of the camera; None where no mitigation asks for them.
    """

    images: Images
    rows: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    numbers: torch.Tensor | None = None
    cells: npt.NDArray[np.int64] | None = None


@torch.no_grad()
def predict_logits(
    model: nn.Module, examples: Examples, batch_size: int, precision: Precision
) -> torch.Tensor:
    """Logits of images.

    Args:
        model: The model; it is put into evaluation mode, and left there.
        examples: The images.
        batch_size: Images per forward pass.
        precision: As in training.

    Returns:
        float32 (n, k) on the images' device.
    """
    model.eval()
    images = examples.images
    parts = []
    for start in range(0, len(examples.rows), batch_size):
        chosen = slice(start, start + batch_size)
        numbers = None if examples.numbers is None else examples.numbers[chosen]
        with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            parts.append(model(images.batch(examples.rows[chosen], numbers)).float())
    return torch.cat(parts)
