"""Tables as people have them: CSV of any separator and encoding, JSON by array or by line, Parquet."""

from __future__ import annotations

import csv
import io
import json
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.embedded import EmbeddedPhotos, find_embedded, name_classes
from camerabias.datasets.reading.encoding import decode_text
from camerabias.datasets.reading.walk import IMAGE_ENDINGS
from camerabias.datasets.reading.words import trimmed
from camerabias.datasets.schema import CamerabiasError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
SAMPLE_ROWS = 100
"""Rows that tell the separator."""

_DECLARED = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
"""Excel's first line, which names the separator."""

_COMMENTS = "{} comment lines (they begin with #) are skipped."
_HEADERS = "{} lines repeat the header, as where files are joined, and are skipped."
_PADDED = "Blanks around cells are removed, in {} rows."


class TextRow(NamedTuple):
    """A row of text: the numbers of its first and last lines, and its cells."""

    first: int
    last: int
    cells: list[str]


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
    text, notes = decode_text(root.read_bytes(name))
    declared = _DECLARED.match(text)
    separator = declared.group(1) if declared else _separator(text)
    text = _unjoined(_DECLARED.sub("\n", text))  # lines keep their numbers
    if separator != ",":
        notes.append(
            f"Columns are separated by {(SEPARATORS | {' ': 'blanks'}).get(separator, repr(separator))}."
        )
    header, rows = _rows(text, separator, notes)
    return Table(pd.DataFrame(rows, columns=header, dtype=object), notes)


def _unjoined(text: str) -> str:
    """Text of tables that were joined as files, without the byte order marks of all but the first."""
    first = re.escape(text.lstrip().partition("\n")[0].strip())
    return re.sub(rf"(\r\n|\r|\n|)\ufeff(?={first}|[\r\n])", "\n", text) if first else text


def _separator(text: str) -> str:
    """The separator that cuts most rows into as many cells as the header, two at least."""

    def score(separator: str) -> tuple[float, int]:
        rows = [
            line.cells for line in islice(_cut(text, separator), SAMPLE_ROWS) if not _is_comment(line.cells)
        ]
        width = len(rows[0]) if rows else 0
        return (sum(len(row) == width for row in rows) / len(rows) if width > 1 else 0.0), width

    best = max((one for one in SEPARATORS if one != " "), key=score)
    return " " if score(best)[0] == 0 and score(" ")[0] == 1 else best


