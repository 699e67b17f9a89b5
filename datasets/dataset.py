"""A DATASET folder, opened: its manifest and its index, a row per image."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import (
    IMAGES_FOLDER,
    INDEX_FILE,
    MANIFEST_FILE,
    SCHEMA_VERSION,
    CamerabiasError,
    DatasetManifest,
)


@dataclass(frozen=True)
class Dataset:
    """An opened dataset.

    Attributes:
        folder: Where it lies.
        manifest: What `dataset.json` says.
        index: A row per image, in the order of the parts, with `INDEX_COLUMNS` and the user's other columns.
    """

    folder: Folder
    manifest: DatasetManifest
    index: pd.DataFrame

    @property
    def crossing_groups(self) -> int:
        """Groups that lie on more than one side of the user's split."""
        return int((self.index.groupby("group")["split"].nunique() > 1).sum())

    @property
    def untested_labels(self) -> list[str]:
        """Labels of which the user's split tests no photo; empty without a split."""
        tested = set(self.index.loc[self.index["split"] == "test", "label"])
        return [label for label in self.manifest.labels if self.manifest.has_split and label not in tested]

    @cached_property
    def untrained_cameras(self) -> list[str]:
        """Cameras that the user's split only tests; empty without a split."""
        trained = set(self.index.loc[self.index["split"] != "test", "camera"])
        return [camera for camera in self.manifest.cameras if camera not in trained]

    def source_size(self, side: int) -> int:
        """Side in pixels of the square of original, unscaled pixels that every image has around its centre.

        Args:
            side: Of the crops that are to be cut from it.

        Raises:
            CamerabiasError: Some images are smaller than a crop.
        """
        if self._shortest < side:
            too_small = self.index[self.index[["width", "height"]].min(axis=1) < side]
            names = too_small["path" if "path" in too_small else "image_id"]
            first = ", ".join(map(str, names.head(3)))
            raise CamerabiasError(
                f"{len(too_small)} images are smaller than the {side} × {side} pixels of a crop, down to "
                f"{self._shortest} (first {first}); exclude the study, or such images."
            )
        return min(self._shortest, self.manifest.size)

    @cached_property
    def _shortest(self) -> int:
        """Short side in pixels of the smallest image."""
        return int(self.index[["width", "height"]].to_numpy().min())

    def read_images(self, part: str) -> Iterator[tuple[str, bytes]]:
        """Yield (image_id, original bytes) of the images of one part, in order."""
        return read_images(self.folder, part)

    def read_some(self, image_ids: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (image_id, original bytes) of some images, in order; reads little more than them."""
        wanted = {*image_ids}
        for part in self.index.loc[self.index["image_id"].isin(wanted), "part"].unique():
            yield from read_images(self.folder, part, wanted)

    def read_image(self, image_id: str) -> bytes:
        """Original bytes of one image."""
        return next(content for _, content in self.read_some([image_id]))


def read_images(
    folder: Folder, part: str, wanted: Collection[str] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield (image_id, original bytes) of the images of one part; reads no more of the index than that part.

    Args:
        folder: Of the dataset.
        part: Its name.
        wanted: Ids of those to yield; None for all. Rows that lie together are read where one of them is wanted.

    Raises:
        CamerabiasError: The part is damaged: it does not read, or holds other bytes than those that were imported.
    """
    ids = folder.read_table(INDEX_FILE, ["image_id"], part)["image_id"].to_pylist()
    try:
        with folder.child(IMAGES_FOLDER).open_parquet(part) as parquet:
            for names, contents in _groups(parquet, ids, wanted):
                for name, content in zip(names, contents, strict=True):
                    if wanted is None or name in wanted:
                        yield _as_imported(name, content.as_py())
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CamerabiasError(
            f"The shard {folder.child(IMAGES_FOLDER).file(part)} is damaged ({str(error) or 'other rows'}). Remove "
            f"{folder.file(MANIFEST_FILE)} and that shard, and make the dataset again with the same command."
        ) from error


def _groups(
    parquet: pq.ParquetFile, ids: Sequence[str], wanted: Collection[str] | None
) -> Iterator[tuple[Sequence[str], pa.ChunkedArray]]:
    """Ids and contents of the rows that lie together, where one of them is wanted."""
    start = 0
    for number in range(parquet.num_row_groups):
        names = ids[start : start + parquet.metadata.row_group(number).num_rows]
        start += parquet.metadata.row_group(number).num_rows
        if wanted is None or not {*names}.isdisjoint(wanted):
            yield names, parquet.read_row_group(number, columns=["bytes"], use_threads=False)["bytes"]


def _as_imported(image_id: str, content: bytes) -> tuple[str, bytes]:
    """The image, whose id is a hash of its bytes."""
    if hashlib.sha256(content or b"").hexdigest()[:20] != image_id[:20]:
        raise ValueError(f"image {image_id} has other bytes")
    return image_id, content


def is_dataset(location: str | Folder) -> bool:
    """Whether a complete dataset lies there."""
    return Folder(location).exists(MANIFEST_FILE)


def open_dataset(location: str | Folder) -> Dataset:
    """Open a complete dataset; `CamerabiasError` says why it cannot be opened."""
    folder = Folder(location)
    manifest = open_manifest(folder)
    # column by column, so that a large index is not in memory twice
    index = _checked_index(folder, manifest).to_pandas(
        split_blocks=True, self_destruct=True, ignore_metadata=True
    )
    return Dataset(folder, manifest, index)


def _checked_index(folder: Folder, manifest: DatasetManifest) -> pa.Table:
    """The index, as it was written."""
    if not manifest.index_checksum:
        return folder.read_table(INDEX_FILE)
    content = folder.read_bytes(INDEX_FILE) if folder.exists(INDEX_FILE) else b""
    if manifest.index_checksum != hashlib.sha256(content).hexdigest():
        raise CamerabiasError(
            f"{folder.file(INDEX_FILE)} is damaged, or was changed by hand. Remove {folder.file(MANIFEST_FILE)}, "
            "and make the dataset again with the same command, which keeps the shards that are there."
        )
    return folder.table_in(content, INDEX_FILE)  # a bucket is asked once


def open_manifest(location: str | Folder) -> DatasetManifest:
    """The manifest of a complete dataset; `CamerabiasError` says why there is none."""
    folder = Folder(location)
    if not is_dataset(folder):
        raise CamerabiasError(
            f"There is no complete dataset at {folder} (no {MANIFEST_FILE}); make one with `camerabias data "
            "simulate` or `camerabias data import`, or run that command again if it was interrupted."
        )
    document = folder.read_json(MANIFEST_FILE)
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise CamerabiasError(
            f"The dataset at {folder} has schema version {version}; this camerabias reads version "
            f"{SCHEMA_VERSION}. Make the dataset again, or use the camerabias that made it."
        )
    try:
        return DatasetManifest.model_validate(document)
    except ValidationError as error:
        raise CamerabiasError(f"{folder.file(MANIFEST_FILE)} is damaged: {error}") from error
