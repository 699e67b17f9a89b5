"""Folders that may be local or in a bucket (`s3://`, `gs://`), and files that appear whole or not at all.

A local file is written under a temporary name, then renamed; an object store's PUT is atomic by itself. Where the
storage itself fails (it is full, cannot be reached, or refuses), that is a `StorageError`: no fault of what was
being written, and worth another try. A bucket that cannot be reached is waited for first; so files of a bucket are
read and written whole, which is what can be done again.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import posixpath
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pydantic_core import from_json

from camerabias.datasets.schema import CamerabiasError

WAITS = (1, 2, 4, 8, *[15] * 39)
"""Seconds between one attempt at a bucket and the next: ten minutes in all, after those of pyarrow's own."""

PERMANENT = (
    "ACCESS_DENIED", "NO_SUCH_BUCKET", "INVALID_", "SIGNATURE", "UNRECOGNIZED_CLIENT", "PERMISSION_DENIED",
    "UNAUTHENTICATED", "NOT_FOUND", "not found", "Forbidden",
)  # fmt: skip
"""What stands in errors of object stores (AWS's and Google's names) that waiting does not fix."""

_DENIED = (
    "your user may not read or write there; change that with chmod or chown (a folder needs x, too), or choose "
    "another folder"
)
_ADVICE = {
    errno.EACCES: _DENIED, errno.EPERM: _DENIED,
    errno.EROFS: "it is mounted read-only; choose another folder",
    errno.ENOSPC: "free space, or choose another folder", errno.EDQUOT: "free space, or choose another folder",
    errno.ENAMETOOLONG: "choose a shorter name",
}  # fmt: skip
"""What helps against what a local file system answers."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class StorageError(CamerabiasError):
    """A file system that is full, cannot be reached, or refuses."""


class Folder:
    """A folder of a file system, with the few operations that camerabias needs.

    Args:
        location: A local path or a URI such as `s3://bucket/prefix`.
    """

    filesystem: fs.FileSystem
    path: str
    """As the file system wants it."""
    _base: str
    _query: str

    def __init__(self, location: str | Path | Folder) -> None:
        if isinstance(location, Folder):
            self.filesystem, self.path = location.filesystem, location.path
            self._base, self._query = location._base, location._query
            return
        text = os.fspath(location)
        _refuse_bytes(text)
        if "://" in text:
            self._base, self._query = text.partition("?")[0].rstrip("/"), text.partition("?")[2]
            self.filesystem, self.path = _connect(text)
        else:
            self.filesystem, self.path = fs.LocalFileSystem(), os.path.abspath(os.path.expanduser(text))
            self._base, self._query = self.path, ""

    def __repr__(self) -> str:
        return f"Folder({self.uri!r})"

    def __str__(self) -> str:
        return self.uri

    def __reduce__(self) -> tuple[type[Folder], tuple[str]]:
        return (Folder, (self.uri,))  # a file system handle does not travel between processes

    @property
    def uri(self) -> str:
        """As a person writes it: the path, or the address in the bucket, with what follows a question mark."""
        return f"{self._base}?{self._query}" if self._query else self._base

    @property
    def is_local(self) -> bool:
        """Whether the folder lies on this machine's own file system."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def child(self, *names: str) -> Folder:
        """The folder `names` below this one; nothing is created."""
        below = Folder(self)  # shares the file system: a client of a bucket is slow to make
        below.path, below._base = posixpath.join(self.path, *names), posixpath.join(self._base, *names)
        return below

    def file(self, name: str) -> str:
        """Path of the file `name` as the file system wants it."""
        return posixpath.join(self.path, name)

    def exists(self, name: str = "") -> bool:
        """Whether `name` (or, by default, the folder itself) is there."""
        return self._type(self.file(name) if name else self.path) != "NotFound"

    def changed(self, name: str) -> float:
        """When the file `name` was written, in seconds since 1970."""
        return float(self._info(self.file(name)).mtime_ns / 1e9)

    def stamp(self, name: str) -> str | None:
        """What differs once another file `name` was written, or moved, there; None where there is none."""
        if not self.is_local:
            info = self._info(self.file(name))
            return None if info.type == fs.FileType.NotFound else f"{info.size} {info.mtime_ns}"
        try:
            found = os.stat(self.file(name))
        except OSError:
            return None
        return f"{found.st_size} {found.st_ctime_ns}"  # copying and moving may keep the time of writing

    def is_file(self) -> bool:
        """Whether there is a file where the folder should be."""
        return self._type(self.path) == "File"

    def _type(self, path: str) -> str:
        """`NotFound`, `File` or `Directory`; no file's name holds NUL."""
        if "\0" in path:
            return "NotFound"
        return str(self._info(path).type.name)

    def _info(self, path: str) -> fs.FileInfo:
        return _patiently(path, lambda: self.filesystem.get_file_info(path))

    def names(self) -> list[str]:
        """Sorted names of what lies directly in the folder; empty when the folder is missing."""
        return sorted(info.base_name for info in self._list(recursive=False))

    def walk(self) -> list[str]:
        """Sorted paths, relative to the folder, of every file below it."""
        return sorted(self.walk_times())

    def walk_times(self) -> dict[str, float]:
        """Path, relative to the folder, of every file below it, and when it was written, in seconds since 1970."""
        return {
            info.path.removeprefix(self.path).lstrip("/"): info.mtime_ns / 1e9
            for info in self._list(recursive=True)
            if info.type == fs.FileType.File
        }

    def _list(self, recursive: bool) -> list[fs.FileInfo]:
        selector = fs.FileSelector(self.path, recursive=recursive, allow_not_found=True)
        return _patiently(self.path, lambda: self.filesystem.get_file_info(selector))

    def read_bytes(self, name: str) -> bytes:
        """Content of the file `name`.

        Raises:
            FileNotFoundError: It is not there.
        """
        return bytes(self._read(name))

    def _read(self, name: str) -> pa.Buffer:
        path = self.file(name)

        def read() -> pa.Buffer:
            if self.is_local:  # also files whose names are not UTF-8, which pyarrow refuses
                with open(path, "rb") as file:
                    return pa.py_buffer(file.read())
            with self.filesystem.open_input_file(path) as stream:
                return stream.read_buffer()

        return _patiently(path, read)

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write the file `name` at once: a reader sees the old content or the new, never a part."""
        with self.replacing(name) as stream:
            stream.write(content)

    @contextmanager
    def replacing(self, name: str) -> Iterator[IO[bytes]]:
        """A stream whose content becomes the file `name` when the block ends without an error."""
        path = self.file(name)
        if self.is_local:
            with _failing(path), _renamed_to(path) as stream:
                yield stream
        else:
            with tempfile.TemporaryFile() as stream:
                yield stream
                _patiently(path, lambda: self._upload(stream, path))

    def _upload(self, stream: IO[bytes], path: str) -> None:
        """Opens the object only when its content is whole: closing it, even by an error, makes it what has come."""
        stream.seek(0)
        with self.filesystem.open_output_stream(path) as upload:
            shutil.copyfileobj(stream, upload, length=2**20)

    def check_access(self) -> None:
        """Write, list, read back and remove a small file: everything that camerabias asks of a storage.

        Raises:
            StorageError: It cannot be done.
        """
        name, content = f".proof-{uuid.uuid4().hex}", os.urandom(16)
        self.write_bytes(name, content)
        found = self.read_bytes(name) if name in self.names() else None
        self.delete(name)
        if found != content:
            raise StorageError(
                f"{self.uri} does not give back what was written to it a moment ago; a run needs a storage that does."
            )

    def read_json(self, name: str) -> Any:
        """The JSON document in the file `name`."""
        with self._reading(name):
            return from_json(self.read_bytes(name))  # refuses halves of characters, which no text may hold

    def write_json(self, name: str, document: Any) -> None:
        """Write `document` as readable JSON, at once."""
        self.write_bytes(name, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())

    def read_table(self, name: str, columns: list[str] | None = None, part: str | None = None) -> pa.Table:
        """The Parquet file `name`, or just `columns` of it, or just the rows whose column `part` is `part`."""
        filters = None if part is None else [("part", "=", part)]
        with self._reading(name):
            return pq.read_table(
                self._source(name),
                columns=columns,
                filters=filters,
                partitioning=None,
                page_checksum_verification=True,
                use_threads=False,  # threads of Arrow's that outlive the read may abort the process as it ends
            )

    def table_in(self, content: bytes, name: str, columns: list[str] | None = None) -> pa.Table:
        """As `read_table`, of the content of the file `name`, where that has been read already."""
        with self._reading(name):
            parquet = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
            if lacking := set(columns or []) - set(parquet.schema_arrow.names):
                raise ValueError(f"it lacks columns {', '.join(sorted(lacking))}")
            return parquet.read(columns, use_threads=False)

    def open_parquet(self, name: str) -> pq.ParquetFile:
        """The Parquet file `name`, open for reading row group by row group."""
        with self._reading(name):
            return pq.ParquetFile(self._source(name), page_checksum_verification=True)

    def _source(self, name: str) -> str | pa.NativeFile:
        """What pyarrow reads Parquet from: a file of a bucket is read whole first, which can be done again."""
        return self.file(name) if self.is_local else pa.BufferReader(self._read(name))

    def write_table(
        self, name: str, table: pa.Table, row_group_size: int | None = None, checksums: bool = False
    ) -> None:
        """Write `table` as Parquet (zstd), at once.

        Args:
            name: The file's name.
            table: The table.
            row_group_size: Rows that are read together, at most.
            checksums: Whether its pages hold checksums, by which readers know damage that nobody else looks for.
        """
        with self.replacing(name) as stream:
            pq.write_table(
                table,
                stream,
                compression="zstd",
                row_group_size=row_group_size,
                write_page_checksum=checksums,
            )

    def delete_folder(self, name: str) -> None:
        """Remove the folder `name` with all that it holds; one that is not there is no error."""
        path = self.file(name)
        if self.exists(name):
            _patiently(path, lambda: self.filesystem.delete_dir(path))

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, pa.ArrowException) as error:  # what pyarrow raises of damaged files
            raise CamerabiasError(
                f"Cannot read {self.file(name)} ({error}): it is missing or damaged. Copy it again, or make it anew."
            ) from error

    def delete(self, name: str) -> None:
        """Remove the file `name`; one that is not there is no error."""
        path = self.file(name)
        if self.exists(name):
            _patiently(path, lambda: self.filesystem.delete_file(path))


def make_writable(folder: Path) -> bool:
    """Make a local folder; returns whether files can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _refuse_bytes(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise CamerabiasError(
            f"The name {os.fsencode(name).decode(errors='backslashreplace')} is not UTF-8; rename the folder or file."
        ) from error


def _connect(address: str) -> tuple[fs.FileSystem, str]:
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise CamerabiasError(
            "The address of a bucket holds a key, which would stand in every record; put it into the environment "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)."
        )
    try:
        # S3 asks the network for the bucket's region, where neither address nor environment says
        found: tuple[fs.FileSystem, str] = _patiently(address, lambda: fs.FileSystem.from_uri(address))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise CamerabiasError(
            f"Cannot open {address!r} ({error}); give a local path or an s3:// or gs:// address."
        ) from error
    return found


def _patiently(path: str, ask: Callable[[], T]) -> T:
    """Ask a storage, and ask it again while it cannot be reached."""
    with _failing(path):
        for waited, wait in enumerate(WAITS):
            try:
                return ask()
            except OSError as error:
                if not _passes(error):
                    raise
                if waited == 0:
                    _log.warning(
                        "Waiting for %s, %d minutes at most: %s", path, sum(WAITS) // 60, _reason(error)
                    )
            time.sleep(wait)
        return ask()


def _passes(error: OSError) -> bool:
    """Whether an error may pass by itself; those of this machine's own disks have a number, and do not."""
    return error.errno is None and not any(word in str(error) for word in PERMANENT)


@contextmanager
def _failing(path: str) -> Iterator[None]:
    """Tell what the storage does wrong from what is missing in it."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        advice = (
            "check that the bucket is there, that it can be reached, and that your keys may use it"
            if error.errno is None
            else _ADVICE.get(error.errno, "free space, make it writable, or choose another folder")
        )
        raise StorageError(
            f"The storage fails at {path} ({_reason(error)}): {advice}; run the same command again to resume."
        ) from error


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else " ".join(str(error).split())


@contextmanager
def _renamed_to(path: str) -> Iterator[IO[bytes]]:
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
