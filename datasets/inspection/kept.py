"""Tables that can be computed again, kept so that they need not be."""

from __future__ import annotations

import logging

import pandas as pd
import pyarrow as pa

from camerabias.datasets.io.storage import Folder, StorageError
from camerabias.datasets.schema import CamerabiasError

_log = logging.getLogger(__name__)


def kept(folder: Folder, name: str) -> pd.DataFrame | None:
    """What `keep` wrote; None where there is nothing, or what is there is damaged."""
    try:
        return folder.read_table(name).to_pandas() if folder.exists(name) else None
    except CamerabiasError:
        return None


def keep(folder: Folder, name: str, frame: pd.DataFrame) -> None:
    """Write a table; where that fails, a warning says why, and work continues without."""
    try:
        folder.write_table(name, pa.Table.from_pandas(frame, preserve_index=False), checksums=True)
    except StorageError as error:
        _log.warning("What was read of the photos is not kept for the next time. %s", error)
