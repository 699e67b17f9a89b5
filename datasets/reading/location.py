"""Where a table's photos lie: as its paths say, or found with a stated rule, or else what would help."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import unquote

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.walk import IMAGE_ENDINGS, files_below
from camerabias.datasets.reading.words import as_text
from camerabias.datasets.schema import CamerabiasError

SAMPLE = 50
"""Paths that are tried, from the first to the last; a bucket takes a request for each."""

MAX_FILES = 200_000
"""Files that are looked through for photos whose paths lead nowhere: some seconds."""

MAX_NAME, MAX_PATH = 255, 4096
"""Bytes of a file's name, and of a path, that file systems have."""

_NUMBERS = re.compile(r"[\[\s]*(\d+(\.\d*)?[\s,;\[\]]+){16,}.*", re.DOTALL)

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|~", re.IGNORECASE)

_LEADING_ZEROS = re.compile(r"(?:(?<=/)|^)0+(?=\d+(\.[a-z]+)?$)")

_UPLOAD = re.compile(r"(?:(?<=/)|^)[0-9a-f]{8}-(?=[^/]+$)")
"""What Label Studio writes before the name of a photo that is uploaded to it."""


def is_picture(cell: str) -> bool:
    """Whether a cell holds a picture as text, numbers or base64, and so no path: none is so long."""
    longest = max(len(os.fsencode(name)) for name in re.split(r"[/\\]", cell))
    return longest > MAX_NAME or len(cell) > MAX_PATH or _NUMBERS.fullmatch(cell) is not None


