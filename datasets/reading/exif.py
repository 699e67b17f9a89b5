"""What EXIF says of the device, whatever a device or a program has written there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from PIL import ExifTags, Image

from camerabias.datasets.io.decode import exif_value
from camerabias.datasets.reading.words import clean, decode_text
from camerabias.datasets.schema import NO_EXIF_CAMERA, quoted

MAX_NAMED = 5


def exif_text(value: Any) -> str:
    """A value of EXIF as words: text or bytes up to the first NUL, in UTF-8 or else Latin-1, blanks made one.

    What follows a NUL is whatever lay in the device's memory. Characters that a terminal would obey are escapes.
    """
    if isinstance(value, str) and value.isascii():
        text = value
    elif isinstance(value, (str, bytes)):
        text = _decoded(value)
    else:
        text = str(value)
    return clean(" ".join(text.partition("\0")[0].split()))


def _decoded(value: str | bytes) -> str:
    """UTF-8, or else Latin-1, which Pillow takes all text for."""
    try:
        content = value if isinstance(value, bytes) else value.encode("latin-1")
    except UnicodeEncodeError:
        return str(value)  # Pillow has not made it of bytes
    return decode_text(content.partition(b"\0")[0])


def camera_of(exif: Image.Exif) -> str:
    """Make and model in one name that has the brand once; `NO_EXIF_CAMERA` where there is neither."""
    make, model = (_tag(exif, tag).split() for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    if model and _starts_with_brand(model, make):
        make = []  # "NIKON CORPORATION" "NIKON D70" is one name, not two
    words = [*make, *model]
    while len(words) > 1 and words[0].casefold() == words[1].casefold():
        words = words[1:]
    return " ".join(words) or NO_EXIF_CAMERA


def count_unnamed(cameras: Sequence[str]) -> list[str]:
    """How many photos name no camera, in a sentence; empty where all name theirs."""
    n = sum(camera == NO_EXIF_CAMERA for camera in cameras)
    counted = f"they count as the camera {NO_EXIF_CAMERA!r}, which may be several"
    why = (
        "; messengers, web sites and copies on Kaggle strip EXIF. Take the original files, or name each photo's "
        "camera in a table with path, label, camera"
    )
    stripped = why if n == len(cameras) else ""
    return [f"{n} of {len(cameras)} photos name no camera; {counted}{stripped}."] if n else []


def _tag(exif: Image.Exif, tag: int) -> str:
    value = exif_value(exif, tag)
    return "" if value is None else exif_text(value)


def _starts_with_brand(model: list[str], make: list[str]) -> bool:
    brands = {word.casefold() for word in make}
    return model[0].casefold() in brands or " ".join(model).casefold().startswith(" ".join(make).casefold())


def one_spelling(cameras: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Cameras whose names differ in case or blanks alone, by the spelling that most photos have.

    Args:
        cameras: Of each photo.

    Returns:
        For each name the one that is kept, and what was made one, in sentences.
    """
    counts = Counter(cameras)
    alike = defaultdict(list)
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        alike["".join(name.split()).casefold()].append(name)
    several = [names for names in alike.values() if len(names) > 1]
    listed = "; ".join(
        f"{quoted(names[0])} also for {', '.join(map(quoted, names[1:]))}" for names in several[:MAX_NAMED]
    )
    more = f"; and {len(several) - MAX_NAMED} more" if len(several) > MAX_NAMED else ""
    notes = (
        [f"Cameras in EXIF that differ in case or blanks alone are one: {listed}{more}."] if several else []
    )
    return {name: names[0] for names in alike.values() for name in names}, notes
