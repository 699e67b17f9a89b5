"""What is in front of the camera: scenes in linear light, of seven families with four kinds of content each.

- `leaves`: dead leaves, shapes that occlude each other with radii by a power law (Lee, Mumford and Huang 2001)
- `fractal`: textures of a 1/f spectrum, a sum of octaves of smooth noise (Perlin 1985)
- `text`: printed pages, tables, strokes, handwriting
- `blobs`: bodies with Lambert's shading and Blinn's highlights (Blinn 1977)
- `foliage`: leaves and blades, darker the deeper they lie
- `night`: lights and their glow in the dark
- `xray`: transmission by thickness, exp(-thickness) (Beer and Lambert); all three channels are equal

A scene is a float32 array (height, width, 3) of light in linear sRGB, about 0 to 1, where lamps and highlights are
brighter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]  # of float32, or of numbers drawn in float64
Rng = np.random.Generator
KINDS = 4


def octaves(rng: Rng, height: int, width: int, persistence: float) -> Array:
    """Smooth noise (height, width) of mean 0 and deviation 1; `persistence`: an octave's amplitude by the last's."""
    total: Array = np.zeros((1, 1), np.float32)
    amplitude = 1.0
    for level in reversed(range(max(height, width).bit_length() - 2)):
        size = (-(-height >> level), -(-width >> level))
        total = cv2.resize(total, size[::-1], interpolation=cv2.INTER_LINEAR)
        total = total + np.float32(amplitude) * (rng.random(size, np.float32) - np.float32(0.5))
        amplitude *= persistence
    mean, deviation = cv2.meanStdDev(total)
    even: Array = (total - np.float32(mean[0, 0])) * np.float32(1 / deviation[0, 0])
    return even


def thrice(plane: Array) -> Array:
    """A plane (height, width) as three equal channels, which numpy multiplies faster than it broadcasts."""
    return cv2.merge([plane.astype(np.float32, copy=False)] * 3)


def shaded(scene: Array, gain: Array) -> Array:
    """A scene times a gain (height, width) of each place."""
    return scene * thrice(np.maximum(gain, 0))


def palette(rng: Rng, count: int) -> Array:
    """Reflectances (count, 3) that share a tint, as those of one surrounding do."""
    tint = rng.uniform(0.5, 1.0, 3)
    grey = np.exp(rng.uniform(np.log(0.05), np.log(0.9), (count, 1)))
    colours: Array = np.clip(grey * tint * np.exp(0.28 * rng.standard_normal((count, 3))), 0.02, 0.95)
    return colours.astype(np.float32)


def blend(amount: Array, low: Array, high: Array) -> Array:
    """Colours between two (3,) by an amount (height, width) of 0 to 1."""
    mixed: Array = cv2.merge([amount * (end - start) + start for start, end in zip(low, high, strict=True)])
    return mixed


def radii(rng: Rng, count: int, low: float, high: float) -> npt.NDArray[np.float64]:
    """Radii between two by a density of r ** -3, which makes dead leaves look alike at every scale."""
    return (low**-2 + rng.random(count) * (high**-2 - low**-2)) ** -0.5


def stamp(
    canvas: Array, shape: npt.NDArray[np.float64], places: Array, sizes: Array, turns: Array, colours: Array
) -> None:
    """Fill copies of a polygon (points, 2) about the origin, one over the other."""
    cosine, sine = np.cos(turns), np.sin(turns)
    turned = np.einsum("pj,nij->npi", shape, np.array([[cosine, -sine], [sine, cosine]]).transpose(2, 0, 1))
    points = np.rint(turned * sizes[:, None, None] + places[:, None, :]).astype(np.int32, order="C")
    for polygon, colour in zip(points, colours.tolist(), strict=True):
        cv2.fillPoly(canvas, [polygon], colour)


def polar(
    radius: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]], count: int = 24
) -> npt.NDArray[np.float64]:
    """A polygon (count, 2) by its radius at each angle."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], 1) * radius(angle)[:, None]


LEAVES = [
    polar(np.ones_like),
    polar(np.ones_like, 4),
    polar(np.ones_like, 3),
    polar(lambda angle: np.where(np.arange(len(angle)) % 2, 0.4, 1.0), 10),
]


