"""Augmentation of training images that destroys a camera's traces: whole batches, on the device, every image its own.

How strong each image is treated is drawn evenly from nothing up to what the recipe allows, so that a model sees all
of it. Random numbers come from the epoch's generator on the CPU, whatever the device.
"""

from __future__ import annotations

from math import pi

import torch
from torch.nn.functional import avg_pool2d, interpolate, pad

from camerabias.datasets.io.jpeg import CHROMA_STEPS, LUMA, LUMA_STEPS
from camerabias.datasets.views.random import change_colours
from camerabias.datasets.views.registry import VIEWS
from camerabias.trainables.spec.recipe import Augmentation

MAX_SIGMA = 2.0
"""Standard deviation of the widest blur, in pixels."""

MAX_NOISE = 20.0
"""Standard deviation of the strongest noise, in gray levels."""

MIN_SCALE = 0.25
"""The smallest size that images are scaled down to, as a share of their own."""

MIN_QUALITY = 30.0
"""The lowest JPEG quality; the highest is 100."""


def augment(levels: torch.Tensor, asked: Augmentation, generator: torch.Generator) -> torch.Tensor:
    """What is done to a batch of training images, in the order in which light, sensor and file would.

    Args:
        levels: Gray levels from 0 to 255 (b, h, w, 1 or 3), uint8 or float32.
        asked: How strong each treatment is at most.
        generator: The epoch's, or a draw's, on the CPU.

    Returns:
        As `levels`, float32 where anything was done.
    """

    def numbers(n: int) -> torch.Tensor:
        return torch.rand((len(levels), n), generator=generator, dtype=torch.float64).to(levels.device)

    def amounts(strength: float) -> torch.Tensor:
        return strength * numbers(1)[:, 0].float()

    if asked.jitter:
        whole = VIEWS["jitter"]
        ranges = {name: asked.jitter * width for name, width in whole.defaults.items()}
        levels = change_colours(levels.float(), numbers(whole.n_numbers), ranges)
    if asked.blur:
        levels = blur(levels, MAX_SIGMA * amounts(asked.blur))
    if asked.rescale:
        levels = rescale(levels, 1 - (1 - MIN_SCALE) * amounts(asked.rescale))
    if asked.noise:
        noise = torch.randn(levels.shape, generator=generator).to(levels.device)
        deviations = MAX_NOISE * amounts(asked.noise)
        levels = (levels + deviations[:, None, None, None] * noise).clamp(0, 255)
    if asked.recompress:
        levels = recompress(levels, 100 - (100 - MIN_QUALITY) * amounts(asked.recompress))
    return levels


