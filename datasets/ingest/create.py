"""Making a DATASET: photos or simulated images in, parts of original bytes, an index and a manifest out.

Parts are written in parallel, each at once and with a note of what it was made from; the folds need all
images at once, so the driver deals them at the end and writes the index and, last, the manifest. Whatever an
interrupted run has finished is found by that note and not made again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from camerabias.datasets.dataset import Dataset, is_dataset, open_dataset
from camerabias.datasets.ingest.admission import read_photo
from camerabias.datasets.ingest.changes import refuse_changes
from camerabias.datasets.ingest.index import fingerprint, make_index
from camerabias.datasets.ingest.noticed import join_cameras, look_at_pixels, look_at_rejected
from camerabias.datasets.io.alone import alone_in
from camerabias.datasets.io.decode import ImageError
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.schema import (
    IMAGES_FOLDER,
    INDEX_FILE,
    MANIFEST_FILE,
    REJECTED_FILE,
    VARIANTS_FOLDER,
    CamerabiasError,
    CellSize,
    DatasetManifest,
    Fit,
    Part,
)
from camerabias.datasets.simulator import SimulatorSpec, photo_numbers, simulate

PART_IMAGES = 64
"""Images per part: 200 MB of pixels at 1024 × 1024, and enough parts to keep two cores busy with 1,000."""

INDEX_ROW_GROUP = 1000 * PART_IMAGES
"""Rows of the index that are read together: whoever works on one part of millions reads no more than these."""

OnProgress = Callable[[int, int], None]
"""Called with (images done, images in all) as parts end."""

Row = dict[str, Any]

T = TypeVar("T")

_PART_SCHEMA = pa.schema(
    [
        ("sha256", pa.string()),
        ("label", pa.string()),
        ("camera", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("format", pa.string()),
        ("others", pa.string()),
        ("regions", pa.binary()),
        ("bytes", pa.binary()),
    ]
)


@dataclass(frozen=True)
class _Making:
    """What a dataset is made from.

    Attributes:
        source: As the manifest describes it; the same description is the same dataset.
        pieces: What each part is made from.
        make_rows: Makes a part's rows; a row with a `reason` is a photo that cannot be used.
        fit: How images become a model's input.
        names_sorted: Whether labels and cameras are listed by alphabet, else as they appear.
        size: Side of the views; None takes it from the images.
        max_rejected: Share of photos that may be unusable.
        cameras_from_exif: Whether cameras are named by EXIF, in whatever spelling.
    """

    source: dict[str, Any]
    pieces: Sequence[Sequence[Any]]
    make_rows: Callable[[Any], Iterator[Row]]
    fit: Fit = "resize"
    names_sorted: bool = True
    size: int | None = None
    max_rejected: float = 0.0
    cameras_from_exif: bool = False


def simulate_dataset(
    spec: SimulatorSpec, out: Folder, executor: Executor, report: OnProgress | None = None
) -> Dataset:
    """Simulate a dataset into `out`; one that is there already with the same spec is opened and returned."""
    source = {"kind": "simulator", **spec.model_dump(exclude_none=True)}
    pieces = cut_into_shards(photo_numbers(spec).tolist())
    making = _Making(source, pieces, partial(_simulate_rows, spec), names_sorted=False, size=spec.size)
    return _create(out, making, executor, report)


def import_dataset(
    source: Source,
    out: Folder,
    executor: Executor,
    fit: Fit = "resize",
    max_rejected: float = 0.01,
    report: OnProgress | None = None,
) -> Dataset:
    """Import a user's photos into `out`.

    Args:
        source: The photos.
        out: The DATASET folder.
        executor: Where the work runs.
        fit: How images of any size become a model's input.
        max_rejected: Share of photos that may be undecodable before the import gives up.
        report: Called with progress.

    Raises:
        CamerabiasError: Too many rejected, splits or labels that cannot be used, or another dataset in `out`.
    """
    described = {
        "kind": source.kind,
        "root": source.root.uri,
        "photos": _digest([vars(photo) for photo in source.photos]),
    }
    if is_dataset(out):
        dataset, asked = open_dataset(out), {**described, "fit": fit}
        _refuse_another(dataset, asked, ("kind", "fit"))
        refuse_changes(dataset, source)
        _refuse_another(dataset, asked)
        return dataset
    making = _Making(
        described,
        cut_into_shards(source.photos),
        partial(read_rows, source.read or source.root.read_bytes),
        fit,
        max_rejected=max_rejected,
        cameras_from_exif=any(photo.camera is None for photo in source.photos),
    )
    return _create(out, making, executor, report)


def cut_into_shards(items: list[T]) -> list[list[T]]:
    """Work items of `PART_IMAGES` photos."""
    return [items[start : start + PART_IMAGES] for start in range(0, len(items), PART_IMAGES)]


def _create(out: Folder, making: _Making, executor: Executor, report: OnProgress | None) -> Dataset:
    with alone_in(out):
        if not is_dataset(out):
            _make(out, making, executor, report)
            return open_dataset(out)
    dataset = open_dataset(out)
    _refuse_another(dataset, {**making.source, "fit": making.fit})
    return dataset


def _make(out: Folder, making: _Making, executor: Executor, report: OnProgress | None) -> None:
    out.delete_folder(VARIANTS_FOLDER)  # of a dataset that lay here before
    _write_parts(out, making, executor, report)
    names = [_part_name(number) for number in range(len(making.pieces))]
    tables = {name: _read_part(out, name) for name in names}
    rejected = _noted(tables, b"rejected")
    _write_rejected(out, rejected)
    rows = pa.concat_tables(tables.values()).to_pandas()
    rows["part"] = np.repeat(names, [table.num_rows for table in tables.values()])
    notes = look_at_rejected(rejected)
    if making.cameras_from_exif:
        rows["camera"], said = join_cameras(rows["camera"])
        notes += said
    index = make_index(rows)
    notes += look_at_pixels(pd.DataFrame(_noted(tables, b"odd")), index)
    out.write_table(INDEX_FILE, pa.Table.from_pandas(index, preserve_index=False), INDEX_ROW_GROUP)
    checksum = hashlib.sha256(out.read_bytes(INDEX_FILE)).hexdigest()
    noticed = {"notes": tuple(notes), "index_checksum": checksum}
    manifest = _make_manifest(making, index, tables, len(rejected)).model_copy(update=noticed)
    out.write_json(MANIFEST_FILE, manifest.model_dump())


def _write_parts(out: Folder, making: _Making, executor: Executor, report: OnProgress | None) -> None:
    """Write what is missing of the parts; gives up as soon as too many photos are rejected."""
    work = partial(_write_part, out, _digest(making.source), making.make_rows)
    n_all, n_done = sum(map(len, making.pieces)), 0
    rejected: list[Row] = []
    for said in executor.map(work, list(enumerate(making.pieces))):
        n_done += said["n"]
        rejected += said["rejected"]
        if len(rejected) > making.max_rejected * n_all:
            _write_rejected(out, rejected)
            raise CamerabiasError(
                f"{len(rejected)} of the first {n_done} photos cannot be used, more than the "
                f"{making.max_rejected:.2%} of {n_all} that may be rejected. First: {rejected[0]['path']}: "
                f"{rejected[0]['reason']}. These are listed in {out.file(REJECTED_FILE)}; fix or remove them, or "
                "raise --max-rejected."
            )
        if report:
            report(n_done, n_all)


def _noted(tables: dict[str, pa.Table], key: bytes) -> list[Row]:
    """What parts say of single photos beside their rows."""
    return [row for table in tables.values() for row in json.loads(table.schema.metadata.get(key, b"[]"))]


def _make_manifest(
    making: _Making, index: pd.DataFrame, tables: dict[str, pa.Table], n_rejected: int
) -> DatasetManifest:
    labels, cameras = dict.fromkeys(index["label"]), dict.fromkeys(index["camera"])
    return DatasetManifest(
        source=making.source,
        labels=tuple(sorted(labels) if making.names_sorted else labels),
        cameras=tuple(sorted(cameras) if making.names_sorted else cameras),
        n_images=len(index),
        n_rejected=n_rejected,
        has_split=bool(index["split"].notna().any()),
        size=making.size or default_size(index),
        fit=making.fit,
        cells=_count_cells(index),
        parts=tuple(
            Part(name=name, n=table.num_rows, checksum=_digest(table["sha256"].to_pylist()))
            for name, table in tables.items()
        ),
        fingerprint=fingerprint(index),
    )


def _count_cells(index: pd.DataFrame) -> tuple[CellSize, ...]:
    counts = index.groupby(["label", "camera", "fold"]).size().reset_index(name="n")
    return tuple(CellSize.model_validate(row) for row in counts.to_dict("records"))


def _refuse_another(dataset: Dataset, source: dict[str, Any], comparing: Sequence[str] | None = None) -> None:
    """Refuse a dataset that was made from something else; of a source, all that is known is compared by default."""
    there = {**dataset.manifest.source, "fit": dataset.manifest.fit}
    differing = [
        key
        for key in comparing or {**there, **source}
        if key != "root" and there.get(key) != source.get(key)  # the same photos may have moved
    ]
    if differing:
        raise CamerabiasError(
            f"{dataset.folder} holds another dataset already (made from {_describe(there, differing)}, asked for "
            f"{_describe(source, differing)}); choose another folder, or remove that one."
        )


def _describe(source: dict[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(
        "columns" if key == "photos" else f"{key} {source[key]}" for key in keys if key in source
    )


# --- one part -------------------------------------------------------------------------------------------


def _part_name(number: int) -> str:
    return f"part-{number:05d}.parquet"


def _write_part(
    out: Folder, note: str, make_rows: Callable[[Any], Iterator[Row]], piece: tuple[int, Any]
) -> dict[str, Any]:
    number, items = piece
    folder, name = out.child(IMAGES_FOLDER), _part_name(number)
    rejected = _rejected_of(folder, name, note)
    if rejected is None or rejected:  # a photo that was rejected may have been mended since
        rows = list(make_rows(items))
        rejected = [row for row in rows if "reason" in row]
        odd = [row.pop("odd") for row in rows if row.get("odd")]
        table = pa.Table.from_pylist([row for row in rows if "reason" not in row], schema=_PART_SCHEMA)
        metadata = {"note": note, "rejected": json.dumps(rejected)}
        if odd:
            metadata["odd"] = json.dumps(odd)
        with folder.replacing(name) as stream:
            # photos do not compress further
            pq.write_table(
                table.replace_schema_metadata(metadata), stream, compression="none", row_group_size=16,
                use_dictionary=False, write_statistics=False,
            )  # fmt: skip
    return {"n": len(items), "rejected": rejected}


def _rejected_of(folder: Folder, name: str, note: str) -> list[Row] | None:
    """What an earlier run's part rejected; None when there is no part that was made from the same source."""
    if not folder.exists(name):
        return None
    with folder.open_parquet(name) as parquet:
        metadata = parquet.schema_arrow.metadata
    if metadata[b"note"].decode() != note:
        return None
    rejected: list[Row] = json.loads(metadata[b"rejected"])
    return rejected


