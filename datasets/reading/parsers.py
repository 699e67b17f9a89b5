"""Tables as people have them: CSV of any separator and encoding, JSON by array or by line, Parquet."""

from __future__ import annotations

import csv
import io
import json
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.embedded import EmbeddedPhotos, find_embedded, name_classes
from camerabias.datasets.schema import CamerabiasError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SAMPLE_ROWS = 100
"""Rows that tell the separator."""


class Table(NamedTuple):
    """A table's rows as plain values, gaps as None, and what was assumed in reading it, in sentences.

    Where photos stand in the table itself, `embedded` reads them by their paths.
    """

    frame: pd.DataFrame
    notes: list[str]
    embedded: EmbeddedPhotos | None = None


def parse_text(root: Folder, name: str) -> Table:
    """Read CSV: as text, so that a label `01` stays what it is; only an empty cell is a gap.

    Raises:
        ValueError: It does not read as a table; says the line.
    """
    text, notes = _decode(root.read_bytes(name))
    separator = _separator(text)
    if separator != ",":
        notes.append(f"Columns are separated by {SEPARATORS[separator]}.")
    header, rows = _rows(text, separator, notes)
    return Table(pd.DataFrame(rows, columns=header, dtype=object), notes)


def _decode(content: bytes) -> tuple[str, list[str]]:
    if content[:4] == b"PK\x03\x04":
        raise ValueError("it is an Excel workbook or a zip archive; save it as CSV (UTF-8)")
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding), []
    if b"\0" in content:
        raise ValueError("it holds NUL bytes, so it is no text; save it as CSV (UTF-8)")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        return content.decode("cp1252"), ["The table is not UTF-8, so it is read as Windows-1252."]


def _separator(text: str) -> str:
    """The separator that cuts most rows into as many cells as the header, two at least."""

    def score(separator: str) -> tuple[float, int]:
        rows = [row for _, row in _cut(text, separator, SAMPLE_ROWS) if not _is_comment(row)]
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0.0), width

    return max(SEPARATORS, key=score)


def _cut(text: str, separator: str, n: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of rows that are not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
                n = None if n is None else n - 1
                if n == 0:
                    return
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}; is a quote not closed?") from error


def _is_comment(row: Sequence[str]) -> bool:
    return row[0].lstrip().startswith("#")


def _rows(text: str, separator: str, notes: list[str]) -> tuple[list[str], list[list[str | None]]]:
    lines = _cut(text, separator)
    header = next((row for _, row in lines if not _is_comment(row)), None)
    if header is None:
        raise ValueError("it is empty")
    n_comments, n_padded, rows = 0, 0, []
    for number, row in lines:
        if _is_comment(row) and len(row) != len(header):
            n_comments += 1
            continue
        cells = [cell.strip() for cell in row]
        n_padded += cells != row
        rows.append(_fitted(cells, len(header), number))
    if n_comments:
        notes.append(f"{n_comments} comment lines (they begin with #) are skipped.")
    if n_padded:
        notes.append(f"Blanks around cells are removed, in {n_padded} rows.")
    return _named(header), rows


def _fitted(cells: list[str], width: int, number: int) -> list[str | None]:
    """As many cells as the header has; what is missing at the end is a gap."""
    if any(cells[width:]):
        raise ValueError(
            f"line {number} has {len(cells)} cells where the header has {width}; put cells that hold a separator "
            "in quotes"
        )
    return [cell or None for cell in cells[:width]] + [None] * (width - len(cells))


def _named(header: Sequence[str]) -> list[str]:
    """Names of columns, each once: the second `label` is `label (2)`, which `photos_of` refuses to choose from."""
    seen: Counter[str] = Counter()
    names = []
    for number, cell in enumerate(header, start=1):
        name = cell.strip() or f"column {number}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def parse_json(root: Folder, name: str) -> Table:
    """Read JSON: an object per line, an array of objects, or an object of columns.

    Plain values stay as they are; pandas' own reader would turn words into dates and, beside gaps, whole numbers into
    floats.

    Raises:
        ValueError: It is none of these; says the row.
    """
    text = root.read_bytes(name).decode("utf-8-sig")
    rows = _json_rows(text)
    if isinstance(rows, dict):
        return Table(pd.DataFrame(rows, dtype=object), [])
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise ValueError(  # noqa: TRY004 - it is the file's fault
                f"row {number} is {json.dumps(row)[:60]}; a row is an object such as "
                '{"path": "a.jpg", "label": "cat", "camera": "x100"}'
            )
    return Table(pd.DataFrame(rows, dtype=object), [])


def _json_rows(text: str) -> Any:
    """The rows, or columns that are lists."""
    try:
        whole = json.loads(text)
    except (
        json.JSONDecodeError
    ):  # several documents, so a line each; what is wrong with one is said of its line
        lines = enumerate(text.splitlines(), start=1)
        return [_json_line(line, number) for number, line in lines if line.strip()]
    if isinstance(whole, dict) and whole and all(isinstance(column, list) for column in whole.values()):
        return whole
    return whole if isinstance(whole, list) else [whole]


def _json_line(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {number} is no JSON ({error.msg})") from error


def parse_parquet(root: Folder, name: str) -> Table:
    """Read Parquet; an index that pandas wrote along is a column like any other, and bytes of photos stay there."""
    with root.open_parquet(name) as parquet:
        schema = parquet.schema_arrow
    column = find_embedded(schema)
    frame: pd.DataFrame = root.read_table(name, [c for c in schema.names if c != column]).to_pandas(
        ignore_metadata=True
    )
    frame = name_classes(frame, schema)
    if column is None:
        return Table(frame, [])
    frame = frame.rename(columns={"path": "given_path"}).assign(
        path=[f"{name}#{row}" for row in range(len(frame))]
    )
    return Table(
        frame, [f"Photos are the bytes in the column {column!r}."], EmbeddedPhotos(root, name, column)
    )


PARSERS: dict[str, Callable[[Folder, str], Table]] = {
    ".csv": parse_text,
    ".tsv": parse_text,
    ".txt": parse_text,
    ".parquet": parse_parquet,
    ".jsonl": parse_json,
    ".json": parse_json,
}
"""How a table is parsed, by the ending of its name."""


def parse_table(root: Folder, name: str) -> Table:
    """Read a table of any of these formats.

    Raises:
        CamerabiasError: There is none, or it does not read as one.
    """
    if not root.exists(name):
        raise CamerabiasError(f"There is no table {root.file(name)}.")
    try:
        return PARSERS[posixpath.splitext(name)[1].lower()](root, name)
    except (ValueError, OSError) as error:
        raise CamerabiasError(f"Cannot read the table {root.file(name)}: {error}.") from error
