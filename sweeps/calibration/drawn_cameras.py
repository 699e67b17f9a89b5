"""Cameras drawn at random, and their variants that differ from them in chosen cues alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from camerabias.datasets.cues.names import CUES
from camerabias.datasets.simulator.cameras import Camera


@dataclass(frozen=True)
class Spread:
    """From where a parameter is drawn.

    Attributes:
        low, high: Its ends.
        log: Whether it is drawn evenly in the logarithm.
        often_low: Share of cameras that have its low end.
    """

    low: float
    high: float
    log: bool = False
    often_low: float = 0.0


RANGES: dict[str, Spread] = {
    "blur_sigma": Spread(0.35, 1.8),
    "distortion_k1": Spread(-0.03, 0.03),
    "red_magnification": Spread(-0.005, 0.005),
    "blue_magnification": Spread(-0.005, 0.005),
    "vignetting": Spread(0.0, 0.6),
    "dust_opacity": Spread(0.0, 0.5, often_low=0.7),
    "prnu": Spread(0.0, 0.06, often_low=0.4),
    "shot_noise": Spread(0.003, 0.06, log=True),
    "read_noise": Spread(0.001, 0.03, log=True),
    "dark_current": Spread(0.0, 0.03, often_low=0.4),
    "defects": Spread(0.0, 0.002, often_low=0.4),
    "red_gain": Spread(0.7, 1.4, log=True),
    "blue_gain": Spread(0.7, 1.4, log=True),
    "saturation": Spread(0.7, 1.4, log=True),
    "hue_degrees": Spread(-12.0, 12.0),
    "denoising": Spread(0.0, 1.0),
    "sharpening": Spread(0.0, 2.5),
    "gamma": Spread(1.7, 2.7),
    "contrast": Spread(0.0, 0.6),
    "jpeg_quality": Spread(45.0, 98.0),
}
"""From where the numbers of cameras are drawn: wider than those of phones, so that real ones lie inside."""

CHOICES: dict[str, Sequence[str]] = {
    "demosaicing": ("bilinear", "edge_aware", "malvar"),
    "jpeg_subsampling": ("4:4:4", "4:2:2", "4:2:0"),
    "jpeg_tables": ("standard", "flat", "steep"),
}


def draw_camera(generator: np.random.Generator) -> Camera:
    """A camera all of whose parameters are drawn."""
    drawn: dict[str, Any] = {entry.name: _draw(entry.name, generator) for entry in fields(Camera)}
    return Camera(**drawn)


def vary(camera: Camera, cues: Iterable[str], strength: float, generator: np.random.Generator) -> Camera:
    """A camera that differs from another in some cues alone.

    Args:
        camera: The other.
        cues: Names of `CUES`.
        strength: How far its parameters go to newly drawn ones, from 0 to 1; a choice is drawn among the others.
        generator: Draws them.
    """
    changed: dict[str, Any] = {}
    for name in (parameter for cue in cues for parameter in parameters_of(cue)):
        here = getattr(camera, name)
        if name in CHOICES:
            changed[name] = str(generator.choice([one for one in CHOICES[name] if one != here]))
        else:
            changed[name] = here + strength * (float(_draw(name, generator)) - here)
    return replace(camera, **changed)


def parameters_of(cue: str) -> list[str]:
    """The parameters of a camera that belong to one of `CUES`."""
    return [entry.name for entry in fields(Camera) if entry.metadata["cue"] in CUES[cue].parameters]


def _draw(name: str, generator: np.random.Generator) -> float | str:
    if name in CHOICES:
        return str(generator.choice(CHOICES[name]))
    span = RANGES[name]
    if generator.random() < span.often_low:
        return span.low
    if span.log:
        return float(np.exp(generator.uniform(np.log(span.low), np.log(span.high))))
    return float(generator.uniform(span.low, span.high))