def _read_part(out: Folder, name: str) -> pa.Table:
    columns = [column for column in _PART_SCHEMA.names if column not in ("bytes", "regions")]
    return out.child(IMAGES_FOLDER).read_table(name, columns)


def _simulate_rows(spec: SimulatorSpec, indices: Sequence[int]) -> Iterator[Row]:
    cv2.setNumThreads(1)  # the pieces run side by side already
    for index in indices:
        image = simulate(spec, index)
        yield {
            "sha256": hashlib.sha256(image.jpeg).hexdigest(),
            "label": image.label,
            "camera": image.camera,
            "group": image.group,
            "split": None,
            "width": spec.size,
            "height": spec.size,
            "format": "JPEG",
            "others": json.dumps({"photographer": image.photographer}),
            "regions": cv2.imencode(".png", image.regions)[1].tobytes(),
            "bytes": image.jpeg,
        }


def read_rows(read: Callable[[str], bytes], photos: Sequence[Photo]) -> Iterator[Row]:
    """Read and decode photos, a row each as a shard has them; with a `reason` those that cannot be used."""
    for photo in photos:
        try:
            content, facts = read_photo(read, photo.path)
        except ImageError as error:
            yield {"path": photo.name, "reason": str(error), "camera": photo.camera}
            continue
        yield {
            "sha256": hashlib.sha256(content).hexdigest(),
            "label": photo.label,
            "camera": photo.camera if photo.camera is not None else facts.exif_camera,
            "group": photo.group,
            "split": photo.split,
            "width": facts.width,
            "height": facts.height,
            "format": facts.format,
            "others": json.dumps({"path": photo.name, **photo.others}, default=str),
            "regions": None,
            "bytes": content,
            "odd": facts.odd and {"path": photo.name, **facts.odd},
        }


# --- all parts together ---------------------------------------------------------------------------------


def default_size(index: pd.DataFrame) -> int:
    """The median short side, down to a multiple of 32 (what CNNs halve five times), from 64 to 1024."""
    short = int(index[["width", "height"]].min(axis=1).median())
    return min(max(short // 32 * 32, 64), 1024)


def _write_rejected(out: Folder, rejected: list[Row]) -> None:
    if not rejected:
        out.delete(REJECTED_FILE)  # of an attempt before the photos were mended
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, ["path", "reason"], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rejected)
    out.write_bytes(REJECTED_FILE, text.getvalue().encode())


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()
