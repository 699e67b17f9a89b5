"""Making a DATASET: photos or simulated images in, parts of original bytes, an index and a manifest out.

Parts are written in parallel, each in one piece and with a note of what it was made from; the folds need all
images at once, so the driver deals them at the end and writes the index and, last, the manifest. Whatever an
interrupted run has finished is found by that note and not made again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from camerabias.datasets.dataset import Dataset, is_dataset, open_dataset
from camerabias.datasets.ingest.folds import deal_folds
from camerabias.datasets.ingest.sources import Photo, Source
from camerabias.datasets.io.decode import inspect_image
from camerabias.datasets.io.parallel import do_pieces
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import (
    IMAGES_FOLDER,
    INDEX_COLUMNS,
    INDEX_FILE,
    MANIFEST_FILE,
    VARIANTS_FOLDER,
    CamerabiasError,
    Cell,
    DatasetManifest,
    Executor,
    Fit,
    Part,
)
from camerabias.datasets.simulator import SimulatorSpec, photo_numbers, simulate

PART_IMAGES = 64
"""Images per part: 200 MB of pixels at 1024 × 1024, and enough parts to keep two cores busy with 1,000."""

INDEX_ROW_GROUP = 1000 * PART_IMAGES
"""Rows of the index that are read together: whoever works on one part of millions reads no more than these."""

REJECTED_FILE = "rejected.csv"
SPLITS = ("train", "val", "test")

Report = Callable[[int, int], None]
"""Called with (images done, images in all) as parts end."""

Row = dict[str, Any]

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


def simulate_dataset(
    spec: SimulatorSpec, out: Folder, executor: Executor, report: Report | None = None
) -> Dataset:
    """Simulate a dataset into `out`; one that is there already with the same spec is opened and returned."""
    source = {"kind": "simulator", **spec.model_dump(exclude_none=True)}
    numbers = photo_numbers(spec).tolist()
    pieces = [numbers[start : start + PART_IMAGES] for start in range(0, spec.images, PART_IMAGES)]
    return _create(
        out, source, pieces, partial(_simulate_rows, spec), executor, report, size=spec.size, fit="resize"
    )


def import_dataset(
    source: Source,
    out: Folder,
    executor: Executor,
    fit: Fit = "resize",
    max_rejected: float = 0.01,
    report: Report | None = None,
) -> Dataset:
    """Import a user's photos into `out`.

    Args:
        source: The photos.
        out: The DATASET folder.
        executor: Where the work runs.
        fit: How images of any size become a model's input.
        max_rejected: Share of photos that may be undecodable before the import gives up.
        report: Told of progress.

    Raises:
        CamerabiasError: Too many rejected, splits or labels that cannot be used, or another dataset in `out`.
    """
    pieces = [
        source.photos[start : start + PART_IMAGES] for start in range(0, len(source.photos), PART_IMAGES)
    ]
    described = {
        "kind": source.kind,
        "root": source.root.uri,
        "photos": _digest([asdict(photo) for photo in source.photos]),
    }
    return _create(
        out, described, pieces, partial(_read_rows, source.root), executor, report, None, fit, max_rejected
    )


def _create(
    out: Folder,
    source: dict[str, Any],
    pieces: Sequence[Any],
    make_rows: Callable[[Any], Iterator[Row]],
    executor: Executor,
    report: Report | None,
    size: int | None,
    fit: Fit,
    max_rejected: float = 0.0,
) -> Dataset:
    if is_dataset(out):
        return _reopen(out, {**source, "fit": fit})
    out.delete_folder(VARIANTS_FOLDER)  # of a dataset that lay here before
    note = _digest(source)
    work = partial(_write_part, out, note, make_rows)
    n_all, n_done = sum(map(len, pieces)), 0
    rejected: list[Row] = []
    for said in do_pieces(work, list(enumerate(pieces)), executor):
        n_done += said["n"]
        rejected += said["rejected"]
        if len(rejected) > max_rejected * n_all:
            _write_rejected(out, rejected)
            raise CamerabiasError(
                f"{len(rejected)} of the first {n_done} photos cannot be used, more than the {max_rejected:.2%} of "
                f"{n_all} that may be rejected. First: {rejected[0]['path']}: {rejected[0]['reason']}. These are "
                f"listed in {out.file(REJECTED_FILE)}; mend or remove them, or raise --max-rejected."
            )
        if report:
            report(n_done, n_all)
    names = [_part_name(number) for number in range(len(pieces))]
    tables = [_read_part(out, name) for name in names]
    rejected = [row for table in tables for row in json.loads(table.schema.metadata[b"rejected"])]
    rows = pd.concat([table.to_pandas().assign(part=name) for name, table in zip(names, tables, strict=True)])
    _write_rejected(out, rejected)
    index = _make_index(rows.reset_index(drop=True))
    out.write_table(INDEX_FILE, pa.Table.from_pandas(index, preserve_index=False), INDEX_ROW_GROUP)
    manifest = DatasetManifest(
        source=source,
        labels=_in_order(index["label"], source),
        cameras=_in_order(index["camera"], source),
        n_images=len(index),
        n_rejected=len(rejected),
        has_split=bool(index["split"].notna().any()),
        size=size or _default_size(index),
        fit=fit,
        cells=_count_cells(index),
        parts=tuple(
            Part(name=name, n=table.num_rows, checksum=_digest(table["sha256"].to_pylist()))
            for name, table in zip(names, tables, strict=True)
        ),
        fingerprint=fingerprint(index),
    )
    out.write_json(MANIFEST_FILE, manifest.model_dump())
    return open_dataset(out)


def _count_cells(index: pd.DataFrame) -> tuple[Cell, ...]:
    counts = index.groupby(["label", "camera", "fold"]).size().reset_index(name="n")
    return tuple(Cell.model_validate(row) for row in counts.to_dict("records"))


def _reopen(out: Folder, source: dict[str, Any]) -> Dataset:
    dataset = open_dataset(out)
    there = {**dataset.manifest.source, "fit": dataset.manifest.fit}
    if {**there, "root": None} != {**source, "root": None}:  # the same photos may have moved
        raise CamerabiasError(
            f"{out} holds another dataset already (made from {_describe(there)}, asked for "
            f"{_describe(source)}); choose another folder, or remove that one."
        )
    return dataset


def _describe(source: dict[str, Any]) -> str:
    shown = {key: value for key, value in source.items() if key != "photos"}
    return ", ".join(f"{key} {value}" for key, value in shown.items())


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
        table = pa.Table.from_pylist([row for row in rows if "reason" not in row], schema=_PART_SCHEMA)
        metadata = {"note": note, "rejected": json.dumps(rejected)}
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


def _read_rows(root: Folder, photos: Sequence[Photo]) -> Iterator[Row]:
    for photo in photos:
        try:
            content = root.read_bytes(photo.path)
            facts = inspect_image(content)
        # Pillow's decoders fail in many ways; each is a property of this file, and is recorded as such
        except Exception as error:  # noqa: BLE001
            yield {"path": photo.path, "reason": f"{type(error).__name__}: {error}"}
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
            "others": json.dumps({"path": photo.path, **photo.others}, default=str),
            "regions": None,
            "bytes": content,
        }


# --- all parts together ---------------------------------------------------------------------------------


def _make_index(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        raise CamerabiasError("Not one photo could be decoded; see rejected.csv for the reasons.")
    copies = rows.groupby("sha256").cumcount()
    rows["image_id"] = (
        rows["sha256"].str[:20].where(copies == 0, rows["sha256"].str[:20] + "-" + copies.astype(str))
    )
    rows["group"] = rows["group"].where(rows["group"].notna(), rows["sha256"].str[:20])
    _check_splits(rows)
    rows["fold"] = deal_folds(
        rows["image_id"].tolist(),
        list(zip(rows["label"], rows["camera"], strict=True)),
        _whole_groups(rows),
    )
    others = pd.DataFrame([json.loads(text) for text in rows["others"]], index=rows.index).apply(_of_one_kind)
    return pd.concat([rows[list(INDEX_COLUMNS)], others], axis=1)


def _of_one_kind(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of mixed kinds, as JSON Lines may have and Parquet cannot, as text."""
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return column.map(str, na_action="ignore")
    return column


