"""Documents of records, read as what they should be; what cannot be read is named."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError

AnyDocument = TypeVar("AnyDocument", bound=BaseModel)


def read_document(folder: Folder, name: str, kind: type[AnyDocument]) -> AnyDocument:
    """The JSON document in the file `name`.

    Raises:
        CamerabiasError: It is missing, is no JSON, or has other fields; the file is named.
    """
    try:
        return kind.model_validate(folder.read_json(name))
    except ValidationError as error:
        raise damaged(folder, name, error) from error


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
