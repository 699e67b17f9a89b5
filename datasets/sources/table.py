"""Photos that a table lists, a row each."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.columns import find_columns, refuse_gaps
from camerabias.datasets.reading.location import locate
from camerabias.datasets.reading.parsers import PARSERS, parse_table
from camerabias.datasets.reading.photo import SOURCES, Photo, Reading, Source, SourceKind
from camerabias.datasets.reading.sets import one_vs_rest
from camerabias.datasets.reading.splits import look_for_sides, name_sides
from camerabias.datasets.reading.words import clean, look_at_words
from camerabias.datasets.schema import INDEX_COLUMNS, CamerabiasError


def is_table(location: str) -> bool:
    """Whether a location is named as a table is, whether or not it is there."""
    return location.lower().endswith(tuple(PARSERS))


def read_table(location: str, reading: Reading) -> Source:
    """Read a table's rows; paths are relative to `reading.images`, or else to the folder that the table lies in.

    Raises:
        CamerabiasError: No such table, it cannot be read, or is refused as by `source_of`.
    """
    parent, name = posixpath.split(location)
    root = Folder(parent or ".")
    table = parse_table(root, name)
    return source_of(table.frame, reading, root.file(name), root, table.notes, table.embedded)


def source_of(
    table: pd.DataFrame,
    reading: Reading,
    name: str,
    root: Folder,
    notes: Iterable[str] = (),
    read: Callable[[str], bytes] | None = None,
    kind: str = "table",
) -> Source:
    """The photos that a table lists, in its order.

    Args:
        table: A row per photo: columns path, label, camera as `reading` names them, group and split where there
            are such, and any others, which go along.
        reading: How it is to be read.
        name: What errors call the table.
        root: Where it lies.
        notes: What was assumed so far.
        read: Reads a photo by its path, where photos are no files.
        kind: The source's name in the registry.

    Raises:
        CamerabiasError: Columns are missing, or have gaps, there are no rows, or nearly no photo is found.
    """
    images = Folder(reading.images) if reading.images else root
    found, said = find_columns(table, reading, name, images.exists)
    notes = [*notes, *said]
    if table.empty:
        raise CamerabiasError(f"{name} lists no photos.")
    refuse_gaps(table, found.values(), name)
    table = table.assign(**{found["label"]: table[found["label"]].map(_listed)})
    if reading.one_vs_rest:
        table = table.assign(**{found["label"]: table[found["label"]].map(_joined)})
    words = pd.DataFrame({ours: _words(table[theirs], ours, name) for ours, theirs in found.items()})
    paths = table[found["path"]].map(str).str.strip().tolist()  # as the file is named, to the letter
    if reading.one_vs_rest:
        words["label"] = one_vs_rest(words["label"], reading.one_vs_rest)
    if "split" in words:
        words["split"], said = name_sides(words["split"], found["split"])
        notes += said
    labels, cameras = words["label"], words.get("camera", ())
    notes += [*look_at_words(labels, cameras, len(words)), *look_for_sides(labels, cameras)]
    if read is None:
        paths, said = locate(paths, images, reading.images is not None, found["path"])
        notes += said
    photos = [
        Photo(path, row["label"], row.get("camera"), row.get("group"), row.get("split"), others)
        for path, row, others in zip(
            paths, words.to_dict("records"), _others(table, found, notes), strict=True
        )
    ]
    return Source(kind, images, photos, tuple(notes), read)


def _listed(label: Any) -> Any:
    """A label that text or a list of one stands for: `['cat']` is cat, and `['cat', 'dog']` a list as of JSON."""
    if isinstance(label, str) and re.fullmatch(r"\[.*\]|\{.*:.*\}", label.strip(), re.DOTALL):
        with suppress(ValueError, SyntaxError):
            label = ast.literal_eval(label.strip())
    return label[0] if isinstance(label, (list, np.ndarray)) and len(label) == 1 else label


def _joined(label: Any) -> Any:
    return "|".join(map(str, label)) if isinstance(label, (list, np.ndarray)) else label


def _words(column: pd.Series[Any], ours: str, table: str) -> list[str]:
    """A column, of some name of ours, as words; a list or an object is none."""
    for number, value in enumerate(column, start=1):
        if isinstance(value, (list, dict, tuple, np.ndarray)):
            is_set = ours == "label" and not isinstance(value, dict) and len(value)
            raise CamerabiasError(
                f"{table} has {value!r} as {column.name} of data row {number}, where one word belongs. A photo has "
                "one label and one camera; choose one"
                + (f", or ask about a member of these sets: --one-vs-rest {value[0]!r}." if is_set else ".")
            )
    return [clean(str(value)) for value in column]


def _others(table: pd.DataFrame, found: dict[str, str], notes: list[str]) -> list[dict[str, Any]]:
    """What else a table says of each photo, as plain Python values, gaps as None, so that it travels as JSON."""
    others = [column for column in table.columns if column not in found.values()]
    ours = {column: f"given_{column}" for column in others if column in INDEX_COLUMNS}
    if ours:
        named = ", ".join(f"{column} as {kept}" for column, kept in ours.items())
        notes.append(f"Columns whose names camerabias uses itself are kept under others: {named}.")
    plain = table[others].astype(object).where(table[others].notna(), None).rename(columns=ours)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]


SOURCES["table"] = SourceKind(is_table, read_table, f"a table ({', '.join(PARSERS)})")
