"""What stands before drawn cameras: bottles, and scenes that have the statistics of other photos.

Every kind has two labels, which differ in what they show and in no property of a camera.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from camerabias.datasets.io.decode import decode
from camerabias.datasets.simulator import LABELS
from camerabias.datasets.simulator.scene import CANVAS_MARGIN, Canvas, Plane, draw_canvas

DISCS = 160
"""Of a scene; later ones hide earlier ones."""

DISPLAY_GAMMA = 2.2
"""Of real photos, undone."""

HIGHEST = 1.4
"""Radiance above which sensors clip: highlights may."""


Pictures = Mapping[str, Sequence[bytes]]
"""Real photos by the simulator's label, encoded."""


@dataclass(frozen=True)
class Scenes:
    """Scenes of one kind.

    Attributes:
        kind: One of `SCENES`.
        size: Width of a photo's frame, pixels.
        pictures: Real photos, for the kind that shows them.
    """

    kind: str
    size: int
    pictures: Pictures

    def draw(self, label: str, generator: np.random.Generator) -> Canvas:
        """A scene of one of the simulator's `LABELS`: its canvas, linear light."""
        if self.kind == "bottles":
            return draw_canvas(int(generator.integers(2**31)), 0, label, self.size)
        side = round(self.size * (1 + 2 * CANVAS_MARGIN))
        if self.kind == "photos":
            radiance = _photographed(self.pictures[label], side, generator)
        else:
            radiance = _PAINTED[self.kind](side, LABELS.index(label), generator)
        exposed = radiance * np.float32(generator.uniform(0.7, 1.2))
        return Canvas(np.clip(exposed, 0, HIGHEST).astype(np.float32), np.zeros((side, side), np.uint8))


def _photographed(pictures: Sequence[bytes], side: int, generator: np.random.Generator) -> Plane:
    """A square of a real photo, turned and mirrored at random, so that its camera's traces differ each time."""
    pixels = decode(pictures[int(generator.integers(len(pictures)))])
    short = min(pixels.shape[:2])
    cut = int(short * generator.uniform(0.7, 1))
    top, left = (int(generator.integers(length - cut + 1)) for length in pixels.shape[:2])
    turned = np.rot90(pixels[top : top + cut, left : left + cut], int(generator.integers(4)))
    mirrored = turned[:, ::-1] if generator.random() < 0.5 else turned
    method = cv2.INTER_AREA if cut > side else cv2.INTER_CUBIC
    scaled = cv2.resize(np.ascontiguousarray(mirrored, np.float32) / 255, (side, side), interpolation=method)
    return np.asarray(np.clip(scaled, 0, 1) ** DISPLAY_GAMMA, np.float32)


def _discs(side: int, label: int, generator: np.random.Generator) -> Plane:
    """Discs that hide one another, of areas by a power law (Lee, Mumford & Huang 2001); squares for one label."""
    image = np.full((side, side, 3), 0.4, np.float32)
    radii = (side * 0.02 * generator.uniform(0.001, 1, DISCS) ** -0.45).astype(int) + 1
    places, colours = generator.integers(side, size=(DISCS, 2)), _colours(DISCS, generator)
    for radius, (x, y), colour in zip(radii.tolist(), places.tolist(), colours.tolist(), strict=True):
        if label:
            cv2.rectangle(image, (x - radius, y - radius), (x + radius, y + radius), colour, cv2.FILLED)
        else:
            cv2.circle(image, (x, y), radius, colour, cv2.FILLED, cv2.LINE_AA)
    return image * (1 + 0.1 * _clouds_plane(side, 1.0, generator)[:, :, None])


def _clouds(side: int, label: int, generator: np.random.Generator) -> Plane:
    """Gaussian fields whose amplitude falls with frequency as in natural images (Field 1987), rougher for a label."""
    slope = 1.6 - 0.4 * label
    fields = [_clouds_plane(side, slope, generator) for _ in range(3)]
    shared = _clouds_plane(side, slope, generator)
    planes = [
        level * np.exp(0.45 * shared + 0.15 * own)
        for level, own in zip(_colours(1, generator)[0], fields, strict=True)
    ]
    return np.stack(planes, axis=-1).astype(np.float32)


def _weave(side: int, label: int, generator: np.random.Generator) -> Plane:
    """Cloth: threads across and along, or diagonal ones, under a light that falls off to a side."""
    along = np.arange(side, dtype=np.float32) / side
    x, y = np.meshgrid(along, along)
    if label:
        x, y = x + y, x - y
    threads = generator.uniform(12, 40)
    pattern = np.sin(2 * np.pi * threads * x) * np.sin(2 * np.pi * threads * y)
    light = (
        1 + generator.uniform(-0.4, 0.4) * (along[:, None] - 0.5) + 0.08 * _clouds_plane(side, 1.2, generator)
    )
    shade = light * (1 + generator.uniform(0.1, 0.5) * pattern)
    return np.asarray(shade[:, :, None] * _colours(1, generator)[0], np.float32)


def _clouds_plane(side: int, slope: float, generator: np.random.Generator) -> Plane:
    """A field of unit variance whose amplitude falls as frequency to the minus slope."""
    across, down = np.meshgrid(np.fft.rfftfreq(side), np.fft.fftfreq(side))
    radius = np.hypot(across, down)
    radius[0, 0] = np.inf
    spectrum = np.fft.rfft2(generator.standard_normal((side, side))) * radius**-slope
    field = np.fft.irfft2(spectrum, (side, side))
    return np.asarray(field / field.std(), np.float32)


def _colours(n: int, generator: np.random.Generator) -> npt.NDArray[np.float32]:
    """Colours in linear light, (n, 3): gray on average."""
    gray = np.exp(generator.uniform(np.log(0.05), np.log(0.8), (n, 1)))
    return np.asarray(np.clip(gray * np.exp(generator.normal(0, 0.3, (n, 3))), 0, 1), np.float32)


_PAINTED: dict[str, Callable[[int, int, np.random.Generator], Plane]] = {
    "discs": _discs,
    "clouds": _clouds,
    "weave": _weave,
}

SCENES = ("bottles", "photos", *_PAINTED, "photos")
"""Kinds of scenes, dealt to bases in turn."""
