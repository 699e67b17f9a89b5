"""Encoded bytes to 8-bit RGB pixels, whatever the file holds beside them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, PngImagePlugin, UnidentifiedImageError

from camerabias.datasets.io.salvage import PNG_SIGNATURE, without_metadata
from camerabias.datasets.schema import CamerabiasError

Pixels = npt.NDArray[np.uint8]

MAX_TEXT = 2**28
"""Bytes that texts and colour profiles of a PNG may unpack to; some programs write megabytes of history."""

WINDOWLESS = "windowless"
"""In `info` of an open DICOM: whether it is gray, and does not say which of its values are to be seen."""

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

_SIGNATURES = (b"\xff\xd8\xff", PNG_SIGNATURE, b"II*\0", b"MM\0*", b"GIF8", b"RIFF", b"BM")

_READ_WHOLE = (PNG_SIGNATURE, b"II", b"MM")
"""How PNG and TIFF begin, which are read whole as they are opened."""

_DAMAGED = "the file is damaged or cut short ({}): copy it again, or save it anew from another program"

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture is turned to stand as a viewer shows it, by EXIF orientation."""


class ImageError(CamerabiasError):
    """An image file that cannot be used: why, and what to do."""


def decode(content: bytes) -> Pixels:
    """Decode an image file.

    EXIF orientation is applied, so that the picture stands as a viewer shows it. Gray is repeated over three
    channels, 16 bits are scaled to 8, transparency is laid over white, CMYK and palettes become RGB.

    Args:
        content: Bytes of any format that Pillow reads; of HEIC and DICOM where the extras `heic` and `dicom` are
            installed.

    Returns:
        uint8 array (height, width, 3), RGB.

    Raises:
        ImageError: It cannot be decoded.
    """
    with open_image(content) as file:
        return np.asarray(to_rgb(upright(file)))


def decode_as_stored(content: bytes) -> Pixels:
    """Decode an image file as `decode` does, but ignore EXIF orientation: the picture lies as on the sensor."""
    with open_image(content) as file:
        file.load()
        return np.asarray(to_rgb(file))


def stored_size(content: bytes) -> tuple[int, int]:
    """Height and width of what `decode_as_stored` gives, from the header alone; raises as `decode`."""
    with open_image(content) as file:
        return file.height, file.width


def header_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG or TIFF, which `open_image` decodes at once; None of others, or without a header."""
    if not content.startswith(_READ_WHOLE):
        return None
    with _without_limits(), warnings.catch_warnings(), suppress(Exception):
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(content)) as file:
            return file.size
    return None


@contextmanager
def open_image(content: bytes) -> Iterator[Image.Image]:
    """An image file, its header read, and of PNG and TIFF all of it.

    What Pillow warns of names no file, and its limits are made for servers; neither holds within the block.

    Raises:
        ImageError: It cannot be opened, or Pillow fails within the block.
    """
    with _without_limits(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with _open(content) as file:
                yield file
        except (CamerabiasError, MemoryError):
            raise
        # Pillow's decoders fail in many ways; each is a property of this file
        except Exception as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise ImageError(_DAMAGED.format(said)) from error


@contextmanager
def _without_limits() -> Iterator[None]:
    before = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY
    Image.MAX_IMAGE_PIXELS = None
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY = before


def _open(content: bytes) -> Image.Image:
    brands = _brands(content)
    if is_dicom(content):
        return _from_dicom(content)
    if b"avif" not in brands and _HEIF_BRANDS & brands:
        _read_heif_too()
    try:
        return _read(content)
    except Exception:
        if saved := _from_avif(content) if b"avif" in brands else _without_metadata(content):
            return saved
        raise


def _read(content: bytes) -> Image.Image:
    try:
        file = Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        # Pillow would name a memory address
        if content.startswith(_SIGNATURES) or _brands(content):
            raise ImageError(_DAMAGED.format("its header")) from None
        raise ImageError("no image format that can be read: save it as JPEG, PNG or TIFF") from None
    if file.format in ("PNG", "TIFF"):
        file.load()  # reads what stands behind the pixels, too
    return file


def _without_metadata(content: bytes) -> Image.Image | None:
    changed = without_metadata(content)
    if changed is None:
        return None
    with suppress(Exception):  # then why the file itself cannot be read is said
        return _read(changed)
    return None


def _brands(content: bytes) -> set[bytes]:
    """What a file of the family of HEIC and AVIF says that it is."""
    if content[4:8] != b"ftyp":
        return set()
    names = content[8 : int.from_bytes(content[:4], "big")]
    return {names[at : at + 4] for at in range(0, min(len(names), 256), 4)}


def _read_heif_too() -> None:
    try:
        import pillow_heif
    except ImportError:
        raise ImageError(
            "HEIC is read with an extra (pip install 'camerabias[heic]', on every machine); or save all photos as "
            "JPEG with one program"
        ) from None
    pillow_heif.register_heif_opener()


def is_dicom(content: bytes) -> bool:
    """Whether a file says that it is DICOM, whatever it is called."""
    return content[128:132] == b"DICM"


def _from_dicom(content: bytes) -> Image.Image:
    """The first frame of a DICOM file as its window shows it, with the device that made it as in EXIF."""
    try:
        from pydicom import dcmread
    except ImportError:
        raise ImageError(
            "DICOM is read with an extra (pip install 'camerabias[dicom]', on every machine); or save all photos as "
            "PNG with one program"
        ) from None
    header = dcmread(io.BytesIO(content))
    if "PixelData" not in header:
        raise ImageError("a DICOM file without a picture: drop it")
    for name in ("RescaleSlope", "RescaleIntercept"):
        if name in header and header[name].is_empty:  # pydicom would multiply by it
            del header[name]
    image = Image.fromarray(_shown(header))
    image.format = "DICOM"
    image.info[WINDOWLESS] = "MONOCHROME" in header.PhotometricInterpretation and not _has_window(header)
    image.n_frames = int(header.get("NumberOfFrames") or 1)  # type: ignore[attr-defined]
    exif = image.getexif()
    exif[ExifTags.Base.Make] = str(header.get("Manufacturer") or "")
    exif[ExifTags.Base.Model] = str(header.get("ManufacturerModelName") or "")
    return image


def _shown(header: Any) -> Pixels:
    """Pixels of a DICOM's first frame, 8 bits: gray through its rescaling and window, with black as 0."""
    from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
    from pydicom.pixels.utils import pixel_array

    _refuse_compression(header.file_meta.TransferSyntaxUID)
    stored = pixel_array(header, index=0)  # of YBR, RGB
    if header.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, header)
        return _in_eight_bits(stored, 0, np.iinfo(stored.dtype).max)
    if stored.ndim == 3:
        return _in_eight_bits(stored, 0, 2**header.BitsStored - 1)
    values = apply_modality_lut(stored, header)
    ends = _shades(header) if _has_window(header) else (values.min(), values.max())
    gray = _in_eight_bits(apply_voi_lut(values, header), *ends)
    return 255 - gray if header.PhotometricInterpretation == "MONOCHROME1" else gray


