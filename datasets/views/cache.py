"""A node's cache: a variant as one memory-mapped file of uint8, decoded once and shared by all its trials."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    temporary = path.with_suffix(".tmp")
    shape = (dataset.manifest.n_images, *variant.shape)
    pixels = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
    _reserve(temporary)
    folder, row = variant_folder(dataset, variant), 0
    for part in dataset.manifest.parts:
        try:
            row += _copy(folder, part.name, pixels[row:])
        except StorageError:
            raise
        except CamerabiasError:
            _log.warning("%s is damaged, and is built again from the photos.", folder.file(part.name))
            write_part(dataset.folder, variant, part.name)
            row += _copy(folder, part.name, pixels[row:])
    assert row == len(pixels), f"{folder} holds {row} images, the dataset {len(pixels)}"
    pixels.flush()
    os.replace(temporary, path)


def _copy(folder: Folder, part: str, pixels: npt.NDArray[np.uint8]) -> int:
    """Copy a part's images into the first of these, and return how many they are."""
    row = 0
    with reading_built(folder, part), folder.open_parquet(part) as parquet:
        for group in range(parquet.num_row_groups):
            for content in parquet.read_row_group(group, columns=["pixels"])["pixels"]:
                pixels[row] = np.frombuffer(content.as_buffer(), np.uint8).reshape(pixels.shape[1:])
                row += 1
    return row


def _reserve(path: Path) -> None:
    """Take the file's space now: a disk that fills up later would kill the process, since the file is mapped."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


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
