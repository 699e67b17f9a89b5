"""Reading photos of whatever format. Nothing is decoded here."""

from __future__ import annotations

import posixpath

from camerabias.datasets.io.registered import import_files
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import SOURCES, Reading, Source
from camerabias.datasets.reading.walk import CONVERSIONS
from camerabias.datasets.schema import CamerabiasError

LAST = ("table", "folder")
"""Any file of such a name is a table, and any folder one of photos: whatever is more particular is asked before."""


def read_source(location: str, reading: Reading | None = None) -> Source:
    """Read photos of whatever format lies at a location.

    Args:
        location: Path or URI.
        reading: How; None for the names and levels that are usual.

    Raises:
        CamerabiasError: Nothing there, in no format of `SOURCES`, without photos, or not as `reading` says.
    """
    import_files("camerabias.datasets.sources")
    names = [*sorted(SOURCES.keys() - set(LAST)), *LAST]
    for kind in (SOURCES[name] for name in names):
        if kind.recognises(location):
            return kind.read(location, reading or Reading())
    allowed = ", ".join(SOURCES[name].words for name in [*LAST, *names[: -len(LAST)]])
    if Folder(location).exists():
        known = CONVERSIONS.get(posixpath.splitext(location)[1].lower())
        raise CamerabiasError(
            f"{location} is of no format that can be read{f' ({known})' if known else ''}; give {allowed}."
        )
    raise CamerabiasError(
        f"There is nothing at {location}; give {allowed}, or a dataset made by `camerabias data`."
    )
