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
from camerabias.datasets.reading.walk import IMAGE_ENDINGS, files_below
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.folder import read_folder
from camerabias.datasets.sources.table import source_of

LOOKED_AT, MIN_SHARE = 50, 0.9
"""Photos that are looked at, and which share of them must be named as a set names them for it to be recognised."""


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
    the topmost folder of a photo, which is taken where several are there that name no device. Pictures of one scene
    are a group: of VISION those that went through messengers, of FODB those of all devices.

    Raises:
        CamerabiasError: There is no label, or as of a table.
    """
    found = _set_at(location)
    if reading.layout or reading.from_exif or found is None:
        return read_folder(location, reading)
    root = Folder(location)
    frame, n_others = _rows(root, found)
    label = _label(frame, found, reading, root)
    notes = [f"This is {found.name}: the camera is the device, the label {label}."]
    if n_others:
        notes.append(f"Photos that are not named as those of {found.name} are passed over: {n_others}.")
    plain = replace(reading, path="path", label=label, camera="camera", images=None)
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


def _rows(root: Folder, found: CameraSet) -> tuple[pd.DataFrame, int]:
    """A row per photo that is named as the set names them, and how many others there are."""
    paths = sorted(_photos(root))
    told = [(path, match) for path in paths if (match := found.pattern.search(path))]
    frame = pd.DataFrame([{"path": path, **match.groupdict()} for path, match in told])
    frame["folder"] = [path.rpartition("/")[0].partition("/")[0] for path, _ in told]
    if "scene" in frame:
        frame["group"] = frame["camera"] + " " + frame["scene"] + " " + frame["number"]
    elif "number" in frame:
        frame["group"] = "scene " + frame["number"]
    return frame, len(paths) - len(told)


def _label(frame: pd.DataFrame, found: CameraSet, reading: Reading, root: Folder) -> str:
    if reading.label in frame:
        return reading.label
    if reading.label == Reading().label:
        if found.label:
            return found.label
        if frame["folder"].nunique() > 1 and not set(frame["folder"]) & set(frame["camera"]):
            return "folder"
    columns = frame.columns.difference(["path", "camera", "group", "number", "scene"])
    raise CamerabiasError(
        f"{root} is {found.name}, {len(frame)} photos by {frame['camera'].nunique()} devices, which names no "
        f"{reading.label}. Say what is to be learned: --label {' or '.join(columns)}; or list the photos in a table "
        "with path, label, camera."
    )


SOURCES["camera_set"] = SourceKind(
    is_camera_set, read_camera_set, "a folder of Dresden, VISION, FODB or the IEEE camera contest"
)
