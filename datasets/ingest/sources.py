"""The formats that photos come in, by name. Nothing is decoded here."""

from __future__ import annotations

from camerabias.datasets.ingest.folder import is_folder, read_folder
from camerabias.datasets.ingest.photo import Reading, Source, SourceKind
from camerabias.datasets.ingest.table import PARSERS, is_table, read_table
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError

SOURCES: dict[str, SourceKind] = {
    "folder": SourceKind(is_folder, read_folder, "a folder of photos"),
    "table": SourceKind(is_table, read_table, f"a table ({', '.join(PARSERS)})"),
}
"""Formats by name, which stands in the dataset's manifest; the last that recognises a location reads it."""


def read_source(location: str, reading: Reading | None = None) -> Source:
    """Read photos of whatever format lies at a location.

    Args:
        location: Path or URI.
        reading: How; None for the names and levels that are usual.

    Raises:
        CamerabiasError: Nothing there, in no format of `SOURCES`, without photos, or not as `reading` says.
    """
    for kind in reversed(SOURCES.values()):
        if kind.recognises(location):
            return kind.read(location, reading or Reading())
    allowed = ", ".join(kind.words for kind in reversed(SOURCES.values()))
    if Folder(location).exists():
        raise CamerabiasError(f"{location} is of no format that can be read; give {allowed}.")
    raise CamerabiasError(
        f"There is nothing at {location}; give {allowed}, or a dataset made by `camerabias data`."
    )
