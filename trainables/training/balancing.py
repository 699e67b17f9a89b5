"""Weights that balance label × camera cells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

CellNumbers = npt.NDArray[np.int64]


def number_cells(cells: CellNumbers) -> tuple[CellNumbers, int]:
    """Number the cells that there are.

    Args:
        cells: int64 (n, 2), codes of label and camera.

    Returns:
        int64 (n,), the number of each image's cell from 0 up, and how many there are.
    """
    found, numbers = np.unique(cells, axis=0, return_inverse=True)
    return numbers.reshape(-1), len(found)


def even_weights(cells: CellNumbers) -> npt.NDArray[np.float64]:
    """Weights of images under which every cell weighs the same: (n,) of mean 1, from codes (n, 2)."""
    numbers, n_cells = number_cells(cells)
    return len(cells) / (n_cells * np.bincount(numbers))[numbers]


class GroupWeights:
    """Weights of cells that grow with their losses, so that training cares for the worst (Sagawa et al. 2020).

    Their Algorithm 1, a batch at a time: the weight of a cell is multiplied by the exponential of its mean loss
    times the step size, and the loss is the weighted sum of the cells' means. Cells that a batch lacks stay as
    they are.

    Args:
        cells: int64 (n, 2), codes of label and camera of the training images.
        step_size: How fast weights grow.
        device: Where losses are.
    """

    def __init__(self, cells: CellNumbers, step_size: float, device: torch.device) -> None:
        numbers, self.n_cells = number_cells(cells)
        self.numbers = torch.from_numpy(numbers).to(device)
        self.step_size = step_size
        self.logarithms = torch.zeros(self.n_cells, device=device).log_softmax(dim=0)
        """Of the weights, whose sum is 1."""

    def weigh(self, losses: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Take a step of the weights, and return the loss of the batch under the new ones.

        Args:
            losses: float32 (b,).
            chosen: int64 (b,), which of the training images.
        """
        # sums over a mask have a fixed order, as scattering on a GPU has not, and autocast leaves them as they are
        member = nn.functional.one_hot(self.numbers[chosen], self.n_cells)
        means = (losses[:, None] * member).sum(dim=0) / member.sum(dim=0).clamp(min=1)
        self.logarithms = (self.logarithms + self.step_size * means.detach()).log_softmax(dim=0)
        return (self.logarithms.exp() * means).sum()
