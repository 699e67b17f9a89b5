"""Files of one JSON document per line, in which calibrations are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from camerabias.datasets.schema import CamerabiasError

Document = TypeVar("Document", bound=BaseModel)


def read_documents(path: Path, kind: type[Document]) -> list[Document]:
    """The documents of a file; none where there is no file.

    Args:
        path: The file.
        kind: What its lines are.

    Raises:
        CamerabiasError: A line cannot be read; it is named by its number.
    """
    documents = []
    for number, text in enumerate(path.read_bytes().splitlines() if path.exists() else [], start=1):
        try:
            documents.append(kind.model_validate_json(text))
        except ValidationError as error:
            raise CamerabiasError(
                f"Line {number} of {path} is not a line of a calibration ({error.errors()[0]['msg']}); delete "
                "it, and calibrate again."
            ) from error
    return documents


def append_documents(path: Path, documents: Sequence[BaseModel]) -> None:
    """Add documents to a file, a line each; it is made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.writelines(document.model_dump_json() + "\n" for document in documents)
