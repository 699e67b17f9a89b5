"""Photos whose bytes stand in a table, as Hugging Face and Spark write them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import pandas as pd
import pyarrow as pa

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.words import name_class
from camerabias.datasets.schema import CamerabiasError


@dataclass(frozen=True)
class EmbeddedPhotos:
    """Reads photos of a Parquet file by paths such as `photos.parquet#17`, a row group at a time.

    Attributes:
        folder: Where the file lies.
        name: Of the file.
        column: Of bytes, or of Hugging Face's `{bytes, path}`.
    """

    folder: Folder
    name: str
    column: str

    def __call__(self, path: str) -> bytes:
        """The photo of a row; `CamerabiasError` where the row holds none."""
        row = row_of(path)
        ends = _group_ends(self.folder.uri, self.name)
        group = next(number for number, end in enumerate(ends) if row < end)
        values = _read_group(self.folder.uri, self.name, self.column, group)
        return bytes_of(values[row - (ends[group - 1] if group else 0)].as_py(), path)


def row_of(path: str) -> int:
    """The row that a path such as `train#17` means."""
    return int(path.rpartition("#")[2])


def bytes_of(value: Any, path: str) -> bytes:
    """The bytes of a cell; `CamerabiasError` where it holds none."""
    content = value["bytes"] if isinstance(value, dict) else value
    if not content:
        raise CamerabiasError(f"{path} holds no bytes of a photo, at most the path of one")
    return bytes(content)


@lru_cache(maxsize=4)
def _group_ends(folder: str, name: str) -> Sequence[int]:
    with Folder(folder).open_parquet(name) as parquet:
        meta = parquet.metadata
        return list(accumulate(meta.row_group(number).num_rows for number in range(meta.num_row_groups)))


@lru_cache(maxsize=1)  # rows come in their order, so each group is read once
def _read_group(folder: str, name: str, column: str, group: int) -> pa.ChunkedArray:
    with Folder(folder).open_parquet(name) as parquet:
        return parquet.read_row_group(group, [column], use_threads=False).column(column)


def find_embedded(schema: pa.Schema) -> str | None:
    """The first column of a schema that holds bytes of photos."""
    return next((field.name for field in schema if _holds_bytes(field.type)), None)


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in kind)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def name_classes(frame: pd.DataFrame, schema: pa.Schema) -> pd.DataFrame:
    """A frame with the names of classes in place of numbers, where Hugging Face's metadata has them.

    Raises:
        CamerabiasError: A number is beyond the names.
    """
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except KeyError:
        return frame
    for column in features.keys() & {*frame.columns}:
        if names := _names_in(features[column]):
            frame[column] = [name_class(code, names, column) for code in frame[column]]
    return frame


def _names_in(feature: Any) -> list[str] | None:
    """Names of a feature's classes, also of lists of them."""
    while isinstance(feature, list) or "feature" in feature:
        feature = feature[0] if isinstance(feature, list) else feature["feature"]
    names: list[str] | None = feature.get("names")
    return names
