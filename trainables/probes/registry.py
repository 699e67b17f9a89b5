"""Probes by name: what else is asked of a trained model. Each leaves arrays in the record, and analysis only draws.

A probe is no part of a trial's id: it runs after training, or later on kept weights. Planning needs only the names,
so that a probe imports torch where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import model_validator

from camerabias.datasets.io.registered import Registered, import_files
from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.subject import LinearSubject

import_files("camerabias.trainables.probes")


class Probe(Registered):
    """A probe by name, with its parameters."""

    noun: ClassVar[str] = "probe"
    registry: ClassVar[Mapping[str, ProbeKind]] = PROBES

    @model_validator(mode="after")
    def _check(self) -> Probe:
        for name, value in self.parameters.items():
            if value < 1 or value != int(value):
                raise ValueError(f"{name} {value:g} of probe {self.name!r} must be a whole number from 1 up")
        return self

    @property
    def kind(self) -> ProbeKind:
        """The registered probe behind the name."""
        return PROBES[self.name]

    def run(self, subject: Subject | LinearSubject) -> ProbeArrays:
        """The arrays of a trained model, which it must ask about."""
        if isinstance(subject, Subject):
            assert self.kind.run is not None, f"probe {self} asks about linear probes"
            subject.model.requires_grad_(False)  # probes ask for gradients of images, never of weights
            return self.kind.run(subject, self.parameters)
        assert self.kind.run_linear is not None, f"probe {self} asks about networks"
        return self.kind.run_linear(subject, self.parameters)
