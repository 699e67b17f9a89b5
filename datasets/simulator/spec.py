"""What to simulate: presets, and the cues written as text."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from camerabias.datasets.schema import CamerabiasError, Preset, wrong_fields
from camerabias.datasets.simulator.cameras import CAMERAS, CUES

LABELS = ("manufacturer 1", "manufacturer 2")
"""The labels, in order."""

_IMAGES_AND_SIZE: dict[str, tuple[int, int]] = {"demo": (1000, 128), "paper": (3090, 1024)}
_PER_PAIR_OF_BOTTLES = len(LABELS) * len(CAMERAS)
_SMALLEST_SIZE = 64  # below, a dot of the code is under two pixels apart from the next


class SimulatorSpec(BaseModel):
    """Everything that determines a simulated data set.

    Attributes:
        preset: The preset it was made from.
        images: Number of photos; a multiple of 10, so that every label × camera cell is equal.
        size: Width and height of a photo, pixels, even and at least 64.
        seed: At least 0. Another seed gives other bottles and other devices of the same five models.
        cues: Scale of every cue: 0 makes all cameras alike in it, 1 is the camera's own. Others are 1.
        correlation: None has every camera photograph every bottle. From 0 to 1, every bottle is photographed once,
            by one of the two cameras of its own label (`settings.PAPER_DISJOINT`) with a share of
            (1 + correlation) / 2, else by one of the other label's two: 0 is balanced, 1 disjoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset
    images: int = Field(gt=0, multiple_of=_PER_PAIR_OF_BOTTLES)
    size: int = Field(ge=_SMALLEST_SIZE, multiple_of=2)
    seed: int = Field(ge=0)
    cues: dict[str, float]
    correlation: float | None = Field(default=None, ge=0, le=1)

    @property
    def n_bottles(self) -> int:
        """How many bottles are photographed."""
        return self.images // len(CAMERAS) if self.correlation is None else self.images

    @field_validator("cues")
    @classmethod
    def _every_cue(cls, cues: dict[str, float]) -> dict[str, float]:
        for name, scale in cues.items():
            _check_cue(name, scale)
        return {name: float(cues.get(name, 1.0)) for name in CUES}


def preset_spec(
    preset: Preset,
    images: int | None = None,
    size: int | None = None,
    cues: Mapping[str, float] | None = None,
    seed: int = 0,
    correlation: float | None = None,
) -> SimulatorSpec:
    """Return a preset, changed where asked.

    Args:
        preset: `demo` (1,000 photos of 200 bottles, 128 × 128) or `paper` (3,090 photos of 618 bottles, 1024 × 1024).
        images: Number of photos, if not the preset's.
        size: Width and height in pixels, if not the preset's.
        cues: Scales of some cues; the others are 1. See `parse_cues`.
        seed: The data set's seed.
        correlation: Of label and camera, see `SimulatorSpec`.

    Returns:
        The checked specification.

    Raises:
        CamerabiasError: If a value is not allowed; the message says which are.
    """
    smallest = (_PER_PAIR_OF_BOTTLES, _SMALLEST_SIZE)  # of an unknown preset, which is refused below
    own_images, own_size = _IMAGES_AND_SIZE.get(preset, smallest)
    fields = {
        "preset": preset,
        "images": own_images if images is None else images,
        "size": own_size if size is None else size,
        "seed": seed,
        "cues": dict(cues or {}),
        "correlation": correlation,
    }
    try:
        return SimulatorSpec.model_validate(fields)
    except ValidationError as error:
        raise CamerabiasError(f"Photos cannot be simulated so: {wrong_fields(error)}.") from error


def parse_cues(text: str) -> dict[str, float]:
    """Read the scales of all cues from a text such as `none,jpeg_quality=2`.

    Args:
        text: Items separated by commas, applied from left to right on all cues at 1: `all` (every cue 1), `none`
            (every cue 0), `NAME=SCALE`, or `NAME` for `NAME=1`.

    Returns:
        The scale of every cue.

    Raises:
        CamerabiasError: If a name is no cue or a scale is no number, at least 0.
    """
    cues = dict.fromkeys(CUES, 1.0)
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, scale = (part.strip() for part in item.partition("="))
        if item in ("all", "none"):
            cues = dict.fromkeys(CUES, 1.0 if item == "all" else 0.0)
        else:
            cues[name] = _check_cue(name, _number(scale, item) if "=" in item else 1.0)
    return cues


def _number(text: str, item: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CamerabiasError(
            f"The cue {item!r} has no number after '='; write for example 'prnu=2'."
        ) from None


def _check_cue(name: str, scale: float) -> float:
    if name not in CUES:
        raise CamerabiasError(f"The cue {name!r} is unknown; allowed are all, none, {', '.join(CUES)}.")
    if not (math.isfinite(scale) and scale >= 0):
        raise CamerabiasError(f"The scale of the cue {name!r} is {scale:g}; give a number, at least 0.")
    return scale
