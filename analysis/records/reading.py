"""Files that cannot be read are named, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zipfile import BadZipFile

from pydantic import ValidationError

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.record import (
    Record,
)

UNREADABLE = (
    OSError,
    ValueError,  # broken JSON, unfit fields (pydantic), Parquet (Arrow), arrays
    BadZipFile,
)


@contextmanager
def naming(record: Record, name: str) -> Iterator[None]:
    """Turn what goes wrong while the file `name` of a record is read into an error that names the file."""
    try:
        yield
    except UNREADABLE as error:
        raise damaged(record.folder, name, error) from error


def damaged(folder: Folder, name: str, error: Exception) -> CamerabiasError:
    """An error that names a file and why it cannot be read."""
    return CamerabiasError(
        f"{folder}/{name} cannot be read ({in_short(error)}); copy it again, or delete it and run the sweep again."
    )


def in_short(error: Exception) -> str:
    """The first line of an error, or the first fields that do not fit."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return str(error).partition("\n")[0]
