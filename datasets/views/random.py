"""Random views: whole batches, every image with its own draw.

A draw is a function of an image and of a few random numbers in [0, 1). Whoever calls decides where these come from
(the epoch's generator in training, a hash of seed and image in a test), so that an image's draw depends neither on
its batch nor on the device. torch is imported where it is used: the rest of the package needs only the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    Draw = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Mapping[str, float]], torch.Tensor]
    """uint8 source (n, H, W, c), int64 rows (b,) beside it, float64 numbers (b, k) on the device that computes, and
    parameters in; gray levels from 0 to 255 (b, h, w, c) out, uint8 or float32."""

CROP_SIDE = 32
"""Side of a random crop in pixels (paper, section IV-F)."""


def jitter(
    source: torch.Tensor, rows: torch.Tensor, numbers: torch.Tensor, parameters: Mapping[str, float]
) -> torch.Tensor:
    """Colour jitter (paper, section IV-E): brightness, contrast, saturation and hue, in this order; k is 4."""
    return change_colours(source.index_select(0, rows).to(numbers.device).float(), numbers, parameters)


def change_colours(
    levels: torch.Tensor, numbers: torch.Tensor, parameters: Mapping[str, float]
) -> torch.Tensor:
    """Multiply brightness, contrast and saturation by factors within 1 ± the parameter, and turn the hue.

    Args:
        levels: float32 (b, h, w, c), gray levels from 0 to 255; of one channel, hue and saturation are nothing.
        numbers: float64 (b, 4), from 0 to 1: where in its range each factor lies.
        parameters: `brightness`, `contrast`, `saturation`, and `hue` in turns (0.5 is the whole circle).

    Returns:
        float32 (b, h, w, c), gray levels from 0 to 255.
    """
    from kornia import enhance

    centred = (2 * numbers - 1).float()
    brightness, contrast, saturation = (
        1 + parameters[name] * centred[:, column]
        for column, name in enumerate(("brightness", "contrast", "saturation"))
    )
    images = levels.permute(0, 3, 1, 2) / 255
    images = enhance.adjust_brightness_accumulative(images, brightness)
    images = enhance.adjust_contrast_with_mean_subtraction(images, contrast)
    if images.shape[1] == 3:
        images = enhance.adjust_saturation_with_gray_subtraction(images, saturation)
        images = enhance.adjust_hue(images, 2 * pi * parameters["hue"] * centred[:, 3])
    return (images * 255).permute(0, 2, 3, 1)


def random_crop(
    source: torch.Tensor, rows: torch.Tensor, numbers: torch.Tensor, _: Mapping[str, float]
) -> torch.Tensor:
    """A 32 × 32 window anywhere in the image (paper, section IV-F); k is 2: from the top, from the left."""
    height, width = source.shape[1:3]
    places = (numbers * numbers.new_tensor([height - CROP_SIDE + 1, width - CROP_SIDE + 1])).long()
    return cut(source, rows, places[:, 0], places[:, 1])


def cut(source: torch.Tensor, rows: torch.Tensor, tops: torch.Tensor, lefts: torch.Tensor) -> torch.Tensor:
    """Gather one 32 × 32 window of each row, as one operation on the device of `source`.

    Args:
        source: uint8 (n, H, W, c).
        rows: int64 (b,), which images; one may stand there often.
        tops: int64 (b,), first row of each window.
        lefts: int64 (b,), first column of each window.

    Returns:
        uint8 (b, 32, 32, c).
    """
    windows = source.unfold(1, CROP_SIDE, 1).unfold(2, CROP_SIDE, 1).permute(0, 1, 2, 4, 5, 3)  # a view
    rows, tops, lefts = (places.to(source.device) for places in (rows, tops, lefts))
    return windows[rows, tops, lefts]