def leaves(rng: Rng, height: int, width: int, kind: int) -> Array:
    """Discs, squares, triangles or stars."""
    count, side = 260, min(height, width)
    canvas = blend(octaves(rng, height, width, 0.6) * 0.2 + 0.5, *palette(rng, 2))
    places = rng.uniform(0, (width, height), (count, 2))
    sizes = radii(rng, count, 0.025 * side, 0.3 * side)
    stamp(canvas, LEAVES[kind], places, sizes, rng.uniform(0, 6.3, count), palette(rng, count))
    return shaded(canvas, 1 + 0.1 * octaves(rng, height, width, 0.9))


def fractal(rng: Rng, height: int, width: int, kind: int) -> Array:
    """Clouds, grains, ridges or marble."""
    noise = octaves(rng, height, width, (0.5, 0.85, 0.65, 0.55)[kind])
    amount: Array = noise * 0.25 + 0.5
    if kind == 2:
        amount = 1 - np.abs(noise) * 0.6
    if kind == 3:
        across: Array = np.linspace(0, 1, width) * rng.uniform(8, 25)
        across = across + np.linspace(0, 1, height)[:, None] * rng.uniform(-9, 9)
        amount = 0.5 + 0.5 * np.sin(across + 2.5 * noise).astype(np.float32)
    return blend(np.clip(amount, 0, 1), *palette(rng, 2))


