"""Files below a folder that are the user's: not what programs leave there, and not what camerabias made itself."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.words import as_text
from camerabias.datasets.schema import MANIFEST_FILE, RUN_FILE, CamerabiasError

IMAGE_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".jp2",
    ".jfif", ".avif", ".heic", ".heif", ".dcm",  # what Pillow does not read is rejected by name, not passed over
)  # fmt: skip

PROGRAM_FOLDERS = {
    "@eadir", "#recycle", "$recycle.bin", "__macosx", "lost+found", "system volume information",
}  # fmt: skip
"""Folders that file systems, archives and photo servers make, with copies and thumbnails; in lower case."""

HIDDEN_FILES = "hidden, named as photos (macOS leaves such ._ files)"
"""What is counted of files that are passed over."""

HIDDEN_FOLDERS = "hidden (such as .ipynb_checkpoints)"

CONVERSIONS = {
    ".nii": "NIfTI: save slices as PNG, with nibabel say",
    ".gz": "an archive: unpack it",
    ".zip": "an archive: unpack it",
    ".tar": "an archive: unpack it",
    **dict.fromkeys((".xlsx", ".xls"), "an Excel workbook: save the sheet as CSV (UTF-8)"),
    ".svs": "a whole-slide image: cut tiles, with OpenSlide say",
    ".mp4": "a video: cut frames, with ffmpeg say",
    ".mov": "a video: cut frames, with ffmpeg say",
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".raf", ".orf", ".rw2", ".pef", ".srw"),
        "raw: develop as JPEG or TIFF, all cameras in the same way",
    ),
}
"""What to do with files that are not read, by ending."""


def files_below(root: Folder, skipped: Counter[str] | None = None) -> Iterator[str]:
    """Paths of the user's files, relative to the folder; a link in a circle is followed once.

    Args:
        root: The folder.
        skipped: Counts folders that are passed over, by what they are, and files that are `HIDDEN_FILES`.

    Raises:
        CamerabiasError: A folder may not be read: a label or a camera could be missed.
    """
    skipped = Counter() if skipped is None else skipped
    return _local(root, skipped) if root.is_local else _remote(root, skipped)


def _local(root: Folder, skipped: Counter[str]) -> Iterator[str]:
    seen = set()
    for folder, folders, names in os.walk(root.path, followlinks=True, onerror=_refuse_locked):
        place = os.path.realpath(folder)
        what = "links in circles" if place in seen else _made_by(folder, names) if folder != root.path else ""
        seen.add(place)
        if what:
            skipped[what] += 1
            folders.clear()
            continue
        if n_hidden := sum(name.startswith(".") for name in folders):
            skipped[HIDDEN_FOLDERS] += n_hidden
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(folder).relative_to(root.path)
        for name in sorted(names):
            if not name.startswith("."):
                yield (below / name).as_posix()
            elif name.lower().endswith(IMAGE_ENDINGS):
                skipped[HIDDEN_FILES] += 1


def _refuse_locked(error: OSError) -> None:
    folder = as_text(str(error.filename))
    if isinstance(error, PermissionError) and not _of_program(os.path.basename(folder)):
        raise CamerabiasError(
            f"The folder {folder} may not be read: chmod -R u+rX {folder}, ask its owner, or move it elsewhere."
        ) from error


def _remote(root: Folder, skipped: Counter[str]) -> Iterator[str]:
    paths = root.walk()
    ours = {
        posixpath.dirname(path) for path in paths if posixpath.basename(path) in (MANIFEST_FILE, RUN_FILE)
    }
    passed = set()
    for path in paths:
        levels = path.split("/")
        above = ["/".join(levels[:depth]) for depth in range(1, len(levels))]
        if found := [folder for folder in above if folder in ours or _left(posixpath.basename(folder))]:
            passed.add(found[0])
        elif not levels[-1].startswith("."):
            yield path
        elif path.lower().endswith(IMAGE_ENDINGS):
            skipped[HIDDEN_FILES] += 1
    for folder in passed:
        skipped["made by camerabias" if folder in ours else _left(posixpath.basename(folder))] += 1


def _made_by(folder: str, names: list[str]) -> str:
    if MANIFEST_FILE in names or RUN_FILE in names:
        return "made by camerabias"
    return _left(os.path.basename(folder))


def _left(folder: str) -> str:
    """What a folder is that no user has made; empty of others."""
    if folder.startswith("."):
        return HIDDEN_FOLDERS
    return "left by other programs" if _of_program(folder) else ""


def _of_program(name: str) -> bool:
    return name.lower() in PROGRAM_FOLDERS