def _cut(text: str, separator: str) -> Iterator[TextRow]:
    """Rows that are not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    before = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield TextRow(before + 1, reader.line_num, row)
            before = reader.line_num
    except csv.Error as error:
        raise ValueError(f"line {before + 1}: {error}; is a quote not closed?") from error


def _is_comment(row: Sequence[str]) -> bool:
    return row[0].lstrip().startswith("#")


def _rows(text: str, separator: str, notes: list[str]) -> tuple[list[str], list[list[str | None]]]:
    header: list[str] = []
    passed: Counter[str] = Counter()
    rows, spanning = [], []
    for line in _cut(text, separator):
        cells = [trimmed(cell) for cell in line.cells]
        if aside := _aside(cells, header, line.last):
            passed[aside] += 1
        elif not header:
            header = cells
        else:
            if line.last > line.first:
                _refuse_swallowed(line, separator, len(header))
                spanning.append(line)
            passed[_PADDED] += cells != line.cells
            rows.append(_fitted(line, cells, len(header)))
    if not header:
        raise ValueError("it is empty")
    notes += [said.format(passed[said]) for said in (_COMMENTS, _HEADERS, _PADDED) if passed[said]]
    if spanning:
        notes.append(
            f"{len(spanning)} rows have line breaks within quotes (first: lines {spanning[0].first} to "
            f"{spanning[0].last})."
        )
    return _named(header), rows


def _aside(cells: Sequence[str], header: Sequence[str], line: int) -> str:
    """What is said of a row that is none of the table's; empty of others.

    Raises:
        ValueError: The row is the header of another table.
    """
    if _is_comment(cells) and len(cells) != len(header):
        return _COMMENTS
    words, names = ([cell.casefold() for cell in row if cell] for row in (cells, header))
    if header and words == names:
        return _HEADERS
    is_header = not any(name.endswith(IMAGE_ENDINGS) for name in names)
    if is_header and len({*words} & {*names}) >= max(2, len(names) / 2):
        raise ValueError(
            f"line {line} is the header of another table ({', '.join(cells)}): join tables by the names of their "
            "columns, with pandas.concat say"
        )
    return ""


def _refuse_swallowed(line: TextRow, separator: str, width: int) -> None:
    """Refuse a quoted cell whose lines would be rows of their own: its quote was no beginning of one.

    Of rows that a quote joins, each line holds as many separators as the header. Blanks follow the commas of prose.
    """
    for place, cell in enumerate(line.cells):
        counts = [len(re.findall(rf"{re.escape(separator)}(?! )", part)) for part in cell.splitlines()]
        full = {place + count for count in counts[:1]} | {*counts[1:-1]}
        if len(counts) > 1 and full == {width - 1} and counts[-1] in (place, width - 1):
            raise ValueError(_one_quote(line))


def _one_quote(line: TextRow) -> str:
    return (
        f"a quote that opens in line {line.first} closes in line {line.last} or not at all, so that these lines "
        'would be one row. Remove that quote, or write it as "" within a quoted cell'
    )


def _fitted(line: TextRow, cells: list[str], width: int) -> list[str | None]:
    """As many cells as the header has; what is missing at the end is a gap."""
    if any(cells[width:]):
        raise ValueError(
            _one_quote(line)
            if line.last > line.first
            else f"line {line.last} has {len(cells)} cells where the header has {width}; put cells that hold a "
            "separator in quotes"
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
    """Read JSON: an object per line, an array of objects, or an object of columns or rows, in any shape of pandas.

    Plain values stay as they are; pandas' own reader would turn words into dates and, beside gaps, whole numbers into
    floats.

    Raises:
        ValueError: It is none of these; says the row.
    """
    text, notes = decode_text(root.read_bytes(name))
    rows = _json_rows(text, notes)
    if isinstance(rows, dict):
        return Table(pd.DataFrame(rows, dtype=object).reset_index(drop=True), notes)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise ValueError(  # noqa: TRY004 - it is the file's fault
                f"row {number} is {json.dumps(row)[:60]}; a row is an object such as "
                '{"path": "a.jpg", "label": "cat", "camera": "x100"}'
            )
    return Table(pd.DataFrame(rows, dtype=object), notes)


def _json_rows(text: str, notes: list[str]) -> Any:
    """The rows, or columns that are lists."""
    try:
        whole = json.loads(text)
    except (
        json.JSONDecodeError
    ):  # several documents, so a line each; what is wrong with one is said of its line
        lines = enumerate(text.splitlines(), start=1)
        return [_json_line(line, number) for number, line in lines if line.strip()]
    return (
        _of_object(whole, notes) if isinstance(whole, dict) else whole if isinstance(whole, list) else [whole]
    )


def _of_object(whole: dict[str, Any], notes: list[str]) -> Any:
    """The rows, or columns, that an object is or holds."""
    values = [*whole.values()]
    if {"columns", "data"} <= whole.keys() <= {"columns", "data", "index"}:  # pandas' orient="split"
        return [dict(zip(whole["columns"], row, strict=False)) for row in whole["data"]]
    if values and all(isinstance(value, dict) and value for value in values):
        if all(key.isdigit() for value in values for key in value):  # as pandas writes by default
            return {name: pd.Series(column) for name, column in whole.items()}
        return [{"path": key} | row for key, row in whole.items()]
    lists = [
        key
        for key, value in whole.items()
        if isinstance(value, list) and isinstance(next(iter(value), 0), dict)
    ]
    if len(lists) == 1:
        notes.append(f"Rows are those under {lists[0]!r}.")
        return whole[lists[0]]
    return whole if values and all(isinstance(value, list) for value in values) else [whole]


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
