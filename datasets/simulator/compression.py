"""JPEG: quality, chroma subsampling and quantisation tables, with the camera's name in EXIF."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from camerabias.datasets.io.jpeg import CHROMA_STEPS, LUMA_STEPS

# How strongly a table rises with frequency: the exponent on the standard's steps over their geometric mean.
_STEEPNESS = {"flat": 0.6, "standard": 1.0, "steep": 1.3}


def quantisation_tables(tables: str, quality: float) -> list[list[int]]:
    """Return a camera's quantisation tables.

    The base tables are scaled as the Independent JPEG Group's library does: by 5000 / quality per cent below
    quality 50, by 200 - 2 × quality per cent from there.

    Args:
        tables: `standard`, `flat` or `steep`.
        quality: 1 to 100; rounded.

    Returns:
        Luma and chroma table, 64 steps from 1 to 255 each, row by row.
    """
    whole = round(quality)
    percent = 5000 // whole if whole < 50 else 200 - 2 * whole
    return [
        np.clip((_with_steepness(base, _STEEPNESS[tables]) * percent + 50) // 100, 1, 255)
        .astype(int)
        .ravel()
        .tolist()
        for base in (np.array(LUMA_STEPS), np.array(CHROMA_STEPS))
    ]


def _with_steepness(base: NDArray[np.int64], exponent: float) -> NDArray[np.int64]:
    mean = np.exp(np.log(base).mean())
    return np.asarray(np.rint(mean * (base / mean) ** exponent), np.int64)


def encode(pixels: NDArray[np.uint8], tables: str, quality: float, subsampling: str, camera: str) -> bytes:
    """Encode a photo as JPEG.

    Args:
        pixels: uint8, shape (height, width, 3), red first.
        tables: See `quantisation_tables`.
        quality: See `quantisation_tables`.
        subsampling: Of the chroma, `4:4:4`, `4:2:2` or `4:2:0`.
        camera: Its name, written as EXIF make and model.

    Returns:
        The file's bytes.
    """
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = camera
    exif[ExifTags.Base.Model] = camera
    file = io.BytesIO()
    Image.fromarray(pixels).save(
        file, "JPEG", qtables=quantisation_tables(tables, quality), subsampling=subsampling, exif=exif
    )
    return file.getvalue()
