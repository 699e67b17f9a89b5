"""Folders that may be local or in a bucket (`s3://`, `gs://`), and files that appear whole or not at all.

A local file is written under a temporary name, then renamed; an object store's PUT is atomic by itself. Where the
storage itself fails (it is full, cannot be reached, or refuses), that is a `StorageError`: no fault of what was
being written, and worth another try. An object store that cannot be reached is waited for first.
"""

from __future__ import annotations

import json
import os
import posixpath
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from camerabias.datasets.schema import CamerabiasError

S3_ATTEMPTS = 34
"""How often a request to S3 is made until it is given up: after about ten minutes, since the waits in between
double from 1 s to 20 s (the AWS SDK's standard strategy). Google's client waits 15 minutes by itself."""


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
    uri: str
    """As a person writes it: the path, or the address in the bucket."""

    def __init__(self, location: str | Path | Folder) -> None:
        if isinstance(location, Folder):
            self.filesystem, self.path, self.uri = location.filesystem, location.path, location.uri
            return
        text = os.fspath(location)
        if "://" in text:
            try:
                self.filesystem, self.path = fs.FileSystem.from_uri(text)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
                raise CamerabiasError(
                    f"Cannot open {text!r} ({error}); give a local path or an s3:// or gs:// address."
                ) from error
            self.filesystem = _patient(self.filesystem)
            self.uri = text.rstrip("/")
        else:
            self.filesystem, self.path = fs.LocalFileSystem(), os.path.abspath(os.path.expanduser(text))
            self.uri = self.path

    def __repr__(self) -> str:
        return f"Folder({self.uri!r})"

    def __str__(self) -> str:
        return self.uri

    def __reduce__(self) -> tuple[type[Folder], tuple[str]]:
        return (Folder, (self.uri,))  # a file system handle does not travel between processes

    @property
    def is_local(self) -> bool:
        """Whether the folder lies on this machine's own file system."""
        return isinstance(self.filesystem, fs.LocalFileSystem)

    def child(self, *names: str) -> Folder:
        """The folder `names` below this one; nothing is created."""
        below = Folder(self)  # shares the file system: a client of a bucket is slow to make
        below.path, below.uri = posixpath.join(self.path, *names), posixpath.join(self.uri, *names)
        return below

    def file(self, name: str) -> str:
        """Path of the file `name` as the file system wants it."""
        return posixpath.join(self.path, name)

    def exists(self, name: str = "") -> bool:
        """Whether `name` (or, by default, the folder itself) is there."""
        return self._type(self.file(name) if name else self.path) != "NotFound"

    def changed(self, name: str) -> float:
        """When the file `name` was written, in seconds since 1970."""
        with self._reaching(self.file(name)):
            return float(self.filesystem.get_file_info(self.file(name)).mtime_ns / 1e9)

    def is_file(self) -> bool:
        """Whether there is a file where the folder should be."""
        return self._type(self.path) == "File"

    def _type(self, path: str) -> str:
        """`NotFound`, `File` or `Directory`."""
        with self._reaching(path):
            return str(self.filesystem.get_file_info(path).type.name)

    def names(self) -> list[str]:
        """Sorted names of what lies directly in the folder; empty when the folder is missing."""
        selector = fs.FileSelector(self.path, allow_not_found=True)
        with self._reaching(self.path):
            return sorted(info.base_name for info in self.filesystem.get_file_info(selector))

    def walk(self) -> list[str]:
        """Sorted paths, relative to the folder, of every file below it."""
        return sorted(self.walk_times())

    def walk_times(self) -> dict[str, float]:
        """Path, relative to the folder, of every file below it, and when it was written, in seconds since 1970."""
        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        with self._reaching(self.path):
            infos = self.filesystem.get_file_info(selector)
        return {
            info.path.removeprefix(self.path).lstrip("/"): info.mtime_ns / 1e9
            for info in infos
            if info.type == fs.FileType.File
        }

    def read_bytes(self, name: str) -> bytes:
        """Content of the file `name`.

        Raises:
            FileNotFoundError: It is not there.
        """
        path = self.file(name)
        with self._reaching(path), self.filesystem.open_input_stream(path) as stream:
            return bytes(stream.read())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write the file `name` in one piece: a reader sees the old content or the new, never a part."""
        with self.replacing(name) as stream:
            stream.write(content)

    @contextmanager
    def replacing(self, name: str) -> Iterator[IO[bytes]]:
        """A stream whose content becomes the file `name` when the block ends without an error."""
        path = self.file(name)
        if self.is_local:
            with self._reaching(path), _renamed_to(path) as stream:
                yield stream
        else:
            with tempfile.TemporaryFile() as stream:
                yield stream
                stream.seek(0)
                # opened only now: closing it, be it because of an error, makes what it has received the file
                with self._reaching(path), self.filesystem.open_output_stream(path) as upload:
                    shutil.copyfileobj(stream, upload, length=2**20)

    @contextmanager
    def _reaching(self, path: str) -> Iterator[None]:
        """Tell what the storage does wrong from what is missing or damaged in it."""
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._failing(path, error) from error

    def _failing(self, path: str, error: OSError) -> StorageError:
        reason = error.strerror or " ".join(str(error).split())
        advice = (
            "free space, make it writable, or choose another folder"
            if self.is_local
            else "check that the bucket is there, that it can be reached, and that your keys may use it"
        )
        return StorageError(f"The storage fails at {path} ({reason}): {advice}; the same command goes on.")

    def prove(self) -> None:
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
            return json.loads(self.read_bytes(name))

    def write_json(self, name: str, document: Any) -> None:
        """Write `document` as readable JSON, in one piece."""
        self.write_bytes(name, (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode())

    def read_table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """The Parquet file `name`, or just `columns` of it."""
        with self._reading(name), self.open_parquet(name) as parquet:
            return parquet.read(columns=columns)

    def open_parquet(self, name: str) -> pq.ParquetFile:
        """The Parquet file `name`, open for reading row group by row group."""
        with self._reading(name):
            return pq.ParquetFile(self.file(name), filesystem=self.filesystem)

    def write_table(self, name: str, table: pa.Table, row_group_size: int | None = None) -> None:
        """Write `table` as Parquet (zstd), in one piece; `row_group_size` bounds the rows that are read together."""
        with self.replacing(name) as stream:
            pq.write_table(table, stream, compression="zstd", row_group_size=row_group_size)

    def delete_folder(self, name: str) -> None:
        """Remove the folder `name` with all that it holds; one that is not there is no error."""
        if self.exists(name):
            with self._reaching(self.file(name)):
                self.filesystem.delete_dir(self.file(name))

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Tell a file that is missing or damaged from a storage that fails: pyarrow raises OSError for either."""
        try:
            yield
        except (OSError, ValueError, pa.ArrowException) as error:
            missing = isinstance(error, FileNotFoundError)
            if isinstance(error, OSError) and not missing and (error.errno or "AWS Error" in str(error)):
                raise self._failing(self.file(name), error) from error
            raise CamerabiasError(
                f"Cannot read {self.file(name)} ({error}): it is missing or damaged. Copy it again, or make it anew."
            ) from error

    def delete(self, name: str) -> None:
        """Remove the file `name`; one that is not there is no error."""
        if self.exists(name):
            with self._reaching(self.file(name)):
                self.filesystem.delete_file(self.file(name))


def _patient(filesystem: fs.FileSystem) -> fs.FileSystem:
    """The file system with longer patience, which its address has no words for: S3's own gives up within seconds."""
    if not isinstance(filesystem, fs.S3FileSystem):
        return filesystem
    make, (options,) = (
        filesystem.__reduce__()
    )  # how pyarrow copies one, with all that address and environment say
    return make({**options, "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=S3_ATTEMPTS)})


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
