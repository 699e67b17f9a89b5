"""An adversary that unlearns the camera (Ganin et al. 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from camerabias.trainables.models.registry import find_classifier
from camerabias.trainables.training.balancing import CellNumbers
from camerabias.trainables.training.randomness import stream_seed

ADVERSARY_WIDTH = 128
"""Hidden units of the head that names cameras."""


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
        self, model: nn.Module, cells: CellNumbers, weight: float, seed: int, device: torch.device
    ) -> None:
        self.model, self.weight, self.layer = model, weight, find_classifier(model)[1]
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
