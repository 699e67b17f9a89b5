"""Which columns of a table say what of a photo."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from camerabias.datasets.near_names import near_names
from camerabias.datasets.reading.location import is_picture
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.reading.splits import find_split
from camerabias.datasets.reading.walk import IMAGE_ENDINGS
from camerabias.datasets.reading.words import plainly
from camerabias.datasets.schema import CamerabiasError

LABEL_NAMES = (
    "label", "y_true", "true_label", "true", "truth", "ground_truth", "gt", "target", "actual", "true_class",
    "class", "y",
)  # fmt: skip
"""What people call a true label, the surest first; case, blanks, `-` and `_` do not matter."""

CAMERA_NAMES = (
    "camera", "device", "camera_id", "device_id", "camera_model", "device_model", "camera_name", "device_name",
    "scanner", "sensor", "phone", "instrument", "photographer", "sender", "site", "clinic", "hospital", "center",
    "centre",
)  # fmt: skip
"""What they call a camera, or whoever stands for one."""

PATH_NAMES = (
    "path", "file_name", "filename", "file_path", "filepath", "image_path", "img_path", "image_file", "file",
    "image", "image_name", "image_id", "image_index", "img", "img_id", "photo", "name", "id",
)  # fmt: skip
"""What people call the column of paths, the surest first; case, blanks, `-` and `_` do not matter."""

_PATH_WORDS = {"path", "file", "name", "filename", "filepath", "image", "img", "photo", "picture"}
"""Words that other names of such a column are made of: img_filename, but not mask_filename."""


_PEOPLE = {"patient", "subject", "session", "person", "participant"}
"""Words that such columns are named by, perhaps with `id` after them."""


def find_columns(
    table: pd.DataFrame, reading: Reading, name: str, leads: Callable[[str], bool] = lambda _: False
) -> tuple[dict[str, str], list[str]]:
    """Our name and the table's of each column that says something of a photo, and what was assumed.

    Args:
        table: The table.
        reading: Names that were given.
        name: What errors call the table.
        leads: Whether a path leads to a file.

    Raises:
        CamerabiasError: Columns are missing, or there are two of a name.
    """
    notes = []
    path = reading.path or ("path" if "path" in table else _usual_path(table, leads))
    if path and path != "path" and not reading.path:
        notes.append(f"Paths are taken from the column {path!r}; --path names another.")
    found = {"path": path or "path", "label": _spelled(table, reading.label)}
    if not reading.from_exif:
        found["camera"] = _spelled(table, reading.camera)
    if reading.group or "group" in table:
        found["group"] = reading.group or "group"
    if "split" in table:
        found["split"] = "split"
    elif split := find_split(table, found.values()):
        found["split"] = split
        notes.append(f"The column {split!r} says which photos train and which test; rename it to use folds.")
    _refuse_absent(table, found, name)
    _refuse_doubled(table, found, name)
    if "group" not in found:
        notes += _name_people(table, found.values())
    return found, notes


def _name_people(table: pd.DataFrame, taken: Iterable[str]) -> list[str]:
    """Columns that plainly name people, or sittings of theirs, several photos each, in sentences."""
    return [
        f"The column {str(column)!r} has {n} values for {len(table)} photos: photos of one {word} in training and "
        f"in a test would make results too good; --group {shlex.quote(str(column))} keeps them together."
        for column in table.columns.difference([*taken], sort=False)
        if (word := re.sub(r"(id|number|no)$", "", plainly(column))) in _PEOPLE
        and 1 < (n := table[column].dropna().map(str).nunique()) < len(table)
    ]


def _spelled(table: pd.DataFrame, column: str) -> str:
    """A column's name as the table spells it; as it is where no one column is named so."""
    alike = [str(one) for one in table.columns if plainly(one) == plainly(column)]
    return alike[0] if column not in table and len(alike) == 1 else column


