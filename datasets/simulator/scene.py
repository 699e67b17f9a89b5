"""What stands before the camera: the moulded underside of a bottle with its seam and its two-line batch code.

A bottle is drawn once, straight and centred, on a canvas a little larger than a photo's frame. Lengths are
fractions of the frame's width, so a bottle looks the same at every size. The two manufacturers' printers differ
slightly in the geometry of their dots and in nothing else; the characters say nothing about the manufacturer.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from camerabias.datasets.simulator.font import CHARACTERS, COLUMNS, ROWS, dots_of
from camerabias.datasets.simulator.streams import SimulatorStream, generator

Plane = NDArray[np.float32]  # a number per canvas pixel, or per column or row where it broadcasts to that

REGIONS: dict[str, int] = {"plastic": 0, "code": 1, "seam": 2}
"""What a pixel shows, by name: flat plastic; the code, up to one dot pitch around each dot's middle; the seam,
outside the code."""

CANVAS_MARGIN = 0.12
"""How far the canvas reaches beyond the frame on each side: enough for every pose and distortion."""

_CHARACTERS_PER_LINE = 5
_LINES = 2
_LINE_GAP = 2.5  # dot pitches between the lines
_PITCH = 0.0285  # tight around the code: 29 pitches are 0.83 of the frame
_EDGE = 0.004  # ink bleeds softly into the plastic over this width
_GLOSS_RADIUS = 0.25


@dataclass(frozen=True)
class Printer:
    """How a manufacturer's printer sets its dots, in units of the dot pitch."""

    diameter: float
    """Mean diameter of a dot."""
    aspect: float
    """Width over height of a dot."""
    row_pitch: float
    """Distance of the rows; that of the columns is 1."""
    jitter: float
    """Standard deviation of a dot's position along each axis."""


PRINTERS: dict[str, Printer] = {
    "manufacturer 1": Printer(diameter=0.72, aspect=0.98, row_pitch=0.97, jitter=0.045),
    "manufacturer 2": Printer(diameter=0.74, aspect=1.07, row_pitch=1.03, jitter=0.060),
}
"""The printers, by label."""


@dataclass(frozen=True)
class Bottle:
    """One bottle: its print, its plastic, and the light it stands in. Angles in radians, lengths in frame widths."""

    printer: Printer
    lines: tuple[str, ...]
    ink: float
    """Light lost in the middle of a dot, a fraction."""
    albedo: tuple[float, float, float]
    """Linear reflectance in red, green and blue."""
    grain: float
    """Relative amplitude of the moulded texture."""
    seam_angle: float
    seam_offset: float
    seam_bend: float
    seam_width: float
    seam_height: float
    """Relative brightness of the seam's lit flank."""
    light_angle: float
    light_gradient: float
    """Relative change of the light across the frame."""
    gloss: float
    """Relative brightness of the broad reflection."""
    gloss_place: tuple[float, float]


@dataclass(frozen=True)
class Canvas:
    """A drawn bottle.

    Attributes:
        radiance: Linear light, float32, shape (side, side, 3), red first, about 0 to 1.
        regions: Codes of `REGIONS`, uint8, shape (side, side).
    """

    radiance: NDArray[np.float32]
    regions: NDArray[np.uint8]


def draw_bottle(seed: int, bottle: int, label: str) -> Bottle:
    """Draw the properties of a bottle at random.

    Args:
        seed: The data set's seed.
        bottle: The bottle's number.
        label: A key of `PRINTERS`.

    Returns:
        The bottle, the same for the same arguments.
    """
    rng = generator(seed, SimulatorStream.BOTTLE, bottle)
    mean = PRINTERS[label]
    printer = Printer(
        diameter=mean.diameter * rng.normal(1.0, 0.04),
        aspect=mean.aspect * rng.normal(1.0, 0.02),
        row_pitch=mean.row_pitch * rng.normal(1.0, 0.007),
        jitter=mean.jitter * rng.uniform(0.8, 1.2),
    )
    characters = rng.choice(list(CHARACTERS), size=(_LINES, _CHARACTERS_PER_LINE))
    tint = rng.normal(0.0, 0.02, size=2)
    return Bottle(
        printer=printer,
        lines=tuple("".join(line) for line in characters),
        ink=rng.uniform(0.70, 0.92),
        albedo=tuple(rng.uniform(0.38, 0.58) * np.array([1 + tint[0], 1.0, 1 + tint[1]])),
        grain=rng.uniform(0.010, 0.022),
        seam_angle=rng.normal(0.0, 0.25),
        seam_offset=rng.uniform(-0.36, 0.36),
        seam_bend=rng.normal(0.0, 0.25),
        seam_width=rng.uniform(0.006, 0.010),
        seam_height=rng.uniform(0.12, 0.30),
        light_angle=rng.uniform(0.0, 2 * np.pi),
        light_gradient=rng.uniform(0.10, 0.35),
        gloss=rng.uniform(0.05, 0.25),
        gloss_place=tuple(rng.uniform(-0.5, 0.5, size=2)),
    )


