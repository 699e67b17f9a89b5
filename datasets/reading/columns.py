"""Which columns of a table say what of a photo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError

PATH_NAMES = (
    "path", "file_name", "filename", "file_path", "filepath", "image_path", "img_path", "image_file", "file",
    "image", "image_name", "image_id", "img", "img_id", "photo", "name", "id",
)  # fmt: skip
"""What people call the column of paths, the surest first; case, blanks, `-` and `_` do not matter."""


def find_columns(table: pd.DataFrame, reading: Reading, name: str) -> tuple[dict[str, str], list[str]]:
    """Our name and the table's of each column that says something of a photo, and what was assumed.

    Raises:
        CamerabiasError: Columns are missing, or there are two of a name.
    """
    notes = []
    path = reading.path or next((c for c in table.columns if str(c) == "path"), None) or _usual_path(table)
    if path and path != "path" and not reading.path:
        notes.append(f"Paths are taken from the column {path!r}; --path names another.")
    found = {"path": path or "path", "label": reading.label}
    if not reading.from_exif:
        found["camera"] = reading.camera
    if reading.group or "group" in table:
        found["group"] = reading.group or "group"
    if "split" in table:
        found["split"] = "split"
    _refuse_absent(table, found, name)
    _refuse_doubled(table, found, name)
    return found, notes


def _usual_path(table: pd.DataFrame) -> str | None:
    plain = {re.sub(r"[\W_]+", "", str(column)).casefold(): str(column) for column in table.columns}
    for usual in PATH_NAMES:
        if (key := usual.replace("_", "")) in plain:
            return plain[key]
    return None


def _refuse_absent(table: pd.DataFrame, found: Mapping[str, str], name: str) -> None:
    absent = {ours: theirs for ours, theirs in found.items() if theirs not in table}
    if not absent:
        return
    columns = list(map(str, table.columns))
    if any(re.search(r"\.(jpe?g|png|tiff?|bmp|webp)$", column, re.IGNORECASE) for column in columns):
        raise CamerabiasError(
            f"{name} has no header: its first line is {', '.join(columns)}. Add a first line that names the columns, "
            "such as path,label,camera."
        )
    options = [f"--{ours}" for ours in absent]
    advice = f"Name {'it' if len(absent) == 1 else 'them'} with {' and '.join(options)}"
    if "camera" in absent:
        advice += ", or take the camera from EXIF with --camera-from exif"
    raise CamerabiasError(
        f"{name} has no column {', '.join(map(repr, absent.values()))}; it has {', '.join(columns)}. {advice}."
        + (_one_hot(table) if "label" in absent else "")
    )


def _one_hot(table: pd.DataFrame) -> str:
    """A hint where classes are columns of 0 and 1."""
    classes = [
        str(column)
        for column in table.columns
        if set(table[column].dropna().map(lambda value: str(value).removesuffix(".0"))) == {"0", "1"}
    ]
    if not classes:
        return ""
    return (
        f" {', '.join(classes[:6])} hold{'s' if len(classes) == 1 else ''} 0 and 1: --label {classes[0]} asks about "
        "that one."
    )


def _refuse_doubled(table: pd.DataFrame, found: Mapping[str, str], name: str) -> None:
    for theirs in found.values():
        if f"{theirs} (2)" in table:
            raise CamerabiasError(f"{name} has two columns {theirs!r}; rename one of them.")


def refuse_gaps(table: pd.DataFrame, columns: Iterable[str], name: str) -> None:
    """Refuse a table with rows that lack a value of some columns, by a `CamerabiasError` that names the first."""
    for column in columns:
        gaps = table[column].isna().to_numpy().nonzero()[0]
        if len(gaps):
            raise CamerabiasError(
                f"{name} has no {column} in {len(gaps)} of {len(table)} rows (first: data row {gaps[0] + 1}); "
                "fill them in or drop those rows."
            )
