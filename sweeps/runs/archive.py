"""A run as one file: everything that a report needs, and nothing that can be made again."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import FACTS_FILE, RUN_FILE, CamerabiasError
from camerabias.trainables.records.record import (
    CHECKPOINT_FILE,
    CHECKPOINT_STATE_FILE,
    EXAMPLES_FOLDER,
    PROGRESS_FILE,
    SEARCHES_FOLDER,
    SENSOR_PATTERN_FILE,
    STUDIES_FOLDER,
    TRIALS_FOLDER,
    WEIGHTS_FILE,
)
from camerabias.trainables.records.run import Run

KEPT = (
    RUN_FILE,
    FACTS_FILE,
    SENSOR_PATTERN_FILE,
    STUDIES_FOLDER,
    TRIALS_FOLDER,
    SEARCHES_FOLDER,
    EXAMPLES_FOLDER,
)
"""What a run consists of; a dataset that lies in its folder, and its report, do not go along."""
LEFT_OUT = (WEIGHTS_FILE, CHECKPOINT_FILE, CHECKPOINT_STATE_FILE, PROGRESS_FILE)


def pack_run(run: Run, archive: Path) -> int:
    """Write a run's records into a .tar.gz, the same bytes for the same records.

    Returns:
        Number of files in it.

    Raises:
        CamerabiasError: There is no run, or the file cannot be written.
    """
    run.info()
    paths = sorted(filter(_belongs, run.folder.walk()), key=lambda path: path == RUN_FILE)  # which comes last
    temporary = archive.with_name(f"{archive.name}.tmp")
    try:
        with (
            open(temporary, "wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w") as tar,
        ):
            for path in paths:
                content = run.folder.read_bytes(path)
                member = tarfile.TarInfo(path)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        os.replace(temporary, archive)
    except OSError as error:
        raise CamerabiasError(f"Cannot write {archive} ({error}); choose another place.") from error
    return len(paths)


def unpack_run(archive: Path, out: Folder) -> int:
    """Read a packed run into an empty folder, `run.json` last.

    Returns:
        Number of files.

    Raises:
        CamerabiasError: The file is no packed run, or the folder is not empty.
    """
    if out.names():
        raise CamerabiasError(f"{out} is not empty; choose another folder, so that no records are mixed.")
    try:
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
            _check(members, archive)
            for member in sorted(members, key=lambda member: member.name == RUN_FILE):
                folder, _, name = member.name.rpartition("/")
                (out.child(folder) if folder else out).write_bytes(name, _read(tar, member))
    except (OSError, tarfile.TarError, EOFError, ValueError, zlib.error) as error:
        reason = str(error).partition("\n")[0]  # tarfile tells of every compression it has tried
        raise CamerabiasError(f"{archive} cannot be read as a packed run ({reason}).") from error
    return len(members)


def _check(members: list[tarfile.TarInfo], archive: Path) -> None:
    """Refuse, before anything is written, what `pack_run` does not make."""
    for member in members:
        if not member.isfile() or not _belongs(member.name) or ".." in PurePosixPath(member.name).parts:
            raise CamerabiasError(f"{archive} is no packed run: {member.name} does not belong into a run.")
    if RUN_FILE not in {member.name for member in members}:
        raise CamerabiasError(f"{archive} is no packed run: it holds no {RUN_FILE}.")


def _belongs(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return parts[0] in KEPT and parts[-1] not in LEFT_OUT and not path.endswith(".tmp")


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member)
    assert content is not None, "a file has content"
    return content.read()
