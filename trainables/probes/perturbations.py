"""Adversarial perturbations: what has to change for a prediction to flip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from camerabias.trainables.probes.base import (
    PROBES,
    ProbeKind,
    Subject,
    joined,
    names_and_regions,
    of_second_class,
    predict,
    small_batches,
)
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    import torch
    from torch import nn

STEP = 0.1
"""Root mean square of one gradient step, in gray levels: a tenth of what a photo can express."""
MAX_STEPS = 500
"""After these, a change of up to 50 gray levels, an image counts as one that could not be flipped."""


def perturbations(subject: Subject, parameters: Mapping[str, float]) -> ProbeArrays:
    """Perturbations that flip predictions from the second class to the first (paper, Figure 5)."""
    import torch

    rows = of_second_class(subject.data, int(parameters["per_camera"]))
    images = subject.data.images("test")
    classes = np.array(subject.data.classes)
    found: list[ProbeArrays] = []
    for batch in small_batches(subject, rows):
        levels = images.levels(batch, subject.data.examples(batch, "test").numbers).float()
        perturbation, steps = perturb(subject.model, images.normalise, levels, aim=0)
        found.append(
            {
                "pixels": levels.round().to(torch.uint8).cpu().numpy(),
                "perturbation": perturbation.cpu().numpy().astype(np.float16),
                "before": classes[predict(subject, images.normalise(levels))],
                "flipped": predict(subject, images.normalise(levels + perturbation)) == 0,
                "steps": steps.cpu().numpy(),
            }
        )
    return {**names_and_regions(subject, rows), **joined(found), "source": classes[1], "aim": classes[0]}


# ten of each camera: intervals need ten bottles, and a model that cheats resists on some cameras alone
PROBES["perturbations"] = ProbeKind(perturbations, defaults={"per_camera": 10}, keeps_photos=True)


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
    import torch
    from torch.nn.functional import cross_entropy

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
