"""From raw values to an encoded photo: what a camera's processor does, and what happens to the file later.

- white balance for daylight before demosaicing and for the estimated illuminant after it, and a colour matrix that
  undoes the sensor's crosstalk (Ramanath et al. 2005)
- denoising in the root of the signal, where photon noise is even (Anscombe 1948): soft thresholds of two a trous
  wavelet levels (Starck and Murtagh 1994) or a bilateral filter (Tomasi and Manduchi 1998), and blurred chroma
- tone: the curve of sRGB (IEC 61966-2-1), a power and an s-curve; then an unsharp mask
- JPEG by the tables of Annex K (ITU-T T.81) scaled as libjpeg scales them, or by tables of two other shapes
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from .camera import Camera, Design, mosaic_of
from .demosaicing import DEMOSAICING
from .scenes import Array, thrice

Pixels = npt.NDArray[np.uint8]
SENSITIVITY = np.array([0.62, 1.0, 0.7], np.float32)  # of the sensor's colours to a white light
CROSSTALK = np.array([[0.82, 0.15, 0.03], [0.1, 0.8, 0.1], [0.03, 0.2, 0.77]], np.float32)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LEVELS = 1 << 14


def sense(light: Array, illuminant: Array) -> Array:
    """Light (height, width, 3) in a colour (3,) as the sensor's three kinds of pixel see it."""
    return cv2.transform(light, SENSITIVITY[:, None] * CROSSTALK * illuminant)


def _colour_matrix(camera: Camera) -> Array:
    """From balanced sensor colours to linear sRGB, with the camera's saturation and hue."""
    grey = np.repeat(LUMA[None], 3, axis=0)
    axis = np.full(3, 3**-0.5)
    turned, _ = cv2.Rodrigues(axis * np.deg2rad(camera.hue))
    matrix: Array = (grey + camera.saturation * (np.eye(3) - grey)) @ turned @ np.linalg.inv(CROSSTALK)
    return matrix.astype(np.float32)


def balance(colours: Array, camera: Camera, estimate: Array) -> Array:
    """Linear sRGB (height, width, 3), clipped to 0 to 1, of colours balanced for daylight.

    `estimate` (3,) is the illuminant as the camera sees it.
    """
    gains = np.exp(np.array([camera.red_gain, 0, camera.blue_gain])) / estimate
    balanced = np.minimum(cv2.transform(colours, np.diag(gains / gains[1]).astype(np.float32)), 1)
    return np.clip(cv2.transform(balanced, _colour_matrix(camera)), 0, 1)


def _wavelets(luma: Array, threshold: float) -> Array:
    """Luma with the details of two levels drawn towards zero by a threshold, the coarser by half of it."""
    kept = np.zeros_like(luma)
    for deviation, level in ((0.8, threshold), (1.6, threshold / 2)):
        smooth = cv2.GaussianBlur(luma, (0, 0), deviation)
        detail = luma - smooth
        kept += np.sign(detail) * np.maximum(np.abs(detail) - np.float32(level), 0)
        luma = smooth
    return luma + kept


def denoise(linear: Array, camera: Camera, design: Design) -> Array:
    """Linear colours with luma and chroma denoised in their root."""
    root = np.sqrt(linear)
    luma = cv2.transform(root, LUMA[None])
    chroma = root - thrice(luma)
    if camera.chroma_blur > 0:
        chroma = cv2.GaussianBlur(chroma, (0, 0), camera.chroma_blur)
    if design.bilateral:
        luma = cv2.bilateralFilter(luma, 5, 2 * camera.denoise + 1e-4, 1.5)
    else:
        luma = _wavelets(luma, camera.denoise)
    even: Array = np.square(np.maximum(thrice(luma) + chroma, 0))
    return even


@lru_cache(maxsize=8)
def _curve(gamma: float, contrast: float) -> Array:
    """The tone curve at LEVELS values of linear light."""
    linear = np.arange(LEVELS) / (LEVELS - 1)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) ** gamma
    return (value + contrast * (value * value * (3 - 2 * value) - value)).astype(np.float32)


def finish(linear: Array, camera: Camera) -> Pixels:
    """Eight bits (height, width, 3): the tone curve and an unsharp mask of luma."""
    codes = (np.minimum(linear, 1) * (LEVELS - 1) + 0.5).astype(np.uint16)
    toned = _curve(camera.gamma, camera.contrast)[codes]
    luma = cv2.transform(toned, LUMA[None])
    detail = luma - cv2.GaussianBlur(luma, (0, 0), camera.sharpen_radius)
    sharp = toned + thrice(np.float32(camera.sharpen) * detail)
    levels: Array = np.rint(np.clip(sharp, 0, 1) * 255)
    return levels.astype(np.uint8)


def develop(raw: Array, camera: Camera, design: Design, estimate: Array) -> Pixels:
    """What the camera's processor makes of raw values."""
    if design.colour:
        daylight = mosaic_of(np.broadcast_to(1 / SENSITIVITY, (*raw.shape, 3)))
        linear = balance(DEMOSAICING[camera.demosaicing](raw * daylight), camera, estimate)
    else:
        linear = thrice(np.clip(raw, 0, 1))
    return finish(denoise(linear, camera, design), camera)


ANNEX_K = "annex K"
# of each other family: steps at the lowest frequency, their growth, and how much coarser chroma is
SHAPES = {"flat": (12.0, 0.5, 1.3), "steep": (6.0, 1.9, 1.1)}


def _tables(family: str, quality: int) -> list[list[int]]:
    """Tables of luma and chroma (64 each, row by row) of a family, scaled by quality as libjpeg does."""
    start, growth, chroma = SHAPES[family]
    v, u = np.mgrid[:8, :8]
    steps = start * (1 + growth * (np.hypot(u, 1.1 * v) / 2) ** 1.5)
    scale = (5000 / quality if quality < 50 else 200 - 2 * quality) / 100
    return [
        np.clip(np.rint(steps * scale * more), 1, 255).astype(int).ravel().tolist() for more in (1.0, chroma)
    ]


def encode_jpeg(pixels: Pixels, quality: int, tables: str, subsampling: str, colour: bool) -> bytes:
    """A JPEG file; `tables` is ANNEX_K or a name in SHAPES, `subsampling` 4:4:4, 4:2:2 or 4:2:0."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels if colour else pixels[..., 0])
    ours = {} if tables == ANNEX_K else {"qtables": _tables(tables, quality)[: 2 if colour else 1]}
    image.save(buffer, "JPEG", quality=quality if not ours else -1, subsampling=subsampling, **ours)
    return buffer.getvalue()


@dataclass(frozen=True)
class Treatment:
    """What happens to all photos of a dataset later: resized from a larger photo, then saved in another format."""

    resized: float  # by how much the camera's photo is larger
    format: str  # "" where the camera's file is kept, else JPEG, WEBP or PNG
    quality: int

    def of(self, photo: bytes, width: int, height: int) -> bytes:
        """A treated file of a camera's."""
        if not self.format:
            return photo
        image: Image.Image = Image.open(io.BytesIO(photo))
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        buffer = io.BytesIO()
        image.save(buffer, self.format, quality=self.quality)
        return buffer.getvalue()
