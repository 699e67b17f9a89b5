"""Public sets of photos by known devices, whose names of files and folders say which: a pattern each.

Dresden (Gloe and Böhme, "The 'Dresden Image Database' for benchmarking digital image forensics", 2010), VISION
(Shullani et al., "VISION: a video and image dataset for source identification", 2017), FODB (Hadwiger and Riess, "The
Forchheim Image Database for camera identification in the wild", 2020) and the IEEE Signal Processing Cup 2018 (Stamm
and Bestagini). None is about classes: what could be learned besides is the kind of photo, or what it was sorted by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import SOURCES, Reading, Source, SourceKind
from camerabias.datasets.reading.splits import SPLITS
from camerabias.datasets.reading.walk import IMAGE_ENDINGS, files_below
from camerabias.datasets.reading.words import plainly
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.folder import photo_paths, read_folder
from camerabias.datasets.sources.table import source_of

LOOKED_AT, MIN_SHARE = 50, 0.9
"""Photos that are looked at, and which share of them must be named as a set names them for it to be recognised."""

_NO_LABELS = ("path", "camera", "group", "number", "scene", "split")


@dataclass(frozen=True)
class CameraSet:
    """How a set names its photos.

    Attributes:
        name: For people.
        pattern: Of the end of a path; its named groups become columns, among them `camera`, the device.
        label: The column that is the label unless another is asked for; None where the set has none.
    """

    name: str
    pattern: re.Pattern[str]
    label: str | None = None


_DRESDEN_MAKES = (
    "Agfa|Canon|Casio|FujiFilm|Kodak|Nikon|Olympus|Panasonic|Pentax|Praktica|Ricoh|Rollei|Samsung|Sony"
)

CAMERA_SETS = (
    CameraSet(
        "the Dresden Image Database",
        re.compile(rf"(?P<camera>(?P<make>{_DRESDEN_MAKES})_[^/]+_\d)_\d+\.\w+$"),
    ),
    CameraSet(
        "VISION",
        re.compile(
            r"(?P<camera>(D\d\d)_[^/]+)/images/(?P<kind>(?P<scene>flat|nat)\w*)/\2_I_(?P=kind)_(?P<number>\d+)\.\w+$"
        ),
        label="kind",
    ),
    CameraSet(
        "the Forchheim Image Database (FODB)",
        re.compile(r"(?P<camera>(D\d\d)[^/]*)/(?P<version>[a-z]+)/\2_img_(?P=version)_(?P<number>\d+)\.\w+$"),
    ),
    CameraSet(
        "the IEEE Signal Processing Cup 2018", re.compile(r"(?P<camera>[^/]+)/\((?P=camera)\)\d+\.\w+$")
    ),
)


def is_camera_set(location: str) -> bool:
    """Whether a folder's first photos are named as one of `CAMERA_SETS` names them."""
    return _set_at(location) is not None


def read_camera_set(location: str, reading: Reading) -> Source:
    """Read the photos that are named so; where a layout or EXIF is asked for, the folders instead.

    The label is a column: what the names tell (`kind` of VISION, `version` of FODB, `make` of Dresden), or `folder`,
    the topmost folder of a photo below the sides of a split, which is taken where several are there that name no
    device. Pictures of one scene are a group: of VISION those that went through messengers, of FODB those of all
    devices.

    Raises:
        CamerabiasError: There is no label, what is asked for has no meaning here, or as of a table.
    """
    found = _set_at(location)
    if reading.layout or reading.from_exif or found is None:
        return read_folder(location, reading)
    root = Folder(location)
    frame, notes = _rows(root, found)
    _refuse_other(frame, found, reading, root)
    label = _label(frame, found, reading, root)
    device = "the device" if reading.camera == "camera" else reading.camera
    notes = [f"This is {found.name}: the camera is {device}, the label {label}.", *notes]
    if label == "folder" and (n_above := int((frame["folder"] == "").sum())):
        frame = frame[frame["folder"] != ""]
        notes.append(f"Photos that lie in no folder of a label are passed over: {n_above}.")
    plain = replace(reading, path="path", label=label)
    return source_of(frame, plain, str(root), root, notes, kind="camera_set")