def _refuse_compression(syntax: Any) -> None:
    """Refuse what nothing installed decodes; pydicom itself fails in the same way on damaged files."""
    from pydicom.pixels.decoders.base import get_decoder

    try:
        known = get_decoder(syntax).is_available
    except NotImplementedError:
        known = False
    if not known:
        raise ImageError(
            f"DICOM compressed as {syntax.name} cannot be read here: save it uncompressed (gdcmconv --raw), or "
            "install pylibjpeg with its plugins, on every machine"
        )


def _has_window(header: Any) -> bool:
    """Whether a DICOM says which values are to be seen; of others viewers show all that are there."""
    window = header.get("WindowCenter"), header.get("WindowWidth")
    return bool(header.get("VOILUTSequence")) or None not in window


def _shades(header: Any) -> tuple[float, float]:
    """Darkest and brightest value that a DICOM's window gives, as pydicom's helpers have it."""
    if table := header.get("VOILUTSequence") or header.get("ModalityLUTSequence"):
        return 0, 2 ** table[0].LUTDescriptor[2] - 1
    levels, signed = 2**header.BitsStored, header.PixelRepresentation
    ends = (-levels // 2, levels // 2 - 1) if signed else (0, levels - 1)
    slope, intercept = header.get("RescaleSlope"), header.get("RescaleIntercept")
    if slope is None or intercept is None:
        return ends
    low, high = (float(end * slope + intercept) for end in ends)
    return low, high


def _in_eight_bits(values: npt.NDArray[Any], low: float, high: float) -> Pixels:
    scaled = (values.astype(np.float64) - low) * (255 / ((high - low) or 1))  # all of one value are black
    return scaled.clip(0, 255).round().astype(np.uint8)


def _from_avif(content: bytes) -> Image.Image | None:
    """An AVIF whose EXIF Pillow stumbles over as it opens it; OpenCV gives the same pixels."""
    pixels = cv2.imdecode(
        np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if pixels is None:
        return None
    image = Image.fromarray(pixels)
    image.format = "AVIF"
    return image


def pages_of(file: Image.Image) -> int | None:
    """Pages of a TIFF or frames of an animation, of which the first is read; None of one alone.

    To be asked last of an open file, as it leaves the first page. Those of a phone's MPO are its own previews.
    """
    if file.format == "MPO":
        return None
    with suppress(Exception):  # a chain that is broken behind the first page costs no picture
        n = int(getattr(file, "n_frames", 1))
        return n if n > 1 else None
    return None


def exif_of(file: Image.Image) -> Image.Exif:
    """EXIF of a file; of damaged EXIF what stands before the damage, as in viewers."""
    with suppress(Exception):  # Pillow's reader fails in many ways; none costs the picture
        return file.getexif()
    return file.getexif()  # is not read twice


def exif_value(exif: Image.Exif, tag: int) -> Any:
    """What EXIF holds under a tag, of whatever type; None where there is none, or it cannot be read."""
    with suppress(Exception):  # values are read when they are asked for
        return exif.get(tag)
    return None


def upright(file: Image.Image) -> Image.Image:
    """The picture of an open file as a viewer shows it; EXIF is only read, as not all of it can be written again."""
    file.load()
    turn = _TURNS.get(exif_value(exif_of(file), ExifTags.Base.Orientation))
    return file if turn is None else file.transpose(turn)


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as `decode` gives it.

    Raises:
        ImageError: Its values do not say how bright white is.
    """
    if image.mode == "F":
        raise ImageError("floating-point pixels do not say how bright white is: save them with 8 or 16 bits")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_deep_gray(image).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")  # a copy of a large photo is a gigabyte


def _from_deep_gray(image: Image.Image) -> Image.Image:
    """16-bit gray to 8 bits; Pillow's own conversion clips at 255 instead of scaling."""
    values = np.asarray(image).astype(np.float64)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError(
            f"gray values from {values.min():g} to {values.max():g} are outside 16 bits: scale them to 0 to 65535"
        )
    return Image.fromarray((values / 257).round().astype(np.uint8))
