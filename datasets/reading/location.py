"""Where a table's photos lie: as its paths say, or found with a stated rule, or else what would help."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
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

_Photos = defaultdict[str, list[str]]

_ABSOLUTE = re.compile(r"[a-z]:[/\\]|[/\\]", re.IGNORECASE)
"""How paths begin that are relative to nothing, on POSIX and on Windows."""

_LEADING_ZEROS = re.compile(r"(?:(?<=/)|^)0+(?=\d+(\.[a-z]+)?$)")

_ROUNDED = re.compile(r"^\d[.,]\d+E\+\d\d", re.IGNORECASE)
"""How a spreadsheet shows a number of twelve digits and more."""

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

    Of photos of one name, the one is meant whose folders are most like those of the path.

    Args:
        paths: As a table has them.
        root: The folder that they are relative to.
        by_name: Whether photos are also looked up by their names, wherever below the folder they lie; those of
            absolute paths, as of another machine, always are.
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
    lookup = _Lookup(files, posixpath.basename(posixpath.abspath(root.path)))
    there = [_ABSOLUTE.match(path) is not None and root.exists(path) for path in paths]
    matches = _agreeing(
        [
            _Match(path, [path]) if here else lookup.match(path, by_name)
            for path, here in zip(paths, there, strict=True)
        ]
    )
    found = [match.photo for match in matches]
    n_found = sum(path is not None for path in found)
    if n_found < len(paths) / 2:
        of = "" if column == "path" else f" in the column {column!r}"
        said = (
            f"{len(paths) - n_found} of {len(paths)} paths{of} lead to no photo below {root} (first: {missing[0]}, "
            f"looked for at {root.file(missing[0])})."
        )
        other = "" if column == "path" else " --path names another column."
        raise CamerabiasError(f"{said} {_advise(paths, root, lookup, by_name)}{other}")
    notes = [*_name_several(matches), *_say_completed(matches)]
    return [match.photo or match.path for match in matches], notes


def _say_completed(matches: Sequence[_Match]) -> list[str]:
    changed = [match for match in matches if match.photo not in (None, match.path)]
    if not changed:
        return []
    first, hows = changed[0], Counter(match.how for match in changed if match.how)
    return [
        f"{len(changed)} of {len(matches)} paths were completed (first: {_completed(first.path, str(first.photo))}).",
        *(f"In {n} of {len(matches)} paths {how}." for how, n in hows.items()),
    ]


def _refuse_pictures(paths: Sequence[str], column: str) -> None:
    pictures = [path for path in paths if is_picture(path)]
    if pictures:
        raise CamerabiasError(
            f"The column {column!r} holds {len(pictures)} cells that are no paths, but look like pictures as text "
            f"(first: {pictures[0][:40]!r}...). Save each picture as a file, and give the files' paths in a column."
        )


def _name_several(matches: Sequence[_Match]) -> list[str]:
    """Names that fit several photos, with two of these."""
    several = [match for match in matches if len(match.fitting) > 1 and match.path not in match.fitting]
    if not several:
        return []
    one, other, *_ = several[0].fitting
    return [
        f"{len(several)} of {len(matches)} names fit several photos, and which is meant is not known (first: "
        f"{several[0].path} may be {one} or {other}). Write the folder before each name, as in {one}."
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


def _forms(path: str, folder: str) -> Iterator[tuple[str, str]]:
    """What a path from a folder may stand for, the surest first, and what was done to it, in words."""
    yield _key(path), ""
    yield (
        _key(path).removeprefix(f"{_key(folder)}/"),
        "the folder itself was dropped from the front",
    )
    yield _key(path.strip("'\"` ")), "quotes around the name were dropped"
    decoded = _key(unquote(path.rpartition("?d=")[2]))  # as Label Studio names files of its machine
    yield decoded, "the name was decoded from an address"
    yield _UPLOAD.sub("", decoded), "the 8 characters that Label Studio writes before a name were dropped"


class _Match(NamedTuple):
    """What a path of a table can mean.

    Attributes:
        path: As the table has it.
        fitting: Photos that it can mean.
        how: What was done to find them, in words.
        dropped: Folders of the path in front of those that the photo shares, where these tell it from others of its
            name; else None.
    """

    path: str
    fitting: list[str]
    how: str = ""
    dropped: str | None = None

    @property
    def photo(self) -> str | None:
        """The one photo that it can mean."""
        if self.path in self.fitting:
            return self.path
        return self.fitting[0] if len(self.fitting) == 1 else None


class _Lookup:
    """Photos by their paths, by their names and by these with their folder, with and without endings."""

    def __init__(self, files: Iterable[str], folder: str) -> None:
        self._folder = folder
        self.files = [path for path in files if path.lower().endswith(IMAGE_ENDINGS)]
        self._folders = {path: _key(path).split("/")[-2::-1] for path in self.files}
        self._paths: _Photos = defaultdict(list)
        self._names: _Photos = defaultdict(list)
        self._unpadded: tuple[_Photos, _Photos] = (defaultdict(list), defaultdict(list))
        for path in self.files:
            key = _key(path)
            for known in {key, posixpath.splitext(key)[0]}:
                self._add(path, self._paths, self._unpadded[0], known)
                for name in {posixpath.basename(known), _with_folder(known)}:
                    self._add(path, self._names, self._unpadded[1], name)

    @staticmethod
    def _add(path: str, photos: _Photos, unpadded: _Photos, name: str) -> None:
        photos[name].append(path)
        if (short := _LEADING_ZEROS.sub("", name)) != name:
            unpadded[short].append(path)

    def match(self, path: str, by_name: bool) -> _Match:
        """What a path can mean; by its name, where that is asked for or the path is absolute."""
        by_name = by_name or _ABSOLUTE.match(path) is not None
        for form, how in _forms(path, self._folder):
            if found := self._nearest(self._paths, self._names, form, by_name):
                return _Match(path, found[0], how, found[1])
        padded = self._nearest(*self._unpadded, _key(path), by_name) or ([], None)
        return _Match(path, padded[0], "leading zeros, which spreadsheets drop, were put back", padded[1])

    def _nearest(
        self, paths: _Photos, names: _Photos, key: str, by_name: bool
    ) -> tuple[list[str], str | None] | None:
        """Photos of a path, or those of its name whose folders have the longest end in common with its own.

        With them, where others have that name, the folders in front of these.
        """
        if found := paths.get(key):
            return found, None
        alike = names.get(posixpath.basename(key), []) if by_name else []
        if not alike:
            return None
        folders = key.split("/")[:-1]
        shared = {
            photo: len(posixpath.commonprefix([folders[::-1], self._folders[photo]]))
            for photo in names.get(_with_folder(key), alike)
        }
        most = max(shared.values())
        nearest = [photo for photo, n in shared.items() if n == most]
        return nearest, "/".join(folders[:-most]) if most and len(nearest) < len(alike) else None


def _with_folder(key: str) -> str:
    return "/".join(key.split("/")[-2:])


def _agreeing(matches: Sequence[_Match]) -> list[_Match]:
    """Matches without those that drop folders which more of the others keep: their own photo is missing."""
    counts = Counter(match.dropped for match in matches if match.dropped is not None)
    strays = {
        stray
        for stray in counts
        for kept, n in counts.items()
        if n > counts[stray] and kept != stray and (not kept or stray.startswith(f"{kept}/"))
    }
    return [match._replace(fitting=[]) if match.dropped in strays else match for match in matches]


def _advise(paths: Sequence[str], root: Folder, lookup: _Lookup, by_name: bool) -> str:
    """What would help where paths lead nowhere."""
    if rounded := [path for path in paths if _ROUNDED.search(path)]:
        return (
            f"A spreadsheet has rounded long numbers ({rounded[0]}), which cannot be undone: export the table again, "
            "with that column as text."
        )
    matches = [lookup.match(path, by_name=True) for path in paths]
    if several := _name_several(matches):
        return several[0]
    if by_name and lookup.files:
        some = " and ".join(map(as_text, sorted(lookup.files)[:2]))
        return f"Photos there are named otherwise, such as {some}: give names like these."
    if by_name:
        return "Give --images the folder that holds them all, at any depth."
    folders = Counter(posixpath.dirname(match.photo) for match in matches if match.photo)
    if not folders:
        return "Give --images the folder that holds them; they are then found by name, at any depth."
    common = posixpath.commonpath(list(folders))
    where = root.child(common) if common else root
    named = ", ".join(str(root.child(folder)) for folder, _ in folders.most_common(3))
    return f"{folders.total()} of these names are in {named}: give --images {where}."
