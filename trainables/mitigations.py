"""What keeps a training from leaning on the camera, beside augmentation: cells that count the same, and an adversary.

A cell is a pair of label and camera. Where cameras and labels go together, few cells hold nearly all images, and the
others, which tell label and camera apart, hardly count.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.randomness import stream_seed

ADVERSARY_WIDTH = 128
"""Hidden units of the head that names cameras."""

Codes = npt.NDArray[np.int64]


def number_cells(cells: Codes) -> tuple[Codes, int]:
    """Number the cells that there are.

    Args:
        cells: int64 (n, 2), codes of label and camera.

    Returns:
        int64 (n,), the number of each image's cell from 0 up, and how many there are.
    """
    found, numbers = np.unique(cells, axis=0, return_inverse=True)
    return numbers.reshape(-1), len(found)


def even_weights(cells: Codes) -> npt.NDArray[np.float64]:
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

    def __init__(self, cells: Codes, step_size: float, device: torch.device) -> None:
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


class Adversary:
    """A second head that learns to name the camera, while the features that it sees learn to hide it.

    Gradient reversal (Ganin et al. 2016): the head's own gradient is what it is, and that of the features is turned
    round. The features are what the model's last fully connected layer is given.

    Args:
        model: The model.
        cells: int64 (n, 2), codes of label and camera of the training images.
        weight: Of the reversed gradient.
        seed: The trial's, for the head's initialisation.
        device: Where the model is.

    Raises:
        CamerabiasError: The model ends in no fully connected layer.
    """

    def __init__(
        self, model: nn.Module, cells: Codes, weight: float, seed: int, device: torch.device
    ) -> None:
        self.model, self.weight, self.layer = model, weight, _find_classifier(model)
        found, cameras = np.unique(cells[:, 1], return_inverse=True)
        self.cameras = torch.from_numpy(cameras.reshape(-1)).to(device)
        torch.manual_seed(stream_seed(seed, "adversary"))
        self.head = nn.Sequential(
            nn.Linear(self.layer.in_features, ADVERSARY_WIDTH),
            nn.ReLU(),
            nn.Linear(ADVERSARY_WIDTH, len(found)),
        ).to(device)

    def run(self, inputs: torch.Tensor) -> tuple[Any, torch.Tensor]:
        """The model's output for a batch, and the features (b, d) behind it."""
        seen: list[torch.Tensor] = []
        hook = self.layer.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        try:
            return self.model(inputs), seen[0]
        finally:
            hook.remove()

    def loss(self, features: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Cross entropy of the cameras that the head names.

        Args:
            features: float (b, d), see `run`.
            chosen: int64 (b,), which of the training images.
        """
        passed = features.clone()
        passed.register_hook(lambda gradient: -self.weight * gradient)  # type: ignore[no-untyped-call]
        return nn.functional.cross_entropy(self.head(passed), self.cameras[chosen])


def _find_classifier(model: nn.Module) -> nn.Linear:
    layers = [layer for layer in model.modules() if layer._parameters]  # those with weights of their own
    if layers and isinstance(layers[-1], nn.Linear):
        return layers[-1]
    raise CamerabiasError(
        f"An adversary works on what the last, fully connected layer of a model is given, and {type(model).__name__} "
        f"ends in {type(layers[-1]).__name__ if layers else 'no layer'}; choose another model, or another mitigation."
    )
