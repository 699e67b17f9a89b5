"""Photos in a tree of folders whose levels are label and camera, and perhaps the sides of a split above them."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import SOURCES, Photo, Reading, Source, SourceKind
from camerabias.datasets.reading.walk import CONVERSIONS, IMAGE_ENDINGS, files_below
from camerabias.datasets.reading.words import SPLITS, as_text, clean, look_at_words, name_sides, one_vs_rest
from camerabias.datasets.schema import CamerabiasError


def is_folder(location: str) -> bool:
    """Whether a folder, or anything below such a prefix of a bucket, is there."""
    folder = Folder(location)
    return folder.exists() and not folder.is_file()


def read_folder(location: str, reading: Reading) -> Source:
    """Walk a folder.

    Raises:
        CamerabiasError: It holds no photos, its levels do not fit, or the camera would come from two places.
    """
    root, layout = Folder(location), reading.layout or ("label" if reading.from_exif else "label/camera")
    levels = layout.split("/")
    if ("camera" in levels) == reading.from_exif:
        raise CamerabiasError(
            f"The layout {layout!r} {'already names' if reading.from_exif else 'does not name'} the camera; use "
            "--layout label with --camera-from exif, or --layout label/camera or camera/label without it."
        )
    paths, notes = _photo_paths(root)
    if sides := _sides(root, paths):
        levels = ["split", *levels]
        notes.append(f"The folders {', '.join(sides)} are the sides of a split.")
    _refuse_shallow(root, paths, levels)
    words = [
        {level: clean(word) for level, word in zip(levels, path.split("/"), strict=False)} for path in paths
    ]
    labels = [word["label"] for word in words]
    if reading.one_vs_rest:
        labels = one_vs_rest(labels, reading.one_vs_rest)
    splits: Iterable[str | None] = [None] * len(paths)
    if sides:
        splits, said = name_sides(word["split"] for word in words)
        notes += said
    notes += look_at_words(labels, [word["camera"] for word in words if "camera" in word], len(paths))
    photos = [
        Photo(path, label, word.get("camera"), split=split)
        for path, label, word, split in zip(paths, labels, words, splits, strict=True)
    ]
    return Source("folder", root, photos, tuple(notes))


def _photo_paths(root: Folder) -> tuple[list[str], list[str]]:
    """Sorted paths of the photos, and what else is there, in sentences."""
    skipped: Counter[str] = Counter()
    files = sorted(files_below(root, skipped))
    paths = [path for path in files if path.lower().endswith(IMAGE_ENDINGS)]
    others = Counter(posixpath.splitext(path)[1].lower() or "no ending" for path in files) - Counter(
        posixpath.splitext(path)[1].lower() for path in paths
    )
    notes = [f"Folders passed over, {what}: {n}." for what, n in skipped.items()]
    if others:
        listed = ", ".join(
            f"{n} {ending}{f' ({CONVERSIONS[ending]})' if ending in CONVERSIONS else ''}"
            for ending, n in others.most_common()
        )
        notes.append(f"Files not taken: {listed}.")
    if not paths:
        raise CamerabiasError(
            f"The folder {root} holds no photos ({', '.join(IMAGE_ENDINGS)}). {' '.join(notes)}".strip()
        )
    return paths, notes


def _sides(root: Folder, paths: Iterable[str]) -> list[str]:
    """The topmost folders, where all of them are named as sides of a split.

    Raises:
        CamerabiasError: Some are, and others are not: labels named train and test would be taken in silence.
    """
    tops = sorted({path.split("/")[0] for path in paths if "/" in path})
    sides = [top for top in tops if top.casefold() in SPLITS]
    if len({SPLITS[side.casefold()] for side in sides}) < 2:
        return []
    if others := [top for top in tops if top not in sides]:
        raise CamerabiasError(
            f"In {root}, {', '.join(sides)} look like sides of a split, but {', '.join(map(as_text, others[:3]))} "
            "lies beside them. Move it elsewhere, or list the photos in a table with columns path, label, camera and "
            "split."
        )
    return sides


def _refuse_shallow(root: Folder, paths: Iterable[str], levels: list[str]) -> None:
    """Every photo lies as deep as the layout says, or deeper."""
    shallow = [path for path in paths if path.count("/") < len(levels)]
    if not shallow:
        return
    raise CamerabiasError(
        f"The folder {root} does not read as {'/'.join(levels).upper()}/photo: {as_text(shallow[0])} lies too high up"
        f"{f', as do {len(shallow) - 1} others' if len(shallow) > 1 else ''}. Sort photos into such folders, choose "
        "another --layout, or take cameras from EXIF with --camera-from exif."
    )


SOURCES["folder"] = SourceKind(is_folder, read_folder, "a folder of photos")
