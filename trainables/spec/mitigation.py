"""Mitigations: names for fields of a recipe that work against learning the camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mitigation:
    """A way to keep a model from learning the camera.

    Attributes:
        says: What it does, for people.
        fields: The fields of a recipe that it comes to.
    """

    says: str
    fields: Mapping[str, Any]


MITIGATIONS: dict[str, Mitigation] = {
    "none": Mitigation("training as the recipe has it", {}),
    "reweight": Mitigation("every label × camera cell weighs the same in the loss", {"reweight": True}),
    "resample": Mitigation("every label × camera cell is drawn as often", {"resample": True}),
    "group_dro": Mitigation("the cells with the highest losses count more and more", {"group_dro": 0.01}),
    "adversary": Mitigation("features are trained to hide the camera from a second head", {"adversary": 1.0}),
    "recompress": Mitigation("training photos are compressed at random qualities", {"recompress": 1.0}),
    "blur_noise": Mitigation("training photos are blurred, and noise is added", {"blur": 1.0, "noise": 1.0}),
    "rescale": Mitigation("training photos are scaled down and up again", {"rescale": 1.0}),
    "jitter": Mitigation("brightness, contrast, saturation and hue of training photos vary", {"jitter": 1.0}),
}
"""By the name that a study's `mitigations` gives."""
