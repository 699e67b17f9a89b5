"""What is noticed of photos once all are read: cameras of one name, pixels that say little of what was seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from camerabias.datasets.ingest.admission import BLANK, ODD, TRANSPARENT
from camerabias.datasets.reading.exif import one_spelling
from camerabias.datasets.reading.words import SWAPPED, look_at_words, plainly
from camerabias.datasets.schema import NO_EXIF_CAMERA, quoted

MAX_NAMED = 5

_PAGES = (
    "Only the first page or frame is read of files that hold several, which can give their camera away: {}. "
    "Save those that count as photos of their own."
)
_WINDOWLESS = (
    "DICOM files without a window are read from the smallest to the largest of their values, not through a window as "
    "others are, which can give their camera away: {}. Give all files a window, or none."
)
_TRANSPARENT = "Photos whose alpha channel hides them are read as white: {}. Save them without it."
_BLANK = "Photos are nearly blank: {}. Look at them, and drop what shows nothing."


def join_cameras(cameras: pd.Series[str]) -> tuple[pd.Series[str], list[str]]:
    """Cameras that EXIF names, in one spelling each, and what about them looks like a mistake, in sentences."""
    spelling, notes = one_spelling(cameras)
    joined = cameras.map(spelling)
    return joined, [*notes, *look_at_words((), joined, len(joined))]


def look_at_rejected(rejected: Sequence[Mapping[str, Any]]) -> list[str]:
    """Count photos that cannot be used by camera, in a sentence: what one camera lacks can be what one label lacks.

    Args:
        rejected: As of `list_rejected`.
    """
    return [f"Photos that cannot be used are dropped: {list_rejected(rejected)}."] if rejected else []


def list_rejected(rejected: Iterable[Mapping[str, Any]]) -> str:
    """How many photos of each camera cannot be used, and why the first few.

    Args:
        rejected: Of each photo path, reason and camera, the latter None where EXIF would have named it.
    """
    by_camera: defaultdict[str | None, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rejected:
        by_camera[row.get("camera")].append(row)
    return _list(
        f"{len(rows)}{f' of {quoted(camera)}' if camera else ''} (first: "
        + "; ".join(f"{row['path']}: {row['reason']}" for row in rows[:MAX_NAMED])
        + ")"
        for camera, rows in sorted(by_camera.items(), key=lambda item: -len(item[1]))
    )


def look_at_exif(photos: pd.DataFrame) -> list[str]:
    """Whether EXIF names what should be the label, not the camera, in a sentence.

    Args:
        photos: A row per photo: label, camera, and device, as EXIF names it.
    """
    known = photos[photos["device"] != NO_EXIF_CAMERA].drop_duplicates(["label", "camera", "device"])
    names = [tuple(map(plainly, row)) for row in known[["label", "camera", "device"]].itertuples(index=False)]
    swapped = [
        _is_device(label, device) and not _is_device(camera, device) for label, camera, device in names
    ]
    if 2 * sum(swapped) <= len(known):
        return []
    first = known.iloc[swapped.index(True)]
    return [
        f"EXIF names as the camera what is read as the label: {quoted(first['device'])} takes photos of label "
        f"{quoted(first['label'])} and camera {quoted(first['camera'])}. {SWAPPED}"
    ]


def _is_device(word: str, device: str) -> bool:
    return len(word) > 2 and (word in device or device in word)


def look_at_pixels(odd: pd.DataFrame, index: pd.DataFrame) -> list[str]:
    """Count photos by camera that are read darker than they are, in part, as white, or as one colour, in sentences.

    Only all photos of a camera tell how many bits it uses: one may be dark because its scene was.

    Args:
        odd: A row per photo that is worth a look: path, and what of `ODD` `ImageFacts` has.
        index: The dataset's, with the paths and cameras of all photos.
    """
    if odd.empty:
        return []
    photos = odd.reindex(columns=["path", *ODD]).drop_duplicates("path")
    photos = photos.merge(index[["path", "camera"]], on="path")
    dark = dict(_unused_bits(photos))
    notes = []
    if dark:
        notes.append(
            "Photos with 16 bits per value that use fewer are read darker than they are, which can give their camera "
            f"away: {_list(dark.values())}. Scale them so that white is 65535, and import them again."
        )
    others = photos[~(photos["camera"].isin(dark) & photos["largest"].notna())]
    for found, said in (
        (photos[photos["pages"].notna()], _PAGES),
        (photos[photos["windowless"].notna()], _WINDOWLESS),
        (others[others["seen"] == TRANSPARENT], _TRANSPARENT),
        (others[others["seen"] == BLANK], _BLANK),
    ):
        if len(found):
            notes.append(said.format(_by_camera(found, index)))
    return notes


def _by_camera(photos: pd.DataFrame, index: pd.DataFrame) -> str:
    counts = index["camera"].value_counts()
    named = photos.groupby("camera", sort=False)["path"].agg(["size", "first"])
    return _list(
        f"{row.size} of {counts[camera]} of {quoted(camera)} (first: {row.first})"
        for camera, row in zip(named.index, named.itertuples(index=False), strict=True)
    )


def _unused_bits(photos: pd.DataFrame) -> Iterator[tuple[str, str]]:
    deep = photos[photos["largest"].notna()]
    for camera, largest in deep.groupby("camera", sort=False)["largest"]:
        top = int(largest.max())
        bits = max(top - 1, 1).bit_length()  # 4096, too, is white in 12 bits
        if bits < 16:
            said = f"largest value {top}: multiply by {2 ** (16 - bits)}"
            yield str(camera), f"{bits} bits in {len(largest)} photos of {quoted(camera)} ({said})"


def _list(items: Iterable[Any]) -> str:
    listed = list(items)
    more = [f"and {len(listed) - MAX_NAMED} more"] if len(listed) > MAX_NAMED else []
    return "; ".join([*listed[:MAX_NAMED], *more])
