"""The words of labels, cameras and groups: written one way, and what in them looks like a mistake."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from camerabias.datasets.reading.sets import describe_sets
from camerabias.datasets.schema import CamerabiasError, quoted

MISSING = {"", "-", "?", "n/a", "na", "nan", "none", "null", "unknown", "undefined"}
"""Words that often stand for a gap, in lower case."""

SWAPPED = "If they are swapped, give --layout camera/label for folders, or --label and --camera for columns."
"""What to do where labels are cameras."""

_DEVICES = re.compile(
    r"(?<![a-z])(canon|eos|powershot|nikon|coolpix|sony|olympus|panasonic|lumix|fujifilm|pentax|leica|casio|gopro|dji|"
    r"iphone|ipad|samsung|huawei|xiaomi|redmi|oneplus|oppo|vivo|motorola|nokia|pixel \d|galaxy [a-z]?\d|hamamatsu|"
    r"aperio|camera|cam|smartphone|phone|scanner|webcam|dslr)(?![a-z])",
    re.IGNORECASE,
)
"""What names of devices hold, and hardly any label."""

MAX_NAMED = 3

MAX_NUMBERED = 20
"""Different numbers that labels may be before it is asked whether they measure something."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)

_AROUND = re.compile("^[\\s\ufeff\u200b\u2060]+|[\\s\ufeff\u200b\u2060]+$")

_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Surrogates that stand for no byte of a file's name."""

_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of writing, and so show a name as another one."""


def as_text(name: str) -> str:
    r"""A name of a file or folder as text: where Python keeps bytes aside, they are UTF-8 or else Latin-1.

    Which bytes it keeps aside depends on the locale; what they mean does not. Halves of characters, as JSON may have
    them (`\ud800`), are written as escapes.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        if _HALVES.search(name):
            return name.encode(errors="backslashreplace").decode()
        return decode_text(os.fsencode(name))
    return name


def decode_text(content: bytes) -> str:
    """Bytes of unknown encoding as text: UTF-8, or else Latin-1, which can be anything."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def trimmed(word: str) -> str:
    """A word without blanks around it, also those that nobody sees: byte order marks, spaces of no width."""
    return word.strip() if word.isascii() else _AROUND.sub("", word)


def clean(word: str) -> str:
    """A word as it is kept: composed (NFC), without blanks around it, control characters written as escapes.

    Words that look the same are the same, and nothing that a terminal would obey gets into them.
    """
    composed = trimmed(unicodedata.normalize("NFC", as_text(word)))
    return "".join(
        char.encode("unicode_escape").decode()
        if unicodedata.category(char) == "Cc" or char in _DIRECTIONS
        else char
        for char in composed
    )


def plainly(name: object) -> str:
    """A column's name without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", str(name)).casefold()


def name_class(code: Any, names: Sequence[str], column: str) -> Any:
    """The name of a class by its number, or the names of a list of them; words stay as they are.

    None where there is no number, or a negative one, which photos without a label have.

    Raises:
        CamerabiasError: There are fewer names.
    """
    if isinstance(code, (list, tuple, np.ndarray)):
        return [name_class(one, names, column) for one in code]
    if isinstance(code, str):
        return code
    if pd.isna(code) or code < 0:
        return None
    if code >= len(names):
        raise CamerabiasError(
            f"The column {column!r} holds the class {code}, but there are names of {len(names)} classes alone, from "
            f"0 on ({', '.join(map(str, names[:MAX_NAMED]))}): correct the numbers, or add the names."
        )
    return names[int(code)]


def look_at_words(labels: Iterable[str], cameras: Iterable[str], n_photos: int) -> list[str]:
    """What in the words of photos looks like a mistake, in sentences.

    Raises:
        CamerabiasError: Nearly every photo has a label of its own, which nothing can learn.
    """
    counts = {"label": Counter(labels), "camera": Counter(cameras)}
    what_else = [*describe_sets(counts["label"]), *_measured(counts["label"])]
    if n_photos >= 10 and len(counts["label"]) > n_photos / 2:
        alone = [word for word, n in counts["label"].items() if n == 1]
        raise CamerabiasError(
            f"{len(alone)} of {n_photos} photos have a label of their own "
            f"({', '.join(map(_shortened, alone[:MAX_NAMED]))}, ...), so nothing can be learned. "
            + " ".join(what_else or ["Name the column of the class with --label."])
        )
    return [
        *(note for what, found in counts.items() for note in (*_near(what, found), *_missing(what, found))),
        *what_else,
        *_swapped(counts["label"], counts["camera"]),
    ]


def _shortened(word: str) -> str:
    return quoted(word if len(word) <= 60 else f"{word[:57]}...")


def _measured(counts: Counter[str]) -> list[str]:
    """Labels that are numbers, more than classes usually are."""
    if len(counts) <= MAX_NUMBERED or not all(_NUMBER.fullmatch(word) for word in counts):
        return []
    numbers = sorted(map(float, counts))
    return [
        f"Labels are {len(counts)} different numbers from {numbers[0]:g} to {numbers[-1]:g}. If they measure "
        "something, cut them into bins (pandas.cut, or qcut for bins of as many photos), and name the column of bins "
        "with --label."
    ]


def _near(what: str, counts: Counter[str]) -> list[str]:
    """Words that differ in case, blanks and punctuation alone."""
    alike = defaultdict(list)
    for word in counts:
        plain = plainly(word) or word
        alike[str(float(word)) if _NUMBER.fullmatch(word) else plain].append(word)  # -1 is not 1, but 1.0 is
    groups = [words for words in alike.values() if len(words) > 1]
    if not groups:
        return []
    named = "; ".join(
        " and ".join(f"{quoted(word)} ({counts[word]})" for word in words) for words in groups[:MAX_NAMED]
    )
    return [f"Some {what}s differ in case or punctuation alone, and count as different: {named}."]


def _missing(what: str, counts: Counter[str]) -> list[str]:
    numbers = {word: float(word) for word in counts if _NUMBER.fullmatch(word)}
    below = [word for word, number in numbers.items() if number < 0]
    found = [word for word in counts if word.casefold() in MISSING]
    # classes are counted from 0 on; of -1 and 1 both are classes
    found += below if len(below) == 1 and 0 in numbers.values() and len(numbers) == len(counts) else []
    return [
        f"The {what} {quoted(word)} ({counts[word]} photos) counts as a {what}; exclude those photos if it means "
        "none."
        for word in found
    ]


def _swapped(labels: Iterable[str], cameras: Iterable[str]) -> list[str]:
    """Labels that are named as cameras are, where cameras are not."""
    one, other = (sorted({*words}) for words in (labels, cameras))
    if not (one and other and all(map(_DEVICES.search, one))) or any(map(_DEVICES.search, other)):
        return []
    return [
        f"Labels look like cameras ({', '.join(map(quoted, one[:MAX_NAMED]))}), and cameras do not "
        f"({', '.join(map(quoted, other[:MAX_NAMED]))}). {SWAPPED}"
    ]
