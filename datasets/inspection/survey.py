"""Facts of photos where they lie: read once, kept in the cache, and read again where a file has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import pandas as pd

from camerabias.datasets.ingest.admission import ODD
from camerabias.datasets.ingest.create import cut_into_shards, default_size, read_rows
from camerabias.datasets.ingest.index import make_index
from camerabias.datasets.ingest.noticed import (
    join_cameras,
    list_rejected,
    look_at_exif,
    look_at_pixels,
    look_at_rejected,
)
from camerabias.datasets.inspection.kept import keep, kept
from camerabias.datasets.inspection.metadata import COMPUTED, taken_over, tell, with_factors
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.cache import cache_folder

FACTS_VERSION = 5
"""Raised when the same file would give other facts than those that are kept."""

_READ = ("sha256", "camera", "width", "height", "format")
"""Columns of a shard that the file alone decides; the camera is that of EXIF."""

Facts = dict[str, Any]

ReadShard = Callable[[Callable[[str], bytes], Sequence[str]], dict[str, Any]]
"""From a reader of bytes and paths: `n` photos read, `photos` (`path` and what is said of it), `rejected` by path."""


@dataclass(frozen=True)
class Survey:
    """What was found of a source's photos.

    Attributes:
        facts: As `gather_facts` gives them of the DATASET that an import would make.
        rejected: Reason by path, of the photos that cannot be used.
        notes: What was noticed, in sentences.
    """

    facts: pd.DataFrame
    rejected: dict[str, str]
    notes: tuple[str, ...]


def survey(
    source: Source,
    executor: Executor,
    max_rejected: float = 0.01,
    report: Callable[[int, int], None] | None = None,
) -> Survey:
    """Read the photos of a source; no copy is made of them.

    Args:
        source: The photos.
        executor: Where the work runs.
        max_rejected: Share of photos that may be unusable.
        report: Called with (photos read, photos to read).

    Raises:
        CamerabiasError: Too many photos cannot be used, or as the import of them.
    """
    found, rejected = read_once(
        source, source.photos, f"facts-{FACTS_VERSION}", COMPUTED, _read_shard, executor, report
    )
    missing = [
        {"path": photo.name, "reason": rejected[photo.name], "camera": photo.camera}
        for photo in source.photos
        if photo.name in rejected
    ]
    if len(rejected) > max_rejected * len(source.photos) or not found:
        raise CamerabiasError(
            f"{len(rejected)} of {len(source.photos)} photos cannot be used ({list_rejected(missing)}). Fix or "
            "remove them, or say with --max-rejected which share may be rejected."
        )
    facts, notes = _facts(source.photos, found)
    return Survey(facts, rejected, (*look_at_rejected(missing), *notes))


def read_once(
    source: Source,
    photos: Sequence[Photo],
    name: str,
    types: Mapping[str, Any],
    read_shard: ReadShard,
    executor: Executor,
    report: Callable[[int, int], None] | None,
) -> tuple[dict[str, Facts], dict[str, str]]:
    """What files say, by path, and why others cannot be used; what was read is kept, also when interrupted.

    Args:
        source: Where the photos lie.
        photos: Those of its photos that are asked for.
        name: Of the folder of the cache in which it is kept, another one for whatever else is read of a file.
        types: Columns whose types do not show in their values.
        read_shard: Reads the files at some paths; can be pickled.
        executor: Where the work runs.
        report: Called with (photos read, photos to read).
    """
    root = source.root
    paths = {photo.name: photo.path for photo in photos}
    stamps = {name: None if source.read else root.stamp(path) for name, path in paths.items()}
    folder, file = Folder(str(cache_folder() / name)), _name(root)
    before = kept(folder, file)
    rows: list[Facts] = (
        [] if before is None else [{str(k): v for k, v in row.items()} for row in before.to_dict("records")]
    )
    known = {row["path"]: row for row in rows}
    unread = [
        paths[path]
        for path, stamp in stamps.items()
        if not stamp or known.get(path, {}).get("stamp") != stamp
    ]
    rejected: dict[str, str] = {}
    n_read = 0
    try:
        for said in executor.map(
            partial(read_shard, source.read or root.read_bytes), cut_into_shards(unread)
        ):
            known |= {row["path"]: {**row, "stamp": stamps[row["path"]]} for row in said["photos"]}
            rejected |= said["rejected"]
            n_read += said["n"]
            if report:
                report(n_read, len(unread))
    finally:
        if lasting := [row for row in known.values() if n_read and row["stamp"]]:
            keep(folder, file, pd.DataFrame(lasting).astype(dict(types)))
    return {path: known[path] for path in stamps if path in known and path not in rejected}, rejected


def _name(root: Folder) -> str:
    return f"{hashlib.sha256(root.uri.encode()).hexdigest()[:20]}.parquet"


def _read_shard(read: Callable[[str], bytes], paths: Sequence[str]) -> dict[str, Any]:
    cv2.setNumThreads(1)  # shards run side by side already
    photos = [Photo(path, "", None) for path in paths]
    found, rejected = [], {}
    for photo, row in zip(photos, read_rows(read, photos), strict=True):
        if "reason" in row:
            rejected[photo.name] = row["reason"]
        else:
            odd = {name: row["odd"].get(name) for name in ODD}
            found.append(
                {"path": photo.name, **{name: row[name] for name in _READ}, **odd, **tell(row["bytes"])}
            )
    return {"n": len(paths), "photos": found, "rejected": rejected}


def _facts(photos: Sequence[Photo], found: Mapping[str, Facts]) -> tuple[pd.DataFrame, list[str]]:
    rows = pd.DataFrame([_row(photo, found[photo.name]) for photo in photos if photo.name in found])
    notes: list[str] = []
    if any(photo.camera is None for photo in photos):
        rows["camera"], notes = join_cameras(rows["camera"])
    else:
        devices = [found[path]["camera"] for path in (photo.name for photo in photos) if path in found]
        notes = look_at_exif(rows.assign(device=devices))
    index = make_index(rows)
    facts = index[taken_over(index)].assign(
        **{name: rows[name].astype(kind) for name, kind in COMPUTED.items()}
    )
    odd = rows.loc[rows[list(ODD)].notna().any(axis=1), ["path", *ODD]]
    return with_factors(facts, default_size(index), "resize"), [*notes, *look_at_pixels(odd, index)]


def _row(photo: Photo, found: Facts) -> Facts:
    words = {"label": photo.label, "group": photo.group, "split": photo.split, "part": ""}
    if photo.camera is not None:
        words["camera"] = photo.camera
    return {**found, **words, "others": json.dumps({"path": photo.name})}