def blur(levels: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """Gaussian blur, whose weights add up to one at the border as well.

    Args:
        levels: Gray levels (b, h, w, c).
        sigmas: float32 (b,), standard deviations in pixels; 0 leaves an image as it is.

    Returns:
        float32 (b, h, w, c).
    """

    def weights(side: int) -> torch.Tensor:
        places = torch.arange(side, device=levels.device)
        distances = (places[:, None] - places) / sigmas.clamp(min=0.01)[:, None, None]
        # beyond six deviations weights are no part of a gray level, and too small for a CPU to be quick with
        return _rows_to_one(torch.exp(-(distances**2) / 2) * (distances.abs() < 6))

    return _along_both_sides(levels, weights(levels.shape[1]), weights(levels.shape[2]))


def rescale(levels: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Scale down and up again, both times linearly (a triangle as wide as the larger pixels, as Pillow's BILINEAR).

    Args:
        levels: Gray levels (b, h, w, c).
        scales: float32 (b,), how large the small image is, as a share of the sides; above 0 and up to 1.

    Returns:
        float32 (b, h, w, c).
    """

    def weights(side: int) -> torch.Tensor:
        whole, small = torch.full_like(scales, side), (side * scales).round().clamp(min=1)
        return _triangles(side, small, whole) @ _triangles(side, whole, small)

    return _along_both_sides(levels, weights(levels.shape[1]), weights(levels.shape[2]))


def _triangles(side: int, sources: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Weights (b, side, side) that make `targets` pixels of `sources` pixels; pixels beyond either do not count."""
    places = torch.arange(side, device=sources.device)
    ratios = (sources / targets)[:, None, None]
    centres = (places[:, None] + 0.5) * ratios - 0.5
    weights = (1 - (places - centres).abs() / ratios.clamp(min=1)).clamp(min=0)
    return _rows_to_one(weights * (places < sources[:, None, None]))


def _rows_to_one(weights: torch.Tensor) -> torch.Tensor:
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-9)


def _along_both_sides(levels: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Linear filters of each image: weights (b, h, h) from top to bottom and (b, w, w) from left to right."""
    # one after the other: einsum of all three would multiply the weights first, (b, h, h, w, w) of them
    return torch.einsum("bxj,byjc->byxc", columns, torch.einsum("byi,bijc->byjc", rows, levels.float()))


_TO_YCC = [[*LUMA], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]


def recompress(levels: torch.Tensor, qualities: torch.Tensor) -> torch.Tensor:
    """Save as a JPEG of libjpeg's `quality` (standard tables, 4:2:0) and read it again.

    kornia's codec rounds softly, so that gradients pass: half of a trace stays, at four times the cost.

    Args:
        levels: Gray levels (b, h, w, 1 or 3).
        qualities: float32 (b,), from 1 to 100.

    Returns:
        float32 (b, h, w, 1 or 3).
    """
    height, width = levels.shape[1:3]
    # whole blocks of colour, which cover twice as many pixels
    planes = pad(levels.float().permute(0, 3, 1, 2), (0, -width % 16, 0, -height % 16), mode="replicate")
    if planes.shape[1] == 3:
        to_ycc = planes.new_tensor(_TO_YCC)
        ycc = torch.einsum("ij,bjyx->biyx", to_ycc, planes)
        luma = _quantise(ycc[:, :1] - 128, LUMA_STEPS, qualities) + 128
        colour = _quantise(avg_pool2d(ycc[:, 1:], 2), CHROMA_STEPS, qualities)
        colour = interpolate(colour, scale_factor=2, mode="bilinear")
        ycc = torch.cat([luma, colour], dim=1)
        planes = torch.einsum("ij,bjyx->biyx", torch.linalg.inv(to_ycc), ycc)
    else:
        planes = _quantise(planes - 128, LUMA_STEPS, qualities) + 128
    return planes[:, :, :height, :width].permute(0, 2, 3, 1).round().clamp(0, 255)


def _quantise(
    planes: torch.Tensor, table: tuple[tuple[int, ...], ...], qualities: torch.Tensor
) -> torch.Tensor:
    """Round the cosine transform of blocks of 8 × 8 pixels: (b, c, h, w) around 0 to the same."""
    scales = torch.where(qualities < 50, 5000 / qualities, 200 - 2 * qualities).floor()
    steps = ((planes.new_tensor(table) * scales[:, None, None] + 50) / 100).floor().clamp(1, 255)
    steps = steps[:, None, None, :, None, :]
    b, c, height, width = planes.shape
    blocks = planes.round().reshape(b, c, height // 8, 8, width // 8, 8)
    cosines = _cosines(planes.device)
    coefficients = torch.einsum("uy,vx,bciyjx->bciujv", cosines, cosines, blocks)
    coefficients = (coefficients / steps).round() * steps
    return torch.einsum("uy,vx,bciujv->bciyjx", cosines, cosines, coefficients).reshape(planes.shape)


def _cosines(device: torch.device) -> torch.Tensor:
    """The orthonormal cosine transform of 8 samples: frequency × place."""
    places = torch.arange(8, device=device)
    cosines = torch.cos((2 * places + 1) * places[:, None] * pi / 16) / 2
    cosines[0] /= 2**0.5
    return cosines
