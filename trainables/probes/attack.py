"""Adversarial perturbations and attributions: what a model's gradients say of where it looks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import cross_entropy

STEP = 0.1
"""Root mean square of one gradient step, in gray levels: a tenth of what a photo can express."""
MAX_STEPS = 500
"""After these, a change of up to 50 gray levels, an image counts as one that could not be flipped."""
ATTRIBUTION_STEPS = 32
"""Points on the way from the baseline to the image (captum's default is 50; the sum changes by little)."""


def perturb(
    model: nn.Module, normalise: Callable[[torch.Tensor], torch.Tensor], levels: torch.Tensor, aim: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Change images in small steps along the gradient until each is given the class `aim` (paper, section IV-C).

    Every step goes down the gradient of the cross entropy of `aim`, with the same root mean square for every image;
    an image rests as soon as its prediction is `aim`. Gray levels stay between 0 and 255.

    Args:
        model: From normalised images to logits; it is put into evaluation mode.
        normalise: From gray levels (b, h, w, c) to what the model takes.
        levels: float32 (n, h, w, c), gray levels.
        aim: The class to reach.

    Returns:
        The perturbations, float32 (n, h, w, c), in gray levels; and int64 (n,), the steps that each took.
    """
    model.eval()
    changed = levels.clone()
    steps = torch.zeros(len(levels), dtype=torch.int64, device=levels.device)
    moving = torch.arange(len(levels), device=levels.device)
    for _ in range(MAX_STEPS):
        inputs = changed[moving].requires_grad_()
        logits = model(normalise(inputs)).float()
        wrong = logits.argmax(dim=1) != aim
        if not wrong.any():
            break
        loss = cross_entropy(logits, torch.full_like(moving, aim), reduction="sum")
        (gradient,) = torch.autograd.grad(loss, inputs)
        moving, gradient = moving[wrong], gradient[wrong]
        size = gradient.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        step = STEP * gradient / size.clamp(min=torch.finfo(size.dtype).tiny)
        changed[moving] = (changed[moving] - step).clamp(0, 255)
        steps[moving] += 1
    return changed - levels, steps


def attribute(model: nn.Module, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Integrated gradients (Sundararajan et al. 2017) of each image's class, from a plain gray baseline.

    Args:
        model: From normalised images to logits; it is put into evaluation mode.
        inputs: float32 (n, 3, h, w), normalised, so that 0 is ImageNet's mean colour.
        classes: int64 (n,), whose logits are attributed.

    Returns:
        float32 (n, h, w): magnitude, summed over colours.
    """
    from captum.attr import IntegratedGradients

    model.eval()
    method = IntegratedGradients(model)
    found = method.attribute(
        inputs, target=classes, n_steps=ATTRIBUTION_STEPS, internal_batch_size=len(inputs)
    )
    magnitude: torch.Tensor = found.abs().sum(dim=1)
    return magnitude.float()
