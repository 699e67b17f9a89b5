"""What is said of a cue, once, in its file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from camerabias.datasets.interventions.intervention import Intervention


@dataclass(frozen=True)
class CueSpec:
    """A cue: a physical difference between cameras that a photo shows.

    Attributes:
        number: Its place among all. Calibrations number their datasets by this order, so a new one comes last.
        parameters: The simulator's cues (`SimulatorSpec.cues`) that are this one.
        mitigation: The augmentation that destroys it, one of `MITIGATIONS`; None where none does.
        full_strength: Scales of the simulator's cues where verdicts are calibrated with it: so strong that a small
            model tells cameras at 64 pixels, several times the cameras' own. Empty where they are not: no small model
            recognised distortion of six times the cameras' own.
        intervention: How photos are brought to another level of it; None where they are not.
        immovable: Why no photo is brought to another level of it; empty where one is.
        words: What sentences, tables and pictures call it; empty where its name says it.
    """

    number: int
    parameters: tuple[str, ...]
    mitigation: str | None
    full_strength: Mapping[str, float] = field(default_factory=dict)
    intervention: Intervention | None = None
    immovable: str = ""
    words: str = ""


CUES: dict[str, CueSpec] = {}
"""By the name that a verdict gives; the files of `datasets.cues` fill it, and `names` puts it in order."""
