"""Where photos come from: a table that lists them, or a tree of folders. Nothing is decoded here."""

from __future__ import annotations

import json
import posixpath
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import INDEX_COLUMNS, CamerabiasError, Layout

TABLE_ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl")
IMAGE_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".pgm", ".jp2",
    ".jfif", ".avif", ".heic", ".heif",  # what Pillow does not read is rejected by name, not passed over
)  # fmt: skip


@dataclass(frozen=True)
class Photo:
    """One photo as its source describes it; `camera` is None where EXIF is to tell."""

    path: str
    label: str
    camera: str | None
    group: str | None = None
    split: str | None = None
    others: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Photos below a folder; paths are relative to it."""

    kind: Literal["table", "folder"]
    root: Folder
    photos: list[Photo]


@dataclass(frozen=True)
class Columns:
    """Names of a table's columns."""

    label: str = "label"
    camera: str = "camera"
    group: str | None = None


def read_source(
    location: str,
    columns: Columns | None = None,
    layout: Layout | None = None,
    camera_from_exif: bool = False,
) -> Source:
    """Read a table or walk a folder.

    Args:
        location: Path or URI of a table (CSV, TSV, Parquet, JSON Lines with a column `path`) or of a folder.
        columns: The table's column names; a column `group` is used when it is there.
        layout: The folder's levels; None reads two levels as label/camera, and one level as label when the
            camera comes from EXIF.
        camera_from_exif: Whether the camera is EXIF's make and model.

    Raises:
        CamerabiasError: Nothing there, no such column, no photos, or a folder whose levels do not fit.
    """
    if location.lower().endswith(TABLE_ENDINGS):
        parent, name = posixpath.split(location)
        return _read_table(Folder(parent or "."), name, columns or Columns(), camera_from_exif)
    root = Folder(location)
    if not root.exists():
        raise CamerabiasError(
            f"There is nothing at {location}; give a folder of photos, a table ({', '.join(TABLE_ENDINGS)}) "
            "or a dataset made by `camerabias data`."
        )
    if root.is_file():
        raise CamerabiasError(
            f"{location} is neither a folder nor a table that can be read ({', '.join(TABLE_ENDINGS)})."
        )
    return _walk_folder(root, layout or ("label" if camera_from_exif else "label/camera"), camera_from_exif)


def _read_table(root: Folder, name: str, columns: Columns, camera_from_exif: bool) -> Source:
    if not root.exists(name):
        raise CamerabiasError(f"There is no table {root.file(name)}.")
    table = _parse_table(root, name)
    wanted = {"path": "path", "label": columns.label}
    if not camera_from_exif:
        wanted["camera"] = columns.camera
    if columns.group or "group" in table:
        wanted["group"] = columns.group or "group"
    if "split" in table:
        wanted["split"] = "split"
    absent = [column for column in wanted.values() if column not in table]
    if absent:
        raise CamerabiasError(
            f"{root.file(name)} has no column {', '.join(repr(c) for c in absent)}; it has "
            f"{', '.join(map(str, table.columns))}. Name columns with --label, --camera and --group, or take "
            "the camera from EXIF with --camera-from exif."
        )
    if table.empty:
        raise CamerabiasError(f"{root.file(name)} lists no photos.")
    _refuse_gaps(table, list(wanted.values()), root.file(name))
    others = [c for c in table.columns if c not in wanted.values() and c not in INDEX_COLUMNS]
    words = {ours: table[theirs].astype(str).tolist() for ours, theirs in wanted.items()}
    # plain Python values, gaps as None, so that rows travel as JSON
    plain = table[others].astype(object).where(table[others].notna(), None).to_dict("records")
    photos = [
        Photo(
            path=words["path"][row],
            label=words["label"][row],
            camera=None if camera_from_exif else words["camera"][row],
            group=words["group"][row] if "group" in words else None,
            split=words["split"][row] if "split" in words else None,
            others={str(key): value for key, value in plain[row].items()},
        )
        for row in range(len(table))
    ]
    return Source("table", root, photos)


def _parse_table(root: Folder, name: str) -> pd.DataFrame:
    try:
        if name.lower().endswith(".parquet"):
            # an index that pandas wrote along is a column like any other
            frame: pd.DataFrame = root.read_table(name).to_pandas(ignore_metadata=True)
            return frame
        with root.filesystem.open_input_stream(root.file(name)) as stream:
            if name.lower().endswith(".jsonl"):
                # by hand: pandas would turn words into dates and, beside gaps, whole numbers into floats
                rows = [json.loads(line) for line in stream.read().splitlines() if line.strip()]
                return pd.DataFrame(rows, dtype=object)
            # as text, so that a label `01` stays what it is; only an empty field is a gap
            separator = "\t" if name.lower().endswith(".tsv") else ","
            with warnings.catch_warnings():
                warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header
                return pd.read_csv(
                    stream, sep=separator, dtype=str, keep_default_na=False, na_values=[""], index_col=False
                )
    except (ValueError, OSError, pd.errors.ParserWarning) as error:
        raise CamerabiasError(f"Cannot read the table {root.file(name)}: {error}") from error


def _refuse_gaps(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    for column in columns:
        gaps = table.index[table[column].isna()].tolist()
        if gaps:
            raise CamerabiasError(
                f"{name} has no {column} in {len(gaps)} of {len(table)} rows (first: data row {gaps[0] + 1}); "
                "fill them in or leave those rows out."
            )


def _walk_folder(root: Folder, layout: Layout, camera_from_exif: bool) -> Source:
    levels = layout.split("/")
    if ("camera" in levels) == camera_from_exif:
        raise CamerabiasError(
            f"The layout {layout!r} {'already names' if camera_from_exif else 'does not name'} the camera; use "
            "--layout label with --camera-from exif, or --layout label/camera or camera/label without it."
        )
    visible = [path for path in root.walk() if not any(name.startswith(".") for name in path.split("/"))]
    paths = [path for path in visible if path.lower().endswith(IMAGE_ENDINGS)]
    shallow = [path for path in paths if path.count("/") < len(levels)]
    if not paths or shallow:
        found = f"{shallow[0]} lies too high up" if shallow else "it holds no photos"
        raise CamerabiasError(
            f"The folder {root} does not read as {layout.upper()}/photo: {found}. Sort photos into such "
            "folders, choose another --layout, or take cameras from EXIF with --camera-from exif."
        )
    photos = []
    for path in paths:
        words = dict(zip(levels, path.split("/"), strict=False))
        photos.append(Photo(path=path, label=words["label"], camera=words.get("camera")))
    return Source("folder", root, photos)
