"""Encoded bytes to 8-bit RGB pixels, whatever the file holds, and the facts that EXIF and headers tell."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

NO_EXIF_CAMERA = "no EXIF"
"""Camera of a photo whose EXIF names neither make nor model."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImageFacts:
    """What a file says of itself: size in pixels after EXIF orientation, format, EXIF camera."""

    width: int
    height: int
    format: str
    exif_camera: str


def decode(content: bytes) -> Pixels:
    """Decode an image file.

    EXIF orientation is applied, so that the picture stands as a viewer shows it. Gray is repeated over three
    channels, 16 bits are scaled to 8, transparency is laid over white, CMYK and palettes become RGB.

    Args:
        content: Bytes of any format that Pillow reads.

    Returns:
        uint8 array (height, width, 3), RGB.

    Raises:
        OSError, ValueError, SyntaxError: Pillow's own words on why it cannot be decoded.
    """
    image, _ = _load(content)
    return np.asarray(_to_rgb(image))


def decode_as_stored(content: bytes) -> Pixels:
    """Decode an image file as `decode` does, but ignore EXIF orientation: the picture lies as on the sensor."""
    _, file = _load(content)
    return np.asarray(_to_rgb(file))


def stored_size(content: bytes) -> tuple[int, int]:
    """Height and width of what `decode_as_stored` gives, from the header alone; raises as `decode`."""
    with Image.open(io.BytesIO(content)) as file:
        return file.height, file.width


def inspect_image(content: bytes) -> ImageFacts:
    """Decode an image fully (so that a truncated file is found) and return its facts; raises as `decode`."""
    image, file = _load(content)
    _to_rgb(image)
    if min(image.size) < 2:
        raise ValueError(f"{image.width} × {image.height} pixels have no halves")
    return ImageFacts(image.width, image.height, file.format or "unknown", _exif_camera(exif_of(file)))


def _load(content: bytes) -> tuple[Image.Image, Image.Image]:
    """The picture as it stands, and the file it comes from, whose EXIF and format a turned copy lacks."""
    try:
        file = Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        raise OSError("no image format that can be read") from None  # Pillow would name a memory address
    with file:
        file.load()
        exif_of(file)
        return ImageOps.exif_transpose(file), file


def exif_of(file: Image.Image) -> Image.Exif:
    """EXIF of a file; damaged EXIF says nothing, as in viewers, and does not cost the picture."""
    try:
        return file.getexif()
    except Exception:  # noqa: BLE001 - Pillow's reader fails in many ways
        return Image.Exif()


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("floating-point pixels do not say how bright white is; save them with 8 or 16 bits")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_deep_gray(image).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _from_deep_gray(image: Image.Image) -> Image.Image:
    """16-bit gray to 8 bits; Pillow's own conversion clips at 255 instead of scaling."""
    values = np.asarray(image).astype(np.float64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(f"gray values from {values.min():g} to {values.max():g} are outside 16 bits")
    return Image.fromarray((values / 257).round().astype(np.uint8))


def _exif_camera(exif: Image.Exif) -> str:
    make = str(exif.get(ExifTags.Base.Make, "")).strip(" \0")
    model = str(exif.get(ExifTags.Base.Model, "")).strip(" \0")
    if model.lower().startswith(make.lower()):  # "NIKON" "NIKON D70" is one name, not two
        make = ""
    return f"{make} {model}".strip() or NO_EXIF_CAMERA
