"""What a model says of the images that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject, names_of
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.subject import LinearSubject


def training_images(subject: Subject, _: Mapping[str, float]) -> ProbeArrays:
    """Predictions of the training images as the test view shows them (paper, caption of Table VI)."""
    from camerabias.trainables.training.evaluate import predict_logits

    recipe = subject.data.config.tuning
    rows = subject.data.parts.train
    examples = subject.data.examples(rows, "test")
    logits = predict_logits(subject.model, examples, recipe.batch_size, recipe.precision)
    predicted = logits.argmax(dim=1).cpu().numpy()
    return {**names_of(subject, rows), "prediction": np.array(subject.data.classes)[predicted]}


def training_images_linear(subject: LinearSubject, _: Mapping[str, float]) -> ProbeArrays:
    """The same of a linear probe."""
    rows = subject.data.parts.train
    predicted = subject.logits(rows, 0).argmax(axis=1)
    return {**names_of(subject, rows), "prediction": np.array(subject.data.classes)[predicted]}


PROBES["training_images"] = ProbeKind(training_images, training_images_linear)