def _whole_groups(rows: pd.DataFrame) -> list[str]:
    """Groups, merged where byte-identical images tie them together, so that no copy is trained and tested."""
    group_codes, group_names = pd.factorize(rows["group"])
    content_codes, contents = pd.factorize(rows["sha256"])
    if len(contents) == len(rows):
        return rows["group"].tolist()
    n = len(group_names) + len(contents)
    ties = coo_matrix((np.ones(len(rows)), (group_codes, len(group_names) + content_codes)), shape=(n, n))
    _, component = connected_components(ties, directed=False)
    return [f"component-{component[code]}" for code in group_codes]


def _check_splits(rows: pd.DataFrame) -> None:
    if rows["split"].isna().all():
        return
    wrong = sorted(set(rows["split"].dropna()) - set(SPLITS))
    if wrong or rows["split"].isna().any():
        raise CamerabiasError(
            f"The column 'split' holds {', '.join(map(repr, wrong)) or 'gaps'}; allowed: {', '.join(SPLITS)}, in "
            "every row. Rename or drop the column to use camerabias's own folds."
        )
    if not {"train", "test"} <= set(rows["split"]):
        raise CamerabiasError("The column 'split' needs both train and test rows; drop it to use folds.")
    sides = rows.groupby("sha256")["split"].agg(lambda splits: len(set(splits)))
    crossing = sides[sides > 1].index
    if len(crossing):
        first = rows.loc[rows["sha256"] == crossing[0]]
        named = [
            f"{json.loads(o).get('path')} ({s})" for o, s in zip(first["others"], first["split"], strict=True)
        ]
        raise CamerabiasError(
            f"{len(crossing)} images lie byte for byte on both sides of the split, first: {' and '.join(named)}. "
            "Remove one side's copies: a test image that was trained on tests nothing."
        )


def _in_order(values: pd.Series[str], source: dict[str, Any]) -> tuple[str, ...]:
    """Simulated names in the simulator's own order (of appearance), others by alphabet."""
    found = list(dict.fromkeys(values))
    return tuple(found if source["kind"] == "simulator" else sorted(found))


def _default_size(index: pd.DataFrame) -> int:
    """The median short side, down to a multiple of 32 (what CNNs halve five times), from 64 to 1024."""
    short = int(index[["width", "height"]].min(axis=1).median())
    return min(max(short // 32 * 32, 64), 1024)


def _write_rejected(out: Folder, rejected: list[Row]) -> None:
    if not rejected:
        out.delete(REJECTED_FILE)  # of an attempt before the photos were mended
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, ["path", "reason"])
    writer.writeheader()
    writer.writerows(rejected)
    out.write_bytes(REJECTED_FILE, text.getvalue().encode())


def fingerprint(index: pd.DataFrame) -> str:
    """SHA-256 of the sorted (image_id, label, camera, group, fold), and split where the user gave one."""
    columns = ["image_id", "label", "camera", "group", "fold"]
    if index["split"].notna().any():
        columns.append("split")
    rows = index[columns].sort_values("image_id").astype(str)
    digest = hashlib.sha256()
    for row in rows.itertuples(index=False):
        digest.update(json.dumps(list(row), ensure_ascii=False).encode())
    return digest.hexdigest()


def _digest(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()
