"""What a model says of 32 × 32 crops of images on a grid: large batches, gathered on the device.

Places are counted out batch by batch, so that what is held does not grow with the number of crops, but for the
answers themselves: a byte and four per crop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from camerabias.datasets.io.jpeg import LUMA
from camerabias.datasets.views.random import CROP_SIDE
from camerabias.trainables.models.registry import enlarged
from camerabias.trainables.probes.base import (
    PROBES,
    ProbeKind,
    Subject,
    first_per_camera,
    names_of,
)
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    import torch
    from torch import nn

    from camerabias.trainables.training.data import Rows
    from camerabias.trainables.training.images import Images

BATCH_PIXELS = {"cpu": 2**18, "cuda": 2**24}
"""Pixels per forward pass, as large as the model sees them: 256 crops of 32 × 32 on a CPU, 16,384 on a GPU."""


@dataclass(frozen=True)
class CropGrid:
    """Places of crops, the same in every image.

    Attributes:
        tops: int64 (gy,), first rows in pixels.
        lefts: int64 (gx,), first columns.
        step: Pixels from one to the next.
    """

    tops: npt.NDArray[np.int64]
    lefts: npt.NDArray[np.int64]
    step: int

    @classmethod
    def over(cls, height: int, width: int, divisions: int) -> CropGrid:
        """A grid that starts at the top left, whose step is a `divisions`-th of the shorter side."""
        step = max(1, min(height, width) // divisions)
        tops, lefts = (np.arange(0, side - CROP_SIDE + 1, step) for side in (height, width))
        return cls(tops, lefts, step)

    @property
    def shape(self) -> tuple[int, int]:
        """(gy, gx)."""
        return len(self.tops), len(self.lefts)


def crop_map(subject: Subject, parameters: Mapping[str, float]) -> ProbeArrays:
    """Predictions of 32 × 32 crops by position, over the training images (paper, Figure 8)."""
    arrays, _ = _predict_grid(subject, subject.data.parts.train, int(parameters["divisions"]))
    return arrays


def crop_images(subject: Subject, parameters: Mapping[str, float]) -> ProbeArrays:
    """The same on a finer grid for single test images, some of each camera (paper, Figure 9)."""
    rows = first_per_camera(subject.data, subject.data.parts.test, int(parameters["per_camera"]))
    arrays, probability = _predict_grid(subject, rows, int(parameters["divisions"]))
    pixels = subject.data.images("test").stored(rows).cpu().numpy()
    return {**arrays, "pixels": pixels, "probability": probability}


# `divisions` of the side give the step of the grid: 64 pixels at 1024, 8 at 128
PROBES["crop_map"] = ProbeKind(crop_map, defaults={"divisions": 16}, of_crops=True)
PROBES["crop_images"] = ProbeKind(
    crop_images, defaults={"divisions": 64, "per_camera": 4}, of_crops=True, keeps_photos=True
)


def _predict_grid(
    subject: Subject, rows: Rows, divisions: int
) -> tuple[ProbeArrays, npt.NDArray[np.float32]]:
    data = subject.data
    images = data.images("test")
    height, width, _ = images.shape
    grid = CropGrid.over(height, width, divisions)
    classes = data.examples(rows, "test").classes
    batch = crops_per_batch(data.config.model, data.device)
    predicted, probability = predict_crops(subject.model, images, rows, classes, grid, batch)
    arrays: ProbeArrays = {
        **names_of(subject, rows),
        "predicted": predicted,
        "truth": classes.astype(np.uint8),
        "top": grid.tops,
        "left": grid.lefts,
        "side": np.array(CROP_SIDE),
        "height": np.array(height),
        "width": np.array(width),
        "texture": measure_texture(images, rows, grid).astype(np.float16),
    }
    return arrays, probability


def crops_per_batch(model_name: str, device: torch.device) -> int:
    """How many crops make one forward pass of a model."""
    height, width = enlarged(model_name, CROP_SIDE, CROP_SIDE)
    return max(1, BATCH_PIXELS[device.type] // (height * width))


def predict_crops(
    model: nn.Module,
    images: Images,
    rows: npt.NDArray[np.int64],
    classes: npt.NDArray[np.int64],
    grid: CropGrid,
    batch: int,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Predict every crop of a grid in every image.

    Args:
        model: From (b, 3, 32, 32) to logits; it is put into evaluation mode.
        images: Stored images, of original pixels.
        rows: int64 (n,), which of them.
        classes: int64 (n,), their true classes.
        grid: Where.
        batch: Crops per forward pass.

    Returns:
        Predicted class, uint8 (n, gy, gx), and probability of the true class, float32 (n, gy, gx).
    """
    import torch

    model.eval()
    device = images.device
    all_rows, truths, tops, lefts = (
        torch.from_numpy(values).to(device) for values in (rows, classes, grid.tops, grid.lefts)
    )
    n_crops = len(rows) * len(tops) * len(lefts)
    predicted = np.empty(n_crops, dtype=np.uint8)
    probability = np.empty(n_crops, dtype=np.float32)
    for start in range(0, n_crops, batch):
        end = min(start + batch, n_crops)
        numbers = torch.arange(start, end, device=device)
        place, column = numbers // len(lefts), numbers % len(lefts)
        image, line = place // len(tops), place % len(tops)
        levels = images.cut(all_rows[image], tops[line], lefts[column])
        with torch.no_grad():
            probabilities = model(images.normalise(levels)).float().softmax(dim=1)
        predicted[start:end] = probabilities.argmax(dim=1).to(torch.uint8).cpu().numpy()
        probability[start:end] = probabilities.gather(1, truths[image][:, None])[:, 0].cpu().numpy()
    shape = (len(rows), *grid.shape)
    return predicted.reshape(shape), probability.reshape(shape)


def measure_texture(images: Images, rows: npt.NDArray[np.int64], grid: CropGrid) -> npt.NDArray[np.float32]:
    """Standard deviation of luma in every crop of a grid, in gray levels; float32 (n, gy, gx)."""
    import torch
    from torch.nn.functional import avg_pool2d

    weights = torch.tensor(LUMA, device=images.device)
    textures = []
    for row in rows:
        levels = images.stored(np.array([row])).float()
        luma = (levels * weights).sum(dim=3) if levels.shape[3] == 3 else levels[..., 0]
        luma = luma - luma.mean()  # variances as differences of squares lose digits far from 0
        mean, square = (avg_pool2d(x[:, None], CROP_SIDE, grid.step)[0, 0] for x in (luma, luma**2))
        textures.append((square - mean**2).clamp(min=0).sqrt().cpu().numpy())
    return np.stack(textures)
