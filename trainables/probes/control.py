"""What a linear probe would predict had label and camera been independent in its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from camerabias.trainables.probes.base import PROBES, ProbeKind, names_of
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.subject import LinearSubject


def control(subject: LinearSubject, _: Mapping[str, float]) -> ProbeArrays:
    """Predictions of the test images by a control head, and by heads whose weights are a sham."""
    from camerabias.trainables.linear_probe.control import control_predictions

    return {**names_of(subject, subject.data.parts.test), **control_predictions(subject)}


PROBES["control"] = ProbeKind(run_linear=control)