def locate(
    paths: Sequence[str], root: Folder, by_name: bool, column: str = "path"
) -> tuple[list[str], list[str]]:
    """Paths of photos below a folder, and what was assumed, in sentences.

    A path that leads nowhere is tried with `/` in place of Windows' backslashes, in other Unicode forms and cases,
    with the endings of photos, decoded from an address, without what Label Studio writes before names, and with the
    leading zeros that spreadsheets drop. What is not found then stays as it is, and is rejected as any missing photo.

    Args:
        paths: As a table has them.
        root: The folder that they are relative to.
        by_name: Whether photos are also looked up by their names alone, wherever below the folder they lie.
        column: That paths are taken from.

    Raises:
        CamerabiasError: Paths are pictures or addresses, or fewer than half lead anywhere; says what would help.
    """
    _refuse_pictures(paths, column)
    _refuse_addresses(paths)
    tried = paths[:: max(1, len(paths) // SAMPLE)]
    missing = [path for path in tried if not root.exists(path)]
    if not missing:
        return list(paths), []
    files = [*islice(files_below(root), MAX_FILES)]
    lookup = _Lookup(files, by_name)
    found = [lookup.find(path) for path in paths]
    n_found = sum(path is not None for path in found)
    if n_found < len(paths) / 2:
        of = "" if column == "path" else f" in the column {column!r}"
        said = (
            f"{len(paths) - n_found} of {len(paths)} paths{of} lead to no photo below {root} (first: {missing[0]}, "
            f"looked for at {root.file(missing[0])})."
        )
        other = "" if column == "path" else " --path names another column."
        raise CamerabiasError(f"{said} {_advise(paths, root, files, by_name)}{other}")
    changed = [(old, new) for old, new in zip(paths, found, strict=True) if new not in (None, old)]
    notes = _name_several(paths, lookup)
    if changed:
        notes.append(
            f"{len(changed)} of {len(paths)} paths were completed (first: {_completed(*changed[0])})."
        )
        hows = Counter(how for old, _ in changed if (how := lookup.meaning(old)[1]))
        notes += [f"In {n} of {len(paths)} paths {how}." for how, n in hows.items()]
    return [new or old for old, new in zip(paths, found, strict=True)], notes


def _refuse_pictures(paths: Sequence[str], column: str) -> None:
    pictures = [path for path in paths if is_picture(path)]
    if pictures:
        raise CamerabiasError(
            f"The column {column!r} holds {len(pictures)} cells that are no paths, but look like pictures as text "
            f"(first: {pictures[0][:40]!r}...). Save each picture as a file, and give the files' paths in a column."
        )


def _name_several(paths: Sequence[str], lookup: _Lookup) -> list[str]:
    """Names that fit several photos, with two of these."""
    several = [
        (path, found) for path in paths if len(found := lookup.fitting(path)) > 1 and path not in found
    ]
    if not several:
        return []
    path, (one, other, *_) = several[0]
    return [
        f"{len(several)} of {len(paths)} names fit several photos, and which is meant is not known (first: {path} "
        f"may be {one} or {other}). Write the folder before each name, as in {one}."
    ]


def _refuse_addresses(paths: Sequence[str]) -> None:
    addresses = [path for path in paths if _ADDRESS.match(path)]
    if addresses:
        here = all(path.lower().startswith(("~", "file:")) for path in addresses)
        advice = "Write the paths out" if here else "Download these photos, and give paths of files"
        raise CamerabiasError(
            f"{len(addresses)} of {len(paths)} paths are addresses (first: {addresses[0]}), which are not followed. "
            f"{advice}, from / on or relative to the table's folder or to --images."
        )


def _completed(old: str, new: str) -> str:
    if _composed(old) == _composed(new):
        return f"{old} is there in another Unicode form"  # which looks the same
    return f"{old} is {as_text(new)}"


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", as_text(path))


def _key(path: str) -> str:
    return posixpath.normpath(_composed(path).replace("\\", "/").casefold())


def _forms(path: str) -> Iterator[tuple[str, str]]:
    """What a path may stand for, the surest first, and what was done to it, in words."""
    yield _key(path), ""
    decoded = _key(unquote(path.rpartition("?d=")[2]))  # as Label Studio names files of its machine
    yield decoded, "the name was decoded from an address"
    yield _UPLOAD.sub("", decoded), "the 8 characters that Label Studio writes before a name were dropped"


class _Lookup:
    """Photos by their paths, with and without endings, and perhaps by their names alone."""

    def __init__(self, files: Iterable[str], by_name: bool) -> None:
        self._by_name = by_name
        self._paths: defaultdict[str, list[str]] = defaultdict(list)
        self._unpadded: defaultdict[str, list[str]] = defaultdict(list)
        for path in files:
            if not path.lower().endswith(IMAGE_ENDINGS):
                continue
            key = _key(path)
            for known in {key, posixpath.splitext(key)[0]}:
                for name in {known, posixpath.basename(known)} if by_name else {known}:
                    self._paths[name].append(path)
                    if (unpadded := _LEADING_ZEROS.sub("", name)) != name:
                        self._unpadded[unpadded].append(path)

    def fitting(self, path: str) -> list[str]:
        """Photos that a path can mean."""
        return self.meaning(path)[0]

    def meaning(self, path: str) -> tuple[list[str], str]:
        """Photos that a path can mean, and what was done to find them, in words."""
        for form, how in _forms(path):
            if found := self._named(self._paths, form):
                return found, how
        return self._named(
            self._unpadded, _key(path)
        ), "leading zeros, which spreadsheets drop, were put back"

    def _named(self, photos: dict[str, list[str]], key: str) -> list[str]:
        found = photos.get(key, [])
        return found or (photos.get(posixpath.basename(key), []) if self._by_name else [])

    def find(self, path: str) -> str | None:
        """The one photo that a path can mean."""
        found = self.fitting(path)
        if path in found:
            return path
        return found[0] if len(found) == 1 else None


def _advise(paths: Sequence[str], root: Folder, files: Sequence[str], by_name: bool) -> str:
    """What would help where paths lead nowhere."""
    lookup = _Lookup(files, by_name=True)
    if several := _name_several(paths, lookup):
        return several[0]
    photos = [as_text(path) for path in files if path.lower().endswith(IMAGE_ENDINGS)]
    if by_name and photos:
        return f"Photos there are named otherwise, such as {' and '.join(sorted(photos)[:2])}: give names like these."
    if by_name:
        return "Give --images the folder that holds them all, at any depth."
    folders = Counter(posixpath.dirname(new) for path in paths if (new := lookup.find(path)))
    if not folders:
        return "Give --images the folder that holds them; they are then found by name, at any depth."
    common = posixpath.commonpath(list(folders))
    where = root.child(common) if common else root
    named = ", ".join(str(root.child(folder)) for folder, _ in folders.most_common(3))
    return f"{folders.total()} of these names are in {named}: give --images {where}."
