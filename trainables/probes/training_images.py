"""What a model says of the images that it was trained on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject, names_of
from camerabias.trainables.records.record import ProbeArrays


def training_images(subject: Subject, _: Mapping[str, float]) -> ProbeArrays:
    """Predictions of the training images as the test view shows them (paper, caption of Table VI)."""
    from camerabias.trainables.training.evaluate import predict_logits

    recipe = subject.data.config.recipe
    rows = subject.data.parts.train
    examples = subject.data.examples(rows, "test")
    logits = predict_logits(subject.model, examples, recipe.batch_size, recipe.precision)
    predicted = logits.argmax(dim=1).cpu().numpy()
    return {**names_of(subject, rows), "prediction": np.array(subject.data.classes)[predicted]}


PROBES["training_images"] = ProbeKind(training_images)