@lru_cache(maxsize=2)  # the five photos of a bottle follow one another
def draw_canvas(seed: int, bottle: int, label: str, size: int) -> Canvas:
    """Draw a bottle, straight and centred.

    Args:
        seed: The data set's seed.
        bottle: The bottle's number.
        label: A key of `PRINTERS`.
        size: Width of a photo's frame, pixels.

    Returns:
        The canvas; its side is size × (1 + 2 `CANVAS_MARGIN`), rounded. Its arrays are shared: do not write to them.
    """
    properties = draw_bottle(seed, bottle, label)
    rng = generator(seed, SimulatorStream.TEXTURE, bottle)
    dots = code_dots(properties.printer, properties.lines, rng)
    side = round(size * (1 + 2 * CANVAS_MARGIN))
    along = np.asarray((np.arange(side) + 0.5 - side / 2) / size, np.float32)
    x, y = along[None, :], along[:, None]

    ink, near_code = _ink(dots, properties.printer, size, side, rng)
    seam_distance = _seam_distance(properties, x, y)
    shading = _light(properties, x, y) * (1 + properties.grain * _grain(side, rng))
    shading *= 1 + _seam_relief(properties, seam_distance)
    shading *= 1 - properties.ink * ink
    radiance = shading[:, :, None] * np.array(properties.albedo, dtype=np.float32)

    regions = np.full((side, side), REGIONS["plastic"], dtype=np.uint8)
    regions[np.abs(seam_distance) < 2 * properties.seam_width] = REGIONS["seam"]
    regions[near_code] = REGIONS["code"]
    return Canvas(radiance.astype(np.float32), regions)


def code_dots(printer: Printer, lines: tuple[str, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Place the dots of a code, centred on the origin.

    Args:
        printer: The printer that sets them.
        lines: The lines' characters.
        rng: Source of the jitter.

    Returns:
        Positions (x, y) in frame widths, shape (dots, 2).
    """
    grid = np.concatenate(
        [
            dots_of(character) + np.array([place * (COLUMNS + 1), line * (ROWS + _LINE_GAP)])
            for line, characters in enumerate(lines)
            for place, character in enumerate(characters)
        ]
    )
    last = np.array([len(lines[0]) * (COLUMNS + 1) - 2, len(lines) * (ROWS + _LINE_GAP) - _LINE_GAP - 1])
    jittered = grid - last / 2 + rng.normal(0.0, printer.jitter, size=grid.shape)
    return np.asarray(jittered * np.array([1.0, printer.row_pitch]) * _PITCH, np.float32)


def _ink(
    dots: NDArray[np.float32], printer: Printer, size: int, side: int, rng: np.random.Generator
) -> tuple[Plane, NDArray[np.bool_]]:
    """Return how much ink covers each pixel (0 to 1), and which pixels are within a pitch of a dot."""
    centres = dots * size + side / 2
    diameters = printer.diameter * _PITCH * size * rng.normal(1.0, 0.05, size=len(dots))
    stretch = math.sqrt(printer.aspect)
    reach = math.ceil(_PITCH * size) + 1
    span = np.arange(-reach, reach + 1)
    corner = np.floor(centres).astype(int)
    columns, rows = corner[:, :1] + span, corner[:, 1:] + span  # (dots, patch) each
    dx = (columns + 0.5 - centres[:, :1])[:, None, :]
    dy = (rows + 0.5 - centres[:, 1:])[:, :, None]
    distance = np.hypot(dx / stretch, dy * stretch) - diameters[:, None, None] / 2  # (dots, patch, patch)
    edge = max(_EDGE * size, 1.0)  # never sharper than a pixel: dots keep their area at every size
    covered = np.clip(0.5 - distance / edge, 0.0, 1.0).astype(np.float32)

    ink = np.zeros((side, side), dtype=np.float32)
    near = np.zeros((side, side), dtype=np.bool_)
    place = (rows[:, :, None], columns[:, None, :])
    np.maximum.at(ink, place, covered)
    np.logical_or.at(near, place, np.hypot(dx, dy) < _PITCH * size)
    return ink, near


def _seam_distance(bottle: Bottle, x: Plane, y: Plane) -> Plane:
    """Return each pixel's distance from the seam, a gentle arc from left to right; positive below it."""
    cosine, sine = math.cos(bottle.seam_angle), math.sin(bottle.seam_angle)
    along, across = cosine * x + sine * y, cosine * y - sine * x
    return np.asarray(across - bottle.seam_offset - bottle.seam_bend * along**2, np.float32)


def _seam_relief(bottle: Bottle, distance: Plane) -> Plane:
    """Return the relative brightness of a raised line: one flank lit, the other in shade."""
    across = distance / bottle.seam_width
    lit = math.copysign(bottle.seam_height, math.sin(bottle.light_angle))
    return np.asarray(-lit * across * np.exp(0.5 * (1 - across**2)), np.float32)


def _light(bottle: Bottle, x: Plane, y: Plane) -> Plane:
    """Return the smooth part of the light: a gradient and the broad reflection of a lamp in the plastic."""
    toward = math.cos(bottle.light_angle) * x + math.sin(bottle.light_angle) * y
    squared_distance = (x - bottle.gloss_place[0]) ** 2 + (y - bottle.gloss_place[1]) ** 2
    gloss = bottle.gloss * np.exp(-squared_distance / (2 * _GLOSS_RADIUS**2))
    return np.asarray(1 + bottle.light_gradient * toward + gloss, np.float32)


def _grain(side: int, rng: np.random.Generator) -> Plane:
    """Return the texture of moulded plastic: noise of unit variance in octaves, coarse ones stronger."""
    grain = np.zeros((side, side), np.float32)
    power = 0.0
    cells, amplitude = 8, 1.0
    while cells < side:
        octave = rng.standard_normal((cells, cells), dtype=np.float32)
        grain += amplitude * np.asarray(
            cv2.resize(octave, (side, side), interpolation=cv2.INTER_CUBIC), np.float32
        )
        power += amplitude**2
        cells, amplitude = 2 * cells, 0.85 * amplitude
    return np.asarray(grain / math.sqrt(power), np.float32)