def _letters(rng: Rng, ink: npt.NDArray[np.uint8], handwritten: bool) -> None:
    """Lines of letters in one of OpenCV's fonts, printed or handwritten."""
    size = rng.uniform(0.4, 0.9)
    fonts = (
        (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,)
        if handwritten
        else (cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
    )
    font = fonts[rng.integers(len(fonts))]
    for y in np.arange(rng.uniform(5, 25), ink.shape[0] + 20, 34 * size):
        line = "".join(rng.choice(list("etaoinshrdlucmfwypvbgkjqxzETAOINS,.   "), 60))
        cv2.putText(
            ink, line, (int(rng.uniform(-9, 9)), int(y)), font, size, 255, 1 + (size > 0.65), cv2.LINE_AA
        )


def _tables(rng: Rng, ink: npt.NDArray[np.uint8]) -> None:
    """Ruled lines with some of the cells filled."""
    height, width = ink.shape
    rows, columns = np.arange(0, height, rng.integers(12, 30)), np.arange(0, width, rng.integers(20, 60))
    for y in rows:
        cv2.line(ink, (0, int(y)), (width, int(y)), 255, 1)
        for x in columns[rng.random(len(columns)) < 0.35]:
            cv2.rectangle(
                ink, (int(x) + 4, int(y) + 4), (int(x) + int(rng.integers(8, 20)), int(y) + 9), 200, -1
            )
    for x in columns:
        cv2.line(ink, (int(x), 0), (int(x), height), 255, int(rng.integers(1, 3)))


def _bars(rng: Rng, ink: npt.NDArray[np.uint8]) -> None:
    """Blocks of bars of several widths, as printed on goods."""
    height, width = ink.shape
    for top in np.arange(rng.integers(0, 20), height, rng.integers(50, 90)):
        edges = np.cumsum(rng.integers(2, 9, width // 4))
        for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=False):
            ink[top : top + 40, left:right] = 240


def text(rng: Rng, height: int, width: int, kind: int) -> Array:
    """A page of print, a table, bars, or handwriting."""
    ink: npt.NDArray[Any] = np.zeros((height, width), np.uint8)
    if kind in (0, 3):
        _letters(rng, ink, handwritten=kind == 3)
    else:
        (_tables if kind == 1 else _bars)(rng, ink)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-20, 20), rng.uniform(0.9, 1.3))
    ink = cv2.warpAffine(ink, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    paper = rng.uniform(0.55, 0.8) * np.array([1, rng.uniform(0.93, 1), rng.uniform(0.8, 1)])
    colour = rng.uniform(0.02, 0.2, 3)
    grain = 1 + 0.03 * octaves(rng, height, width, 0.9)
    return shaded(blend(ink / np.float32(255), paper.astype(np.float32), colour.astype(np.float32)), grain)


def _normals(kind: int, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Of a body at unit coordinates: where it is, and its normal's parts along x and y.

    A sphere, a rod along x, a ring, or a cone.
    """
    r = np.hypot(x, y) + 1e-6
    if kind == 1:
        return (np.abs(y) < 0.3) & (np.abs(x) < 1), 0 * x, y / 0.3
    if kind == 2:
        tube = (r - 0.68) / 0.32
        return np.abs(tube) < 1, tube * x / r, tube * y / r
    return r < 1, *((x, y) if kind == 0 else (0.75 * x / r, 0.75 * y / r))


def blobs(rng: Rng, height: int, width: int, kind: int) -> Array:
    """Spheres, rods, rings or cones before a soft wall, lit by one lamp."""
    canvas = blend(octaves(rng, height, width, 0.4) * 0.15 + 0.5, *palette(rng, 2))
    lamp = np.array([*rng.uniform(-0.7, 0.7, 2), 1.0])
    lamp = (lamp / np.linalg.norm(lamp)).astype(np.float32)
    half = lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    gloss, shine = rng.uniform(10, 80), rng.uniform(0.1, 0.9)
    for colour in palette(rng, int(rng.integers(4, 9))):
        size, turn = rng.uniform(0.1, 0.32) * min(height, width), rng.uniform(0, 6.3)
        cx, cy = rng.uniform(0, width), rng.uniform(0, height)
        top, left = max(0, int(cy - size)), max(0, int(cx - size))
        window = canvas[top : int(cy + size) + 1, left : int(cx + size) + 1]
        dy, dx = np.mgrid[: window.shape[0], : window.shape[1]].astype(np.float32)
        dy, dx = (dy + (top - cy)) / size, (dx + (left - cx)) / size
        cosine, sine = float(np.cos(turn)), float(np.sin(turn))
        inside, nu, nv = _normals(kind, dx * cosine + dy * sine, dy * cosine - dx * sine)
        nx, ny = nu * cosine - nv * sine, nu * sine + nv * cosine
        nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0, 1))
        normals = cv2.merge([nx, ny, nz])
        lit, facing = np.clip(cv2.split(cv2.transform(normals, np.stack([lamp, half]))), 0, 1)
        body = blend(0.15 + 0.9 * lit, np.zeros(3, np.float32), colour) + thrice(shine * facing**gloss)
        np.copyto(window, body, where=inside[..., None])
    return shaded(canvas, 1 + 0.03 * octaves(rng, height, width, 0.95))


FOLIAGE = [
    np.array([[0, -0.06], [2.2, 0.03], [2.4, 0.1], [0, 0.06]]),
    polar(lambda angle: 0.8 + 0.2 * np.cos(angle)),
    polar(lambda angle: 0.25 + 0.75 * np.abs(np.cos(angle)) ** 3),
    polar(lambda angle: 0.55 + 0.45 * np.cos(5 * angle), 40),
]


def foliage(rng: Rng, height: int, width: int, kind: int) -> Array:
    """Blades of grass, round leaves, narrow leaves or lobed leaves."""
    count, side = (420, 220, 300, 200)[kind], min(height, width)
    green = rng.uniform(0.3, 0.5) * np.array([rng.uniform(0.45, 1.1), 1, rng.uniform(0.2, 0.45)])
    depth = np.linspace(0.15, 1, count)[:, None] * np.exp(0.25 * rng.standard_normal((count, 1)))
    colours = np.clip(green * depth * np.exp(0.15 * rng.standard_normal((count, 3))), 0.005, 0.9)
    canvas = shaded(np.full((height, width, 3), 0.03, np.float32), 1 + 0.3 * octaves(rng, height, width, 0.7))
    turns = rng.normal(rng.uniform(0, 6.3), 0.5, count) if kind == 0 else rng.uniform(0, 6.3, count)
    places, sizes = rng.uniform(0, (width, height), (count, 2)), rng.uniform(0.06, 0.17, count) * side
    stamp(canvas, FOLIAGE[kind], places, sizes, turns, colours)
    return shaded(canvas, 1 + 0.12 * octaves(rng, height, width, 0.85))


def _lamps(rng: Rng, light: Array, kind: int) -> None:
    """Draw what shines: round lamps, windows, tracks or a moon."""
    height, width = light.shape[:2]
    side = min(height, width)
    warm = np.array([1.0, 0.75, 0.45])
    for _ in range((25, 5, 22, 1)[kind]):
        colour = (warm ** rng.uniform(-0.5, 1.5) * rng.uniform(0.3, 1.5)).tolist()
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        if kind == 1:
            step, on = int(side * rng.uniform(0.03, 0.06)) + 3, rng.random((9, 5)) < 0.5
            for row, column in np.argwhere(on).tolist():
                corner = (x + column * step, y + row * step)
                cv2.rectangle(light, corner, (corner[0] + step // 2, corner[1] + step // 2 + 1), colour, -1)
        elif kind == 2:
            angle, length = rng.normal(0.2, 0.15), rng.uniform(0.2, 0.9) * side
            end = (int(x + length * np.cos(angle)), int(y + length * np.sin(angle)))
            cv2.line(light, (x, y), end, colour, int(rng.integers(1, 4)))
        else:
            cv2.circle(
                light, (x, y), int(side * (rng.uniform(0.008, 0.04) if kind == 0 else 0.2)) + 1, colour, -1
            )


def night(rng: Rng, height: int, width: int, kind: int) -> Array:
    """Lamps, windows, tracks of light or a moon, each with its glow."""
    sky = (
        np.exp(0.5 * octaves(rng, height, width, 0.7))
        * np.linspace(0.02, rng.uniform(0.02, 0.06), height)[:, None]
    )
    light = np.zeros((height, width, 3), np.float32)
    _lamps(rng, light, kind)
    small = cv2.resize(light, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    light += 0.4 * cv2.resize(cv2.GaussianBlur(small, (0, 0), min(height, width) * 0.02), (width, height))
    return shaded(np.full((height, width, 3), (0.8, 0.9, 1.2), np.float32), sky) + light


def _bones(rng: Rng, thick: Array, kind: int) -> None:
    """Add thickness: ribs, one long bone, rays of short bones, or teeth."""
    height, width = thick.shape
    side = min(height, width)
    if kind == 0:
        for y in np.arange(rng.uniform(0, 0.1), 1.1, rng.uniform(0.1, 0.16)) * height:
            for sign in (-1, 1):
                centre = (int(width / 2 + sign * 0.24 * width), int(y))
                axes = (int(0.26 * width), int(rng.uniform(0.1, 0.16) * height))
                cv2.ellipse(thick, centre, axes, sign * 12, 180, 360, 0.8, max(2, side // 28))
        cv2.line(thick, (width // 2, 0), (width // 2, height), 1.4, side // 9)
        return
    count = (0, 1, 5, 8)[kind]
    spread = np.linspace(-0.5, 0.5, count) if count > 1 else rng.uniform(-0.25, 0.25, 1)
    for offset in spread:
        x, lean = width * (0.5 + 0.8 * offset), offset * 0.5 + rng.normal(0, 0.06)
        length = height * (0.9, 0.9, 0.22, 0.3)[kind] * rng.uniform(0.85, 1.1)
        for start in (0.05, 0.33, 0.62) if kind == 2 else (rng.uniform(0.05, 0.2),):
            a = np.array([x + lean * start * side, start * height])
            b = a + length * np.array([np.sin(lean), np.cos(lean)])
            broad = max(2, int(side * (0.1, 0.13, 0.06, 0.09)[kind]))
            cv2.line(thick, a.astype(int).tolist(), b.astype(int).tolist(), 1.1, broad)
            if kind != 3:
                cv2.circle(thick, a.astype(int).tolist(), int(broad * 0.8), 1.2, -1)
                cv2.circle(thick, b.astype(int).tolist(), int(broad * 0.8), 1.2, -1)


def xray(rng: Rng, height: int, width: int, kind: int) -> Array:
    """Ribs, one long bone, rays of short bones or teeth, bright where they are thick."""
    bones: Array = np.zeros((height, width), np.float32)
    _bones(rng, bones, kind)
    bones = cv2.GaussianBlur(bones, (0, 0), min(height, width) * 0.012)
    tissue = 1.3 + 0.35 * octaves(rng, height, width, 0.55)
    light = 1 - np.exp(-0.35 * np.clip(tissue, 0.1, 4) - rng.uniform(0.5, 1.0) * bones)
    return thrice(light**1.8)


FAMILIES: dict[str, Callable[[Rng, int, int, int], Array]] = {
    "leaves": leaves,
    "fractal": fractal,
    "text": text,
    "blobs": blobs,
    "foliage": foliage,
    "night": night,
    "xray": xray,
}


def render(rng: Rng, family: str, kind: int, height: int, width: int) -> Array:
    """A scene of a family and kind, in uneven light, its mean near 0.2 (near 0.05 at night)."""
    scene = FAMILIES[family](rng, height, width, kind)
    angle, slope = rng.uniform(0, 6.3), rng.uniform(0, 0.5)
    along = np.linspace(-0.5, 0.5, width) * np.cos(angle) + np.linspace(-0.5, 0.5, height)[:, None] * np.sin(
        angle
    )
    target = (0.05 if family == "night" else 0.35 if family == "text" else 0.2) * 2 ** rng.normal(0, 0.25)
    return shaded(scene, (1 + slope * along) * (target / max(float(scene.mean()), 1e-6)))
