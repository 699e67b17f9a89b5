"""A small network for CPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

    State = dict[str, torch.Tensor]
    Weigh = Callable[[torch.Tensor], torch.Tensor]


def small_cnn(n_classes: int) -> nn.Module:
    """Four convolutions with batch norm, 0.08 M parameters."""
    from torch import nn

    layers: list[nn.Module] = []
    n_in = 3
    # three strides at once, since the time goes where images are large; the last layer sees 31 × 31 pixels
    for n_out, stride in ((16, 2), (32, 2), (64, 2), (96, 1)):
        convolution = nn.Conv2d(n_in, n_out, kernel_size=3, stride=stride, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
        n_in = n_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n_in, n_classes))
