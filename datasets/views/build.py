"""Building variants: a view of every image at one size, as raw pixels in Parquet, once and for all trials.

A variant has the dataset's parts, one for one. A part that an interrupted build has written is whole (it is
renamed into place) and is not built again; `variant.json`, written last, makes the variant complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import cv2
import pyarrow as pa
import pyarrow.parquet as pq

from camerabias.datasets.dataset import Dataset, read_images
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.io.storage import Folder, StorageError
from camerabias.datasets.schema import VARIANTS_FOLDER, CamerabiasError
from camerabias.datasets.views.variant import Variant

VARIANT_FILE = "variant.json"
ROW_GROUP_BYTES = 64 * 2**20
"""Pixels per row group: large enough to stream at disk speed, small enough to hold."""

PIXEL_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("channels", pa.int32()),
        ("pixels", pa.binary()),
    ]
)


class Stored(Protocol):
    """What is built once, a part per part of the dataset: a variant, or an embedding."""

    @property
    def folder(self) -> str:
        """Its folder below `variants/`, whose name holds a hash of everything that makes it."""


def is_built(dataset: Dataset, stored: Stored) -> bool:
    """Whether it is complete, and made from the images that the dataset holds now."""
    folder = variant_folder(dataset, stored)
    if not folder.exists(VARIANT_FILE):
        return False
    try:
        described = folder.read_json(VARIANT_FILE)
    except StorageError:
        raise
    except CamerabiasError:
        return False  # damaged: who builds writes it again
    return isinstance(described, dict) and described.get("parts") == checksums(dataset)


@contextmanager
def reading_built(folder: Folder, part: str) -> Iterator[None]:
    """Name a part that was built and cannot be read any more, and say how it is built again.

    Raises:
        CamerabiasError: The block could not read the part.
    """
    try:
        yield
    except StorageError:
        raise
    except (CamerabiasError, pa.ArrowException, OSError, ValueError, AttributeError, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # this machine's disk, and no fault of the part
        raise CamerabiasError(
            f"{folder.file(part)} is damaged ({str(error).partition(chr(10))[0]}). Remove {folder}, which the same "
            "command builds again, with --retry-failed where a trial has failed by it."
        ) from error


def checksums(dataset: Dataset) -> dict[str, str]:
    """Of the parts of a dataset, by name: what is built of other images is none of this one."""
    return {part.name: part.checksum for part in dataset.manifest.parts}


def variant_folder(dataset: Dataset, stored: Stored) -> Folder:
    """`DATASET/variants/NAME-HASH`."""
    return folder_below(dataset.folder, stored)


def folder_below(dataset: Folder, stored: Stored) -> Folder:
    """The same of a dataset's folder, which is all that workers are given."""
    return dataset.child(VARIANTS_FOLDER, stored.folder)


def build_variants(
    dataset: Dataset,
    variants: Sequence[Variant],
    executor: Executor,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Build what is missing of the variants.

    Args:
        dataset: The dataset.
        variants: The variants; complete ones cost nothing.
        executor: Where the work runs.
        report: Called with (parts done, parts in all).
    """
    missing = [variant for variant in dict.fromkeys(variants) if not is_built(dataset, variant)]
    pieces = [(variant, part.name) for variant in missing for part in dataset.manifest.parts]
    work = partial(_build_part, dataset.folder)
    for done, _ in enumerate(executor.map(work, pieces), start=1):
        if report:
            report(done, len(pieces))
    for variant in missing:
        height, width, channels = variant.shape
        variant_folder(dataset, variant).write_json(
            VARIANT_FILE,
            {
                "variant": variant.model_dump(),
                "dataset": dataset.manifest.fingerprint,
                "height": height,
                "width": width,
                "channels": channels,
                "parts": checksums(dataset),
            },
        )


def _build_part(dataset: Folder, piece: tuple[Variant, str]) -> dict[str, Any]:
    variant, part = piece
    cv2.setNumThreads(1)  # the pieces run side by side already
    if not folder_below(dataset, variant).exists(part):
        write_part(dataset, variant, part)
    return {"part": part}


def write_part(dataset: Folder, variant: Variant, part: str) -> None:
    """Build a shard of a variant, also where one lies there already."""
    height, width, channels = variant.shape
    rows_per_group = max(1, ROW_GROUP_BYTES // (height * width * channels))
    with folder_below(dataset, variant).replacing(part) as stream, _pixel_writer(stream) as writer:
        for rows in _chunks(_render_rows(dataset, variant, part), rows_per_group):
            writer.write_table(pa.Table.from_pylist(rows, schema=PIXEL_SCHEMA), row_group_size=rows_per_group)


def _pixel_writer(stream: Any) -> pq.ParquetWriter:
    # raw bytes, nothing clever: dictionaries, statistics and compression cost up to ten times the reading speed
    return pq.ParquetWriter(
        stream, PIXEL_SCHEMA, compression="none", use_dictionary=False, write_statistics=False,
        write_page_checksum=True,
    )  # fmt: skip


def _render_rows(dataset: Folder, variant: Variant, part: str) -> Iterator[dict[str, Any]]:
    height, width, channels = variant.shape
    for image_id, content in read_images(dataset, part):
        pixels = variant.render(decode(content))
        yield {
            "image_id": image_id,
            "height": height,
            "width": width,
            "channels": channels,
            "pixels": pixels.tobytes(),
        }


def _chunks(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
