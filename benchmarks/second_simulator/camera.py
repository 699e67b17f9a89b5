"""A camera: its parameters, its lens and its sensor, from a scene to the raw values of a Bayer mosaic.

- lens: one radial term of distortion (Brown 1966), lateral chromatic aberration as a magnification per channel, a
  Gaussian or disc point spread, vignetting by the fourth power of a cosine
- sensor: photon, read and pattern noise, the dark offset and quantisation of EMVA 1288 (release 4), and hot pixels

Scenes are rendered at twice the photo's resolution with a margin of `MARGIN`, so that a lens sees past the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from .scenes import Array, Rng

SUPERSAMPLED, MARGIN = 2, 1.12
APERTURE = 0.29  # the deviation of a pixel's own square, in pixels


@dataclass(frozen=True)
class Camera:
    """What is drawn per camera; each planted cue changes the fields of its paragraph."""

    # white balance: errors of the estimated illuminant (natural logarithm), then the colour matrix
    red_gain: float
    blue_gain: float
    saturation: float
    hue: float  # degrees
    # noise: electrons
    full_well: float
    read_noise: float
    # sensor pattern: deviation of pixels' gains, share of hot pixels, deviation of columns' offsets (of white)
    pattern_seed: int
    pixel_gain: float
    hot_pixels: float
    column_offset: float
    # JPEG: quality by the scale of libjpeg, family of tables, chroma subsampling
    quality: int
    tables: str
    subsampling: str
    # denoising and sharpening: thresholds in the root of the signal, chroma blur and radius in pixels
    denoise: float
    chroma_blur: float
    sharpen: float
    sharpen_radius: float
    # blur: pixels
    blur: float
    # vignetting: share of the light lost in the corners
    vignetting: float
    # geometry: displacement of the corners, as a share of their distance from the centre
    distortion: float
    # demosaicing: a name in DEMOSAICING
    demosaicing: str
    # chromatic aberration: displacement of the corners, in pixels of a photo whose half diagonal is 90
    red_shift: float
    blue_shift: float
    # tone
    gamma: float
    contrast: float


@dataclass(frozen=True)
class Design:
    """What a dataset's cameras share: bits and black level, sensor in colour, shape of blur, kind of denoising."""

    bits: int
    black: int
    colour: bool
    disc: bool
    bilateral: bool


def scene_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which to render the scene of a photo."""
    return int(height * MARGIN) * SUPERSAMPLED, int(width * MARGIN) * SUPERSAMPLED


def _radius(height: int, width: int) -> tuple[Array, Array, Array]:
    """Of each pixel: x and y from the centre, in pixels, and the distance, where a corner's is 1."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x - (width - 1) / 2, y - (height - 1) / 2
    return x, y, np.hypot(x, y) / np.float32(np.hypot(height, width) / 2)


@lru_cache(maxsize=8)
def _lens(camera: Camera, height: int, width: int) -> tuple[list[tuple[Array, Array]], Array]:
    """Where each channel of each pixel looks in the scene, and the share of light that arrives."""
    x, y, r = _radius(height, width)
    rows, columns = scene_size(height, width)
    maps = []
    for shift in (camera.red_shift, 0.0, camera.blue_shift):
        scale = SUPERSAMPLED * (1 + camera.distortion * r * r + np.float32(shift / 90))
        maps.append((x * scale + np.float32((columns - 1) / 2), y * scale + np.float32((rows - 1) / 2)))
    tangent = np.sqrt((1 - camera.vignetting) ** -0.5 - 1)
    return maps, (1 + (tangent * r) ** 2) ** np.float32(-2)


def expose(scene: Array, camera: Camera, design: Design, focus: float, height: int, width: int) -> Array:
    """The light (height, width, 3) on the sensor; `focus` multiplies the lens's blur."""
    deviation = SUPERSAMPLED * float(np.hypot(camera.blur * focus, APERTURE))
    if design.disc:
        reach = int(np.ceil(2 * deviation))
        y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
        disc = np.clip(
            2 * deviation + 0.5 - np.hypot(x, y), 0, 1
        )  # a disc's deviation along a line is half its radius
        scene = cv2.filter2D(scene, -1, disc / disc.sum())
    else:
        scene = cv2.GaussianBlur(scene, (0, 0), deviation)
    maps, share = _lens(camera, height, width)
    channels = cv2.split(scene)
    seen = [
        cv2.remap(channel, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        for channel, where in zip(channels, maps, strict=True)
    ]
    return cv2.merge([channel * share for channel in seen])


def mosaic_of(light: Array) -> Array:
    """The mosaic (height, width) of three channels: red first, blue across from it."""
    mosaic = light[..., 1].copy()
    mosaic[::2, ::2] = light[::2, ::2, 0]
    mosaic[1::2, 1::2] = light[1::2, 1::2, 2]
    return mosaic


@lru_cache(maxsize=8)
def _pattern(camera: Camera, height: int, width: int) -> tuple[Array, Array]:
    """Of each pixel its gain and its offset, as a share of white."""
    rng = np.random.default_rng([camera.pattern_seed, height, width])
    gain = 1 + camera.pixel_gain * rng.standard_normal((height, width), np.float32)
    offset = np.repeat(camera.column_offset * rng.standard_normal((1, width), np.float32), height, axis=0)
    hot = rng.random((height, width)) < camera.hot_pixels
    return gain, offset + hot * rng.uniform(0.1, 0.8, (height, width)).astype(np.float32)


def read_out(mosaic: Array, camera: Camera, design: Design, rng: Rng) -> Array:
    """Linear raw values (height, width), 1 where the sensor is full: light as it is counted and quantised."""
    gain, offset = _pattern(camera, *mosaic.shape)
    electrons = rng.poisson(np.maximum(mosaic, 0) * gain * camera.full_well).astype(np.float32)
    electrons += camera.read_noise * rng.standard_normal(mosaic.shape, np.float32)
    white = (1 << design.bits) - 1
    codes = np.rint(design.black + (electrons / camera.full_well + offset) * (white - design.black))
    raw: Array = (np.clip(codes, 0, white) - design.black) / (white - design.black)
    return raw.astype(np.float32)
