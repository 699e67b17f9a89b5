"""Cues by which a verdict can say that cameras are identified; each is planted alone to learn what it looks like.

To add one, write its `CueSpec` without `remaining` and run `camerabias calibrate docs/calibration/reference.jsonl
--datasets references`, which audits datasets that plant it and prints what remains of it. Geometry has no spec: no
small model recognised distortion.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

VIEWS = (
    "rgb", "gray", "jitter", "binary", "crop32", "lowpass", "highpass", "residual", "recompressed", "resampled",
    "shuffled", "left → right",
)  # fmt: skip
"""Of the study `cues`: each removes some cues and leaves others."""


@dataclass(frozen=True)
class CueSpec:
    """A cue that can be planted, named and worked against.

    Attributes:
        family: What a verdict calls it; several cues may share a name.
        planted: Scales of the simulator's cues (`SimulatorSpec.cues`) at full strength: so strong that a small model
            tells cameras at 64 pixels, several times the cameras' own.
        mitigation: The augmentation that destroys it, one of `MITIGATIONS`.
        remaining: Its fingerprint: how far cameras are still identified in each of `VIEWS`, as a share (0 to 1) of
            the view in which they are most. Without one, a cue is planted and not named.
    """

    family: str
    planted: Mapping[str, float]
    mitigation: str
    remaining: tuple[float, ...] = ()


KNOWN_CUES: dict[str, CueSpec] = {
    "white balance": CueSpec(
        family="colour",
        planted={"white_balance": 2, "colour_matrix": 2},
        mitigation="jitter",
        remaining=(0.999, 0.0, 0.0, 0.023, 0.997, 0.997, 0.402, 0.484, 0.997, 0.997, 1.0, 1.0),
    ),
    "noise": CueSpec(
        family="sensor",
        planted={"shot_noise": 3, "read_noise": 3},
        mitigation="blur_noise",
        remaining=(0.744, 0.667, 0.074, 0.366, 0.565, 0.391, 0.704, 0.976, 0.694, 0.704, 0.74, 0.648),
    ),
    "sensor pattern": CueSpec(
        family="sensor",
        planted={"prnu": 6, "hot_pixels": 6, "dark_current": 6},
        mitigation="blur_noise",
        remaining=(0.912, 0.957, 0.235, 0.458, 0.174, 0.42, 1.0, 1.0, 0.587, 0.61, 0.686, 0.006),
    ),
    "jpeg": CueSpec(
        family="compression",
        planted={"jpeg_quality": 4, "jpeg_tables": 1, "jpeg_subsampling": 1},
        mitigation="recompress",
        remaining=(0.293, 0.362, 0.003, 0.459, 0.035, 0.016, 0.727, 0.996, 0.105, 0.0, 0.126, 0.221),
    ),
    "denoising, sharpening": CueSpec(
        family="processing",
        planted={"denoising": 4, "sharpening": 5},
        mitigation="blur_noise",
        remaining=(0.525, 0.515, 0.04, 0.351, 0.241, 0.0, 0.805, 0.931, 0.441, 0.217, 0.458, 0.401),
    ),
    "blur": CueSpec(
        family="optics",
        planted={"blur": 8},
        mitigation="blur_noise",
        remaining=(0.729, 0.704, 0.127, 0.604, 0.58, 0.44, 0.892, 0.966, 0.6, 0.498, 0.624, 0.588),
    ),
    "vignetting": CueSpec(
        family="optics",
        planted={"vignetting": 8},
        mitigation="blur_noise",
        remaining=(0.713, 0.741, 0.161, 0.4, 0.053, 0.603, 0.966, 0.917, 0.729, 0.678, 0.369, 0.0),
    ),
}
"""By name; calibrations number their datasets by this order, so that a new one comes last."""


def families() -> list[str]:
    """Names that a verdict can give."""
    return list(dict.fromkeys(spec.family for spec in KNOWN_CUES.values()))


def mitigations_of(named: Iterable[str]) -> list[str]:
    """The mitigations that destroy the cues of some families."""
    found = (spec.mitigation for family in named for spec in KNOWN_CUES.values() if spec.family == family)
    return list(dict.fromkeys(found))


def fingerprints() -> pd.DataFrame:
    """What every view leaves of a cue, as a share of the view that leaves most: cues × views, from 0 to 1."""
    measured = {name: spec.remaining for name, spec in KNOWN_CUES.items() if spec.remaining}
    return pd.DataFrame.from_dict(measured, orient="index", columns=[*VIEWS]).rename_axis("cue")
