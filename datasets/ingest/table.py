"""Photos that a table lists: a row each, with a column `path`."""

from __future__ import annotations

import json
import posixpath
import warnings
from collections.abc import Callable, Iterable

import pandas as pd

from camerabias.datasets.ingest.photo import SOURCES, Photo, Reading, Source, SourceKind
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import INDEX_COLUMNS, CamerabiasError


def is_table(location: str) -> bool:
    """Whether a location is named as a table is, whether or not it is there."""
    return location.lower().endswith(tuple(PARSERS))


def read_table(location: str, reading: Reading) -> Source:
    """Read a table's rows; paths are relative to the folder that it lies in.

    Raises:
        CamerabiasError: No such table, it cannot be read, or is refused as by `photos_of`.
    """
    parent, name = posixpath.split(location)
    root = Folder(parent or ".")
    if not root.exists(name):
        raise CamerabiasError(f"There is no table {root.file(name)}.")
    parse = PARSERS[posixpath.splitext(name)[1].lower()]
    try:
        table = parse(root, name)
    except (ValueError, OSError, pd.errors.ParserWarning) as error:
        raise CamerabiasError(f"Cannot read the table {root.file(name)}: {error}") from error
    return Source("table", root, photos_of(table, reading, root.file(name)))


def photos_of(table: pd.DataFrame, reading: Reading, name: str) -> list[Photo]:
    """The photos that a table lists, in its order.

    Args:
        table: A row per photo: columns path, label, camera as `reading` names them, group and split where there
            are such, and any others, which go along.
        reading: Names of columns.
        name: What errors call the table.

    Raises:
        CamerabiasError: Columns are missing, or have gaps, or there are no rows.
    """
    wanted = _wanted_columns(table, reading, name)
    _refuse_gaps(table, wanted.values(), name)
    others = [c for c in table.columns if c not in wanted.values() and c not in INDEX_COLUMNS]
    words = pd.DataFrame({ours: table[theirs].astype(str) for ours, theirs in wanted.items()})
    # plain Python values, gaps as None, so that rows travel as JSON
    plain = table[others].astype(object).where(table[others].notna(), None).to_dict("records")
    return [
        Photo(
            row["path"],
            row["label"],
            row.get("camera"),
            row.get("group"),
            row.get("split"),
            {str(key): value for key, value in beside.items()},
        )
        for row, beside in zip(words.to_dict("records"), plain, strict=True)
    ]


def _wanted_columns(table: pd.DataFrame, reading: Reading, name: str) -> dict[str, str]:
    """Our name and the table's of each column that says something of a photo."""
    wanted = {"path": "path", "label": reading.label}
    if not reading.from_exif:
        wanted["camera"] = reading.camera
    if reading.group or "group" in table:
        wanted["group"] = reading.group or "group"
    if "split" in table:
        wanted["split"] = "split"
    absent = [column for column in wanted.values() if column not in table]
    if absent:
        raise CamerabiasError(
            f"{name} has no column {', '.join(repr(c) for c in absent)}; it has "
            f"{', '.join(map(str, table.columns))}. Name columns with --label, --camera and --group, or take "
            "the camera from EXIF with --camera-from exif."
        )
    return wanted


def _refuse_gaps(table: pd.DataFrame, columns: Iterable[str], name: str) -> None:
    if table.empty:
        raise CamerabiasError(f"{name} lists no photos.")
    for column in columns:
        gaps = table[column].isna().to_numpy().nonzero()[0]
        if len(gaps):
            raise CamerabiasError(
                f"{name} has no {column} in {len(gaps)} of {len(table)} rows (first: data row {gaps[0] + 1}); "
                "fill them in or drop those rows."
            )


def _parse_csv(root: Folder, name: str, separator: str = ",") -> pd.DataFrame:
    """As text, so that a label `01` stays what it is; only an empty field is a gap."""
    with root.filesystem.open_input_stream(root.file(name)) as stream, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # a row longer than the header
        return pd.read_csv(
            stream, sep=separator, dtype=str, keep_default_na=False, na_values=[""], index_col=False
        )


def _parse_tsv(root: Folder, name: str) -> pd.DataFrame:
    return _parse_csv(root, name, "\t")


def _parse_parquet(root: Folder, name: str) -> pd.DataFrame:
    """An index that pandas wrote along is a column like any other."""
    frame: pd.DataFrame = root.read_table(name).to_pandas(ignore_metadata=True)
    return frame


def _parse_json_lines(root: Folder, name: str) -> pd.DataFrame:
    """By hand: pandas would turn words into dates and, beside gaps, whole numbers into floats."""
    with root.filesystem.open_input_stream(root.file(name)) as stream:
        rows = [json.loads(line) for line in stream.read().splitlines() if line.strip()]
    return pd.DataFrame(rows, dtype=object)


PARSERS: dict[str, Callable[[Folder, str], pd.DataFrame]] = {
    ".csv": _parse_csv,
    ".tsv": _parse_tsv,
    ".parquet": _parse_parquet,
    ".jsonl": _parse_json_lines,
}
"""How a table is parsed, by the ending of its name."""

SOURCES["table"] = SourceKind(is_table, read_table, f"a table ({', '.join(PARSERS)})")
