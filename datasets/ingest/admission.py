"""Which photos are taken, and in plain words why not; what is noticed of those that are."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from camerabias.datasets.io.decode import (
    WINDOWLESS,
    ImageError,
    exif_of,
    header_size,
    open_image,
    pages_of,
    to_rgb,
    upright,
)
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.reading.exif import camera_of
from camerabias.datasets.reading.walk import CONVERSIONS

LIMIT_VARIABLE = "CAMERABIAS_MAX_MEGAPIXELS"
MAX_MEGAPIXELS = 500
"""Above the largest sensors of phones (200); a photo of so many takes 1.5 GB while it is read."""

TRANSPARENT, BLANK = "transparent", "blank"

ODD = ("largest", "pages", "seen", "windowless")
"""Of `ImageFacts` what is worth a look once all photos are read, None where nothing is."""

MIN_OPAQUE = 0.01
"""Share of a picture that must be seen through its alpha."""

MIN_CONTRAST = 1.0
"""Standard deviation in gray levels of 255, of a picture averaged down to 32 × 32, that shows anything."""

_NOT_THERE = "there is no such file: put its path right, or drop it"

_BROKEN_LINK = "a broken link: fetch the file that it leads to (dvc pull, git annex get), or drop it"

_RAW_DNG = 50706
"""Tag of a DNG, which else reads as the TIFF of its thumbnail."""

_OTHER_CONTENT = {
    b"<!doctype": "a web page, not a photo: download it again",
    b"<html": "a web page, not a photo: download it again",
    b"<?xml": "XML, not a photo: save it as PNG",
    b"<svg": "a drawing (SVG): save it as PNG",
    b"version https://git-lfs": "a pointer of Git LFS, not the photo: run git lfs pull",
    b"%pdf": "a PDF: save its pages as PNG",
    b"pk\x03\x04": "an archive: unpack it",
}
"""What files named as photos often hold instead, by how they begin, in lower case."""


@dataclass(frozen=True)
class ImageFacts:
    """What a file says of itself.

    Attributes:
        width: In pixels, after EXIF orientation.
        height: In pixels, after EXIF orientation.
        format: As Pillow names it.
        exif_camera: Make and model in EXIF.
        largest: Of 16 bits per value, the largest value in it; None for 8 bits.
        pages: Of several pages or frames, how many; None for one, which is all that is read.
        seen: `TRANSPARENT` or `BLANK`; None where the picture shows something.
        windowless: True of a gray DICOM that does not say which of its values are to be seen; else None.
    """

    width: int
    height: int
    format: str
    exif_camera: str
    largest: int | None
    pages: int | None
    seen: str | None
    windowless: bool | None

    @property
    def odd(self) -> dict[str, Any]:
        """What is worth a look once all photos are read; empty where nothing is."""
        found = {name: getattr(self, name) for name in ODD}
        return {name: value for name, value in found.items() if value is not None}


def read_photo(read: Callable[[str], bytes], path: str) -> tuple[bytes, ImageFacts]:
    """Read a photo's bytes and facts.

    Args:
        read: Gives the bytes at a path.
        path: Of the photo, as its source has it.

    Raises:
        ImageError: It cannot be used: why, and what to do.
    """
    content = _read(read, path)
    ending = posixpath.splitext(path)[1].lower()
    if ending in CONVERSIONS:
        raise ImageError(CONVERSIONS[ending])
    if what := _other_content(content):
        raise ImageError(what)
    return content, inspect_image(content)


def _read(read: Callable[[str], bytes], path: str) -> bytes:
    try:
        return read(path)
    except FileNotFoundError as error:
        broken = bool(error.filename) and os.path.islink(error.filename)
        raise ImageError(_BROKEN_LINK if broken else _NOT_THERE) from None
    except MemoryError:
        raise
    except Exception as error:  # whatever the reader of a source fails in is recorded with the photo
        cause = error.__cause__ if isinstance(error, StorageError) else error
        raise ImageError(_unreadable(cause) or str(error) or type(error).__name__) from error


def _unreadable(cause: BaseException | None) -> str | None:
    """What the number of an operating system's error means for one photo."""
    number = cause.errno if isinstance(cause, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        return "may not be read: give it the right (chmod u+r; its folders u+x), or ask its owner"
    if number in (errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP):
        return _NOT_THERE
    if number == errno.EISDIR:
        return "a folder, not a photo: give the paths of files"
    return None


def _other_content(content: bytes) -> str | None:
    """What a file holds that is no photo, and what to do."""
    if not content:
        return "the file is empty: copy it again"
    if not any(content):
        return "holds only zero bytes: it was probably not written to the end; copy it again"
    if content[:4] == b"II*\0" and content[8:10] == b"CR":
        return CONVERSIONS[".cr2"]
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next((what for known, what in _OTHER_CONTENT.items() if start.startswith(known)), None)


def inspect_image(content: bytes) -> ImageFacts:
    """Decode an image fully (so that a truncated file is found) and return its facts.

    Raises:
        ImageError: It cannot be decoded, is too large or too small, or is a raw.
    """
    _refuse_size(header_size(content))
    with open_image(content) as file:
        _refuse_size(file.size)
        if _RAW_DNG in getattr(file, "tag_v2", ()):
            raise ImageError(CONVERSIONS[".dng"])
        deep = _has_deep_values(file, content)
        image = upright(file)
        seen = _seen(image)
        largest = _largest(image) if deep else None
        kind, camera = file.format or "unknown", camera_of(exif_of(file))
        windowless = file.info.get(WINDOWLESS) or None
        return ImageFacts(image.width, image.height, kind, camera, largest, pages_of(file), seen, windowless)


def _refuse_size(size: tuple[int, int] | None) -> None:
    if size is None:
        return
    width, height = size
    if min(size) < 2:
        raise ImageError(f"{width} × {height} pixels are too few, as 2 × 2 are needed: drop it")
    has, given = width * height / 1e6, os.environ.get(LIMIT_VARIABLE) or str(MAX_MEGAPIXELS)
    try:
        limit = float(given)
    except ValueError:
        raise ImageError(f"{LIMIT_VARIABLE} is {given!r}, where a number of megapixels belongs") from None
    if has > limit:
        raise ImageError(
            f"{has:.0f} megapixels are more than the {limit:g} that are read: scale it down, or set "
            f"{LIMIT_VARIABLE}={-int(-has // 1)} where the import runs"
        )


def _has_deep_values(file: Image.Image, content: bytes) -> bool:
    """Whether a file just opened has 9 to 16 bits per value."""
    if file.format == "PNG":
        return content[24] == 16
    if tags := getattr(file, "tag_v2", None):
        return max(tags.get(ExifTags.Base.BitsPerSample, (1,))) in range(9, 17)
    return any(";16" in str(tile.args) for tile in getattr(file, "tile", ()))  # a PGM


def _largest(image: Image.Image) -> int:
    """Of colours Pillow has kept the upper eight bits, and of those below it is not known which are set."""
    if image.mode.startswith("I"):
        return int(np.asarray(image).max())
    bands = image.getextrema()[: 1 if image.mode == "LA" else 3]
    return 256 * max(int(high) for _, high in bands) + 255  # type: ignore[misc]


def _seen(image: Image.Image) -> str | None:
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if np.asarray(alpha).mean() < 255 * MIN_OPAQUE:
            return TRANSPARENT
    return BLANK if _is_blank(to_rgb(image)) else None


def _is_blank(image: Image.Image) -> bool:
    """Whether an RGB picture, averaged down to 32 × 32, has less than `MIN_CONTRAST`."""
    middle = (0, image.height * 14 / 32, image.width, image.height * 18 / 32)
    # an eighth of values with a standard deviation of s leave all of them one of s / √8 at least: of most pictures
    # four of the 32 rows tell, and the others are not read
    if _contrast(image.resize((32, 4), Image.Resampling.BOX, middle)) > 4 * MIN_CONTRAST:
        return False
    return _contrast(image.resize((32, 32), Image.Resampling.BOX)) < MIN_CONTRAST


def _contrast(image: Image.Image) -> float:
    return float(np.asarray(image.convert("L")).std())
