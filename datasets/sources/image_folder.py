"""A folder of images as Hugging Face reads it: photos, and beside them tables `metadata.*` of each `file_name`."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.parsers import parse_table
from camerabias.datasets.reading.photo import SOURCES, Reading, Source, SourceKind
from camerabias.datasets.reading.splits import SPLITS
from camerabias.datasets.sources.folder import read_folder
from camerabias.datasets.sources.table import source_of

METADATA_FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")

PATH_COLUMN = "file_name"


def is_image_folder(location: str) -> bool:
    """Whether a folder, or each side of a split below it, holds such a table."""
    return bool(_tables(Folder(location)))


def read_image_folder(location: str, reading: Reading) -> Source:
    """Read the tables, of each side of a split its own; where a layout is asked for, the folders instead.

    Raises:
        CamerabiasError: As of a table.
    """
    if reading.layout:
        return read_folder(location, reading)
    folder, frames = Folder(location), []
    tables = _tables(folder)
    for side, name in tables.items():
        frame = parse_table(folder.child(side) if side else folder, name).frame
        frame = frame.rename(columns={"path": "given_path", PATH_COLUMN: "path"})
        if side:
            frame = frame.assign(path=f"{side}/" + frame["path"], split=side)
        frames.append(frame)
    names = [f"{side}/{name}" if side else name for side, name in tables.items()]
    notes = [f"Photos and their labels are those of {', '.join(names)}; --layout would read folders instead."]
    plain = replace(reading, path="path", images=None)
    return source_of(
        pd.concat(frames, ignore_index=True), plain, folder.file(names[0]), folder, notes, kind="image_folder"
    )


def _tables(folder: Folder) -> dict[str, str]:
    """The table of the folder itself, or else of each side of a split below it."""
    if name := _table(folder):
        return {"": name}
    sides = sorted(side for side in SPLITS if folder.exists(side))
    found = {side: name for side in sides if (name := _table(folder.child(side)))}
    return found if len(found) == len(sides) else {}


def _table(folder: Folder) -> str | None:
    """The table whose first photo lies beside it: others may be about something else, or lie beside folders."""
    for name in METADATA_FILES:
        if folder.exists(name) and PATH_COLUMN.encode() in folder.read_bytes(name):
            named = parse_table(folder, name).frame.get(PATH_COLUMN, pd.Series(dtype=object)).dropna()
            if len(named) and folder.exists(str(named.iloc[0])):
                return name
    return None


SOURCES["image_folder"] = SourceKind(
    is_image_folder, read_image_folder, f"a folder with photos and {METADATA_FILES[0]}"
)