def _usual_path(table: pd.DataFrame, leads: Callable[[str], bool]) -> str | None:
    """The column of paths by its name: one that leads to files before one that names photos, and that before ids."""
    plain = {plainly(column): str(column) for column in table.columns}
    usual = [plain[key] for key in map(plainly, PATH_NAMES) if key in plain]
    others = [
        str(column)
        for column in table.columns
        if {*re.split(r"[\W_]+", str(column).casefold())} <= _PATH_WORDS and _names_photos(table[column])
    ]

    def sureness(column: str) -> tuple[bool, bool]:
        cells: pd.Series[Any] = table[column]
        return _leads(cells, leads), _names_photos(cells)

    return max([*usual, *others], key=sureness, default=None)


def _first(column: pd.Series[Any]) -> str:
    return next((str(value).strip() for value in column if isinstance(value, str | int)), "")


def _names_photos(column: pd.Series[Any]) -> bool:
    return _first(column).lower().endswith(IMAGE_ENDINGS)


def _leads(column: pd.Series[Any], leads: Callable[[str], bool]) -> bool:
    """Whether the first cell leads to a file, perhaps without its ending."""
    cell = _first(column)
    return (
        cell != "" and not is_picture(cell) and any(leads(f"{cell}{end}") for end in ("", *IMAGE_ENDINGS[:4]))
    )


def _meant(ours: str, columns: Sequence[str]) -> str:
    """The column that people mostly call so, after a blank; empty where there is none."""
    usual = {"label": LABEL_NAMES, "camera": CAMERA_NAMES}.get(ours, ())
    named = {plainly(column): column for column in columns}
    return next((f" {shlex.quote(named[plainly(name)])}" for name in usual if plainly(name) in named), "")


def _refuse_absent(table: pd.DataFrame, found: Mapping[str, str], name: str) -> None:
    absent = {ours: theirs for ours, theirs in found.items() if theirs not in table}
    if not absent:
        return
    columns = list(map(str, table.columns))
    if any(re.search(r"\.(jpe?g|png|tiff?|bmp|webp)(\s|$)", column, re.IGNORECASE) for column in columns):
        raise CamerabiasError(
            f"{name} has no header: its first line is {', '.join(columns)}. Add a first line that names the columns, "
            "such as path,label,camera."
        )
    options = [f"--{ours}{_meant(ours, columns)}" for ours in absent]
    advice = f"Name {'it' if len(absent) == 1 else 'them'} with {' and '.join(options)}"
    if "camera" in absent:
        advice += ", or take the camera from EXIF with --camera-from exif"
    raise CamerabiasError(
        f"{name} has no column {', '.join(map(repr, absent.values()))}{near_names(absent.values(), columns)}; "
        f"it has {', '.join(columns)}. {advice}."
        + (_one_hot(table) if "label" in absent else "")
        + (_pictures(table) if "path" in absent else "")
    )


def _pictures(table: pd.DataFrame) -> str:
    """A hint where pictures stand in the table, as text."""
    found = [str(column) for column in table.columns if is_picture(_first(table[column]))]
    return (
        f" {found[0]!r} looks like pictures as text: save each as a file, and give their paths in a column."
        if found
        else ""
    )


def _one_hot(table: pd.DataFrame) -> str:
    """A hint where classes are columns of 0 and 1."""
    numbers = table.apply(pd.to_numeric, errors="coerce")
    flags = numbers.loc[:, numbers.isin([0, 1]).all()]
    both = flags.loc[:, flags.nunique() == 2]
    if both.empty:
        return ""
    one = f"--label {both.columns[0]} asks about that one"
    for classes in (flags, both):
        if classes.shape[1] > 1 and (classes.sum(axis=1) == 1).all():
            names = ", ".join(map(repr, classes.columns))
            return (
                f" {', '.join(map(str, classes.columns))} hold 0 and 1, a single 1 in every row, so together they "
                "are one label: in pandas, table = table.rename(columns=str.strip); "
                f"table['label'] = table[[{names}]].idxmax(axis=1). {one} alone."
            )
    return f" {', '.join(map(str, both.columns[:6]))} hold{'s' if both.shape[1] == 1 else ''} 0 and 1: {one}."


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
