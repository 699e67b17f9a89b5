"""The cues that are named.

To add one, write its `CueSpec`, measure it by a pixel statistic, and fit the naming anew (`docs/calibration.md`).
Where photos can be brought to another level of it, a file of this folder says how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CueSpec:
    """A cue: a physical difference between cameras that a photo shows.

    Attributes:
        parameters: The simulator's cues (`SimulatorSpec.cues`) that are this one.
        mitigation: The augmentation that destroys it, one of `MITIGATIONS`; None where none does.
        full_strength: Scales of the simulator's cues where verdicts are calibrated with it: so strong that a small
            model tells cameras at 64 pixels, several times the cameras' own. Empty where they are not: no small model
            recognised distortion of six times the cameras' own.
        immovable: Why no photo is brought to another level of it; empty where one could be.
    """

    parameters: tuple[str, ...]
    mitigation: str | None
    full_strength: Mapping[str, float] = field(default_factory=dict)
    immovable: str = ""


CUES: dict[str, CueSpec] = {
    "white balance": CueSpec(
        ("white_balance", "colour_matrix"), "jitter", {"white_balance": 2, "colour_matrix": 2}
    ),
    "noise": CueSpec(("shot_noise", "read_noise"), "blur_noise", {"shot_noise": 3, "read_noise": 3}),
    "sensor pattern": CueSpec(
        ("prnu", "hot_pixels", "dark_current"),
        "blur_noise",
        {"prnu": 6, "hot_pixels": 6, "dark_current": 6},
        immovable="the pattern of each pixel is not measured on single photos, and another sensor's is not known",
    ),
    "jpeg": CueSpec(
        ("jpeg_quality", "jpeg_tables", "jpeg_subsampling"),
        "recompress",
        {"jpeg_quality": 4, "jpeg_tables": 1, "jpeg_subsampling": 1},
    ),
    "denoising, sharpening": CueSpec(
        ("denoising", "sharpening"), "blur_noise", {"denoising": 4, "sharpening": 5}
    ),
    "blur": CueSpec(("blur",), "blur_noise", {"blur": 8}),
    "vignetting": CueSpec(("vignetting",), "blur_noise", {"vignetting": 8}),
    "geometry": CueSpec(
        ("distortion",), None, immovable="no single photo has enough straight lines to measure distortion on"
    ),
    "demosaicing": CueSpec(
        ("demosaicing",),
        "blur_noise",
        immovable="which colours were interpolated, and how, cannot be taken back",
    ),
    "chromatic aberration": CueSpec(("chromatic_aberration",), "blur_noise"),
    "tone": CueSpec(("tone_curve",), "jitter"),
    "dust": CueSpec(("dust",), None, immovable="what lies behind a spot is not known"),
}
"""By the name that a verdict gives. Calibrations number their datasets by this order, so a new one comes last."""

PLANTED = {name: spec.full_strength for name, spec in CUES.items() if spec.full_strength}
"""Cues that verdicts are calibrated with, and their scales at full strength."""


def mitigations_of(named: Iterable[str]) -> list[str]:
    """The mitigations that destroy some cues."""
    found = (CUES[cue].mitigation for cue in named)
    return [one for one in dict.fromkeys(found) if one is not None]


def probe_of(cue: str) -> str:
    """Name of the probe that moves a cue: `moved_white_balance`."""
    return f"moved_{'_'.join(cue.replace(',', '').split())}"
