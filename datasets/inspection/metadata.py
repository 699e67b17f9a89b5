"""What every file tells without being looked at: its size, JPEG tables and EXIF; and a hash to find its twins by.

These facts are what a design is checked by (`analysis.design`) before anything is trained.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Container
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import ExifTags, Image, JpegImagePlugin

from camerabias.datasets.dataset import Dataset, read_images
from camerabias.datasets.inspection.kept import keep, kept
from camerabias.datasets.io.decode import open_image, pages_of, to_rgb, upright
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.exif import exif_text
from camerabias.datasets.schema import FACTS_FILE, Fit
from camerabias.datasets.views.fit import fit_factor

FACTS_COLUMNS = ("image_id", "label", "camera", "group", "fold", "split", "width", "height", "format", "path")
"""What the facts take over from the index, which knows no path of simulated photos."""

COMPUTED = {"tables": object, "exif": object, "hash": np.uint64, "detail": object, "pages": object}
"""What else the facts hold of a file, and its type."""

DETAIL_SIDE = 32
"""Side in pixels of the detail that near-duplicates are compared by: at 16, scenes that look alike are alike."""

DETAIL_BLUR = 2.0
"""Standard deviation in such pixels of what is not detail: the background, which a hash has seen already."""

HASH_SIDE = 32
"""Side in pixels of what is hashed: four times what 8 × 8 frequencies need, so that fine detail is averaged away."""

EXIF_FIELDS = {
    "Make": ExifTags.Base.Make,
    "Model": ExifTags.Base.Model,
    "Software": ExifTags.Base.Software,
    "XResolution": ExifTags.Base.XResolution,
    "YCbCrPositioning": ExifTags.Base.YCbCrPositioning,
}
EXIF_PHOTO_FIELDS = {
    "ExifVersion": ExifTags.Base.ExifVersion,
    "ColorSpace": ExifTags.Base.ColorSpace,
    "LensModel": ExifTags.Base.LensModel,
}
"""Fields that a device or a program writes alike into all of its photos; times, places, exposures and serial numbers
differ between photos, and would name the photo rather than its source."""


def are_facts_of(facts: pd.DataFrame, dataset: Dataset) -> bool:
    """Whether facts, as `gather_facts` gives them now, are of these photos, with the labels that they have now."""
    if not set(COMPUTED) <= set(facts):
        return False  # another version of camerabias wrote them
    known = taken_over(dataset.index)
    return facts.reindex(columns=known).astype(str).equals(dataset.index[known].astype(str))


def facts_of(
    dataset: Dataset, executor: Executor, report: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """The facts of all images as `gather_facts` gives them, gathered once and kept in the DATASET."""
    facts = kept(dataset.folder, FACTS_FILE)
    if facts is None or not are_facts_of(facts, dataset):
        facts = gather_facts(dataset, executor, report)
        keep(dataset.folder, FACTS_FILE, facts)
    return facts


def gather_facts(
    dataset: Dataset, executor: Executor, report: Callable[[int, int], None] | None = None
) -> pd.DataFrame:
    """Read the headers of all images, and hash their pixels.

    Args:
        dataset: The dataset.
        executor: Where the work runs, a part at a time.
        report: Called with (parts done, parts in all).

    Returns:
        A row per image in the order of the index: `FACTS_COLUMNS`; `tables`, the JPEG quantisation tables and the
        subsampling as a short text, None for other formats; `exif`, the fields above as a text, None without EXIF;
        `hash`, the `perceptual_hash` as uint64; `detail`, as `detail_of` gives it; `pages`, None for one; `factor`,
        by how much the photo is scaled to the dataset's size.
    """
    read = tell_images(dataset, tell, executor, report).astype(COMPUTED)
    facts = dataset.index[taken_over(dataset.index)].merge(read, on="image_id", how="left", validate="1:1")
    return with_factors(facts, dataset.manifest.size, dataset.manifest.fit)


def tell_images(
    dataset: Dataset,
    tell: Callable[[bytes], dict[str, Any]],
    executor: Executor,
    report: Callable[[int, int], None] | None = None,
    image_ids: Container[str] | None = None,
) -> pd.DataFrame:
    """What a function says of the bytes of images.

    Args:
        dataset: The dataset.
        tell: From bytes to plain values by column; can be pickled.
        executor: Where the work runs, a part at a time.
        report: Called with (parts done, parts in all).
        image_ids: Of which images; of all where None.

    Returns:
        A row per image, in any order: `image_id`, and the columns.
    """
    parts = [part.name for part in dataset.manifest.parts]
    told: list[dict[str, Any]] = []
    work = partial(_tell_part, dataset.folder, tell, image_ids)
    for done, said in enumerate(executor.map(work, parts), start=1):
        told += said["images"]
        if report:
            report(done, len(parts))
    return pd.DataFrame(told)


def with_factors(facts: pd.DataFrame, size: int, fit: Fit) -> pd.DataFrame:
    """Facts and the column `factor`: by how much photos are scaled to views of a size in pixels."""
    sides = zip(facts["height"], facts["width"], strict=True)
    return facts.assign(factor=[fit_factor(height, width, size, size, fit) for height, width in sides])


def taken_over(index: pd.DataFrame) -> list[str]:
    """Columns of an index that the facts hold as well."""
    return [name for name in FACTS_COLUMNS if name in index]


def _tell_part(
    dataset: Folder, tell: Callable[[bytes], dict[str, Any]], image_ids: Container[str] | None, part: str
) -> dict[str, Any]:
    cv2.setNumThreads(1)  # parts run side by side already
    images = read_images(dataset, part)
    asked = (image for image in images if image_ids is None or image[0] in image_ids)
    return {"images": [{"image_id": name, **tell(content)} for name, content in asked]}


def tell(content: bytes) -> dict[str, Any]:
    """What a file says by itself, as plain values: `COMPUTED`."""
    with open_image(content) as file:
        return {
            "tables": _tables(file),
            "exif": _exif(file),
            "hash": perceptual_hash(content),
            "detail": detail_of(content),
            "pages": pages_of(file),
        }


def _tables(file: Image.Image) -> str | None:
    """Sampling factors of the components, and what the tables that they use hash to: `2x2,1x1,1x1 3f2a9c1d`."""
    if not isinstance(file, JpegImagePlugin.JpegImageFile):
        return None
    sampling = ",".join(f"{across}x{down}" for _, across, down, _ in file.layer)
    tables = repr([list(file.quantization.get(table, ())) for *_, table in file.layer])
    return f"{sampling} {hashlib.sha256(tables.encode()).hexdigest()[:8]}"


def _exif(file: Image.Image) -> str | None:
    try:
        exif = file.getexif()
        return _exif_text(exif) if exif else None
    except Exception:  # noqa: BLE001 - Pillow's reader fails in many ways
        return "damaged"  # which tells of its source as well as a name does


def _exif_text(exif: Image.Exif) -> str:
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    fields = {name: exif.get(tag) for name, tag in EXIF_FIELDS.items()}
    fields |= {name: photo.get(tag) for name, tag in EXIF_PHOTO_FIELDS.items()}
    # how the camera was held is the photo's; whether it says so is the device's
    fields["Orientation"] = "given" if ExifTags.Base.Orientation in exif else None
    told = {name: exif_text(value) for name, value in fields.items() if value is not None}
    return "; ".join(f"{name}={value}" for name, value in told.items())


def perceptual_hash(content: bytes) -> int:
    """64 bits that barely change when a photo is saved again, scaled or brightened (pHash; Zauner 2010).

    The luma is averaged down to 32 × 32 and transformed by a DCT; a bit says whether one of the 8 × 8 lowest
    frequencies lies above their median.

    Args:
        content: Bytes of any image that could be imported.

    Returns:
        The hash, from 0 to 2⁶⁴ - 1; of two photos that have nothing in common about half of the bits differ.
    """
    lowest = cv2.dct(_small_luma(content, HASH_SIDE, HASH_SIDE))[:8, :8].ravel()
    bits = lowest > np.median(lowest[1:])  # the first is the mean, which tells nothing of what is shown
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def detail_of(content: bytes) -> str:
    """What a photo shows that is smaller than its background: two photos of one scene have the same.

    The luma is averaged down to 32 × 32, less what of it is blurred, and scaled to its largest value.

    Args:
        content: Bytes of any image that could be imported.

    Returns:
        `DETAIL_SIDE`² numbers from -127 to 127, int8, a row after the other, about 0 where there is no detail; in
        base64, since what workers report is JSON.
    """
    small = _small_luma(content, 4 * DETAIL_SIDE, DETAIL_SIDE)
    detail = small - cv2.GaussianBlur(small, (0, 0), DETAIL_BLUR)
    numbers = np.round(127 * detail / max(float(np.abs(detail).max()), 1.0)).astype(np.int8)
    return base64.b64encode(numbers.tobytes()).decode()


def _small_luma(content: bytes, decoded: int, side: int) -> npt.NDArray[np.float32]:
    """The picture as a viewer shows it, in gray, averaged down; a JPEG is decoded no larger than `decoded` needs."""
    with open_image(content) as file:
        if isinstance(file, JpegImagePlugin.JpegImageFile):
            file.draft("L", (decoded, decoded))
            shown = upright(file)
        else:
            shown = to_rgb(upright(file))
        return np.asarray(shown.convert("L").resize((side, side), Image.Resampling.BOX), dtype=np.float32)
