"""A node's cache: a variant as one memory-mapped file of uint8, decoded once and shared by all its trials."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.storage import Folder, StorageError, make_writable
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.build import is_built, reading_built, variant_folder, write_part
from camerabias.datasets.views.variant import Variant

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Where this node keeps what can be made again: `$CAMERABIAS_CACHE`, or `~/.cache/camerabias`.

    A user without a home that can be written, as in containers, keeps it among the temporary files.
    """
    if named := os.environ.get("CAMERABIAS_CACHE"):
        return Path(os.path.expanduser(named))
    usual = Path(os.path.expanduser("~/.cache/camerabias"))
    if usual.is_absolute() and make_writable(usual):
        return usual
    return Path(tempfile.gettempdir(), f"camerabias-{os.getuid()}")


def open_pixels(dataset: Dataset, variant: Variant) -> npt.NDArray[np.uint8]:
    """The variant's pixels, memory-mapped, read-only, in the order of the dataset's index.

    The first trial on a node to ask fills the file; others that ask at the same time wait for it.

    Returns:
        uint8 (n, height, width, channels).

    Raises:
        CamerabiasError: The variant is not built.
    """
    path = cache_folder() / _key(dataset) / f"{variant.folder}.npy"
    if not path.exists():
        if not is_built(dataset, variant):
            raise CamerabiasError(
                f"The variant {variant.folder} of {dataset.folder} is not built; build it with `camerabias "
                f"data build {dataset.folder} --views {variant.view} --size {variant.size}`."
            )
        with _room(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path.with_suffix(".lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not path.exists():
                    _fill(path, dataset, variant)
    pixels: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pixels


def _key(dataset: Dataset) -> str:
    """Names the dataset's images in their order, which its fingerprint leaves open."""
    checksums = [part.checksum for part in dataset.manifest.parts]
    return hashlib.sha256("".join(checksums).encode()).hexdigest()[:20]


def _fill(path: Path, dataset: Dataset, variant: Variant) -> None:
    temporary, shape = path.with_suffix(".tmp"), (dataset.manifest.n_images, *variant.shape)
    with open(temporary, "wb") as file:  # written and mapped later: a new page costs less than through a map
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        end = file.tell() + math.prod(shape)
        _reserve(file, end)
        folder = variant_folder(dataset, variant)
        for part in dataset.manifest.parts:
            began = file.tell()
            try:
                _copy(folder, part.name, variant.shape, file)
            except StorageError:
                raise
            except CamerabiasError:
                _log.warning("%s is damaged, and is built again from the photos.", folder.file(part.name))
                write_part(dataset.folder, variant, part.name)
                file.seek(began)
                _copy(folder, part.name, variant.shape, file)
        assert file.tell() == end, (
            f"{folder} does not hold the {dataset.manifest.n_images} images of the dataset"
        )
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _copy(folder: Folder, part: str, shape: tuple[int, int, int], file: BufferedWriter) -> None:
    """Write a part's pixels, of images of this shape, to a file."""
    with reading_built(folder, part), folder.open_parquet(part) as parquet:
        for group in range(parquet.num_row_groups):
            for content in parquet.read_row_group(group, ["pixels"], use_threads=False)["pixels"]:
                file.write(np.frombuffer(content.as_buffer(), np.uint8).reshape(shape).data)


def _reserve(file: BufferedWriter, size: int) -> None:
    """Take a file's space now: a disk that is too full says so at once, and writing takes two thirds."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        os.posix_fallocate(file.fileno(), 0, size)


@contextmanager
def _room(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not this disk's: a damaged part
            raise
        path.with_suffix(".tmp").unlink(missing_ok=True)
        raise StorageError(
            f"The cache {path.parent} cannot hold decoded images ({error.strerror}); free space, make it writable, "
            "or set CAMERABIAS_CACHE to another folder."
        ) from error
