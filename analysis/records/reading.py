"""Files that cannot be read are named, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from camerabias.trainables.records.documents import damaged
from camerabias.trainables.records.record import Record

UNREADABLE = (OSError, ValueError)
"""Broken JSON, unfit fields (pydantic), Parquet (Arrow), arrays."""


@contextmanager
def naming(record: Record, name: str) -> Iterator[None]:
    """Turn what goes wrong while the file `name` of a record is read into an error that names the file."""
    try:
        yield
    except UNREADABLE as error:
        raise damaged(record.folder, name, error) from error