def _set_at(location: str) -> CameraSet | None:
    folder = Folder(location)
    if not folder.exists() or folder.is_file():
        return None
    first = list(islice(_photos(folder), LOOKED_AT))
    named = {one: sum(one.pattern.search(path) is not None for path in first) for one in CAMERA_SETS}
    return next((one for one, n in named.items() if n >= max(MIN_SHARE * len(first), 1)), None)


def _photos(folder: Folder) -> Iterator[str]:
    return (path for path in files_below(folder) if path.lower().endswith(IMAGE_ENDINGS))


def _rows(root: Folder, found: CameraSet) -> tuple[pd.DataFrame, list[str]]:
    """A row per photo that is named as the set names them, and what else is there, in sentences."""
    paths, notes = photo_paths(root)
    told = [(path, match) for path in paths if (match := found.pattern.search(path))]
    frame = pd.DataFrame([{"path": path, **match.groupdict()} for path, match in told])
    if n_others := len(paths) - len(told):
        notes.append(f"Photos that are not named as those of {found.name} are passed over: {n_others}.")
    if "scene" in frame:
        frame["group"] = frame["camera"] + " " + frame["scene"] + " " + frame["number"]
    elif "number" in frame:
        frame["group"] = "scene " + frame["number"]
    return _with_folders(frame, notes), notes


def _with_folders(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """With columns `folder`, empty of photos in none, and `split`, where the topmost folders are its sides."""
    tops = frame["path"].map(_top)
    sides = sorted({*tops} - {""})
    if not sides or not {*map(str.casefold, sides)} <= SPLITS.keys():
        return frame.assign(folder=tops)
    notes.append(f"The folders {', '.join(sides)} are the sides of a split.")
    if n_above := int((tops == "").sum()):
        notes.append(f"Photos that lie on no side of the split are passed over: {n_above}.")
    below = frame[tops != ""]
    below = below.assign(folder=[_top(path.partition("/")[2]) for path in below["path"]])
    return below.assign(split=tops[tops != ""]) if len(sides) > 1 else below


def _top(path: str) -> str:
    return path.partition("/")[0] if "/" in path else ""


def _refuse_other(frame: pd.DataFrame, found: CameraSet, reading: Reading, root: Folder) -> None:
    """Refuse what would be passed over in silence."""
    given = {"--path": reading.path, "--images": reading.images}
    if reading.camera not in frame:
        given["--camera"] = reading.camera
    if refused := [f"{option} {value}" for option, value in given.items() if value is not None]:
        columns = frame.columns.difference([*_NO_LABELS, "camera"])
        raise CamerabiasError(
            f"{root} is {found.name}, whose photos are read by their names, so that {' and '.join(refused)} has no "
            f"meaning: drop it (--camera may be {' or '.join(['camera', *columns])}), or list the photos in a "
            "table."
        )


def _label(frame: pd.DataFrame, found: CameraSet, reading: Reading, root: Folder) -> str:
    if reading.label in frame:
        return reading.label
    if reading.label == Reading().label:
        if found.label:
            return found.label
        if _sorts(frame):
            return "folder"
    columns = [
        column
        for column in frame.columns.difference([*_NO_LABELS])
        if frame.groupby("camera")[column].nunique().max() > 1  # else the camera gives it away
    ]
    table = "list the photos in a table with path, label, camera."
    raise CamerabiasError(
        f"{root} is {found.name}, {len(frame)} photos by {frame['camera'].nunique()} devices, which names no "
        f"{reading.label}. "
        + (
            f"Say what is to be learned: --label {' or '.join(columns)}; or {table}"
            if columns
            else table.capitalize()
        )
    )


def _sorts(frame: pd.DataFrame) -> bool:
    """Whether several folders are there, none of which is named as a side of a split or as a device within it."""
    pairs = frame.loc[frame["folder"] != "", ["folder", "camera"]].drop_duplicates()
    return pairs["folder"].nunique() > 1 and not any(
        folder.casefold() in SPLITS or plainly(camera).startswith(plainly(folder))
        for folder, camera in pairs.itertuples(index=False)
    )


SOURCES["camera_set"] = SourceKind(
    is_camera_set, read_camera_set, "a folder of Dresden, VISION, FODB or the IEEE camera contest"
)
