"""Attributions: where in an image the evidence for its predicted class lies."""

from __future__ import annotations

from collections.abc import Mapping
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

STEPS = 32
"""Points on the way from the baseline to the image (captum's default is 50; the sum changes by little)."""


def attributions(subject: Subject, parameters: Mapping[str, float]) -> ProbeArrays:
    """Integrated gradients of the predicted class, on the images that `perturbations` takes."""
    import torch

    rows = of_second_class(subject.data, int(parameters["per_camera"]))
    images = subject.data.images("test")
    found: list[ProbeArrays] = []
    for batch in small_batches(subject, rows):
        inputs = images.batch(batch, subject.data.examples(batch, "test").numbers)
        predicted = predict(subject, inputs)
        gradients = attribute(subject.model, inputs, torch.from_numpy(predicted).to(inputs.device))
        prediction = np.array(subject.data.classes)[predicted]
        found.append({"attribution": gradients.cpu().numpy().astype(np.float16), "prediction": prediction})
    return {**names_and_regions(subject, rows), **joined(found)}


PROBES["attributions"] = ProbeKind(attributions, defaults={"per_camera": 10})  # the images of `perturbations`


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
    found = method.attribute(inputs, target=classes, n_steps=STEPS, internal_batch_size=len(inputs))
    magnitude: torch.Tensor = found.abs().sum(dim=1)
    return magnitude.float()
