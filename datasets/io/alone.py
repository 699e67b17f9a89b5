"""A folder that one process at a time makes something in: others that come meanwhile wait, and find it made."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from camerabias.datasets.io.storage import Folder, make_writable

_log = logging.getLogger(__name__)


@contextmanager
def alone_in(folder: Folder) -> Iterator[None]:
    """Hold a folder of this machine for the block; the system gives it back however the process ends.

    Nothing is left in the folder. Buckets cannot be held, and a folder that cannot be written is not: who writes
    there says why.
    """
    if not (folder.is_local and make_writable(Path(folder.path)) and os.access(folder.path, os.R_OK)):
        yield
        return
    held = os.open(folder.path, os.O_RDONLY)
    try:
        _wait_for(held, folder)
        yield
    finally:
        os.close(held)


def _wait_for(held: int, folder: Folder) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.warning("Another process is at work in %s; waiting until it has ended.", folder)
        fcntl.flock(held, fcntl.LOCK_EX)
    except OSError as error:  # network file systems may have no locks
        _log.info("%s cannot be held (%s)", folder, error.strerror)
