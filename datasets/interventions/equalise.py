"""Photos brought to one level of one cue, as files: what is left to tell cameras by is everything else.

The level is `Intervention.common`: that of the noisiest or the softest camera, where a cue goes one way alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from camerabias.datasets.dataset import Dataset, read_images
from camerabias.datasets.interventions.intervention import Intervention, Level, measure_levels
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sampling.select import sample_evenly
from camerabias.datasets.schema import INDEX_COLUMNS, PICTURE_DIGITS, CamerabiasError

MEASURED = 200
"""Photos on which the cameras' levels are measured, as many of each label and camera."""

ORIGINAL_ID = "original_image_id"
"""Column that says which photo an equalised one was: a comparison of runs knows it again."""

PHOTOS, TABLE, ASKED = "photos", "photos.csv", "equalised.json"
"""What lies in the folder; the last says what was asked for, and is written first."""


@dataclass(frozen=True)
class Equalised:
    """What was written.

    Attributes:
        table: A row per photo: `path`, `label`, `camera`, `group`, `split` where there is one, and other columns.
        changed: How many photos were at another level.
        n_bytes: Of the photos as they were, and as they have been written.
    """

    table: pd.DataFrame
    changed: int
    n_bytes: tuple[int, int]


@dataclass(frozen=True)
class _Moves:
    """How each camera's photos are moved, and where they go."""

    intervention: Intervention
    levels: Mapping[str, Level]
    common: Level
    photos: Folder


def equalise_photos(
    dataset: Dataset,
    cue: str,
    intervention: Intervention,
    out: Folder,
    executor: Executor,
    report: Callable[[int, int], None] | None = None,
) -> Equalised:
    """Bring all photos to one level of a cue, and write them as PNG with a table; resumes where it was interrupted.

    Levels are measured on photos that train, where the dataset has a split, and on all others.

    Args:
        dataset: The photos.
        cue: Name of the cue, for errors.
        intervention: How its photos are moved.
        out: Where `photos.csv` and the folder `photos` go; nothing else may lie there.
        executor: Where the work runs.
        report: Called with (parts done, parts in all).

    Raises:
        CamerabiasError: Something else lies in `out`, or the level of a camera is not known.
    """
    asked = {"dataset": dataset.manifest.fingerprint, "cue": cue}
    _refuse_others(out, asked)
    table, levels = _table(dataset), _known_levels(dataset, cue, intervention)
    common = intervention.common(np.stack([*levels.values()]))
    moves = _Moves(intervention, levels, common, out.child(PHOTOS))
    parts = [part.name for part in dataset.manifest.parts]
    cameras = dict(zip(dataset.index["image_id"], dataset.index["camera"], strict=True))
    work = partial(_write_part, dataset.folder, moves, cameras)
    out.write_json(ASKED, asked)
    before = after = 0
    for done, written in enumerate(executor.map(work, parts), start=1):
        before, after = before + int(written["before"]), after + int(written["after"])
        if report:
            report(done, len(parts))
    with out.replacing(TABLE) as stream:
        table.to_csv(stream, index=False)
    there = {camera for camera, level in levels.items() if np.array_equal(level, common)}
    return Equalised(table, int((~dataset.index["camera"].isin(there)).sum()), (before, after))


def _refuse_others(out: Folder, asked: Mapping[str, str]) -> None:
    """Refuse a folder that holds anything but a beginning of the same."""
    if not (out.exists() and out.names()):
        return
    if not out.exists(ASKED):
        raise CamerabiasError(f"{out} is not empty; name another folder for the photos.")
    if (there := out.read_json(ASKED)) != asked:
        what = (
            "other photos"
            if there.get("cue") == asked["cue"]
            else f"photos at one level of {there.get('cue')}"
        )
        raise CamerabiasError(f"{out} holds {what}; name another folder.")


def _known_levels(dataset: Dataset, cue: str, intervention: Intervention) -> Mapping[str, Level]:
    rows = sample_evenly(dataset.index[dataset.index["split"] != "test"], MEASURED).set_index("image_id")
    levels = measure_levels(intervention, rows, dataset.read_some(rows.index))
    if unknown := sorted({*dataset.index["camera"]} - {*levels}):
        raise CamerabiasError(
            f"The level of {cue} is not known of {', '.join(map(repr, unknown))}: no photo of theirs that trains "
            "tells it. Drop these cameras, or equalise another cue."
        )
    return levels


def _write_part(dataset: Folder, moves: _Moves, cameras: Mapping[str, str], part: str) -> dict[str, Any]:
    """Write the photos of a part that are not there yet; gives the bytes of all, as they were and as they are."""
    before = after = 0
    for image_id, content in read_images(dataset, part):
        name = f"{image_id}.png"
        if moves.photos.exists(name):  # whole, as files are written at once
            written = moves.photos.read_bytes(name)
        else:
            written = _equalised(moves, moves.levels[cameras[image_id]], image_id, content)
            moves.photos.write_bytes(name, written)
        before, after = before + len(content), after + len(written)
    return {"part": part, "before": before, "after": after}


def _equalised(moves: _Moves, level: Level, image_id: str, content: bytes) -> bytes:
    pixels = decode(content)
    if not np.array_equal(level, moves.common):
        generator = np.random.default_rng(int(image_id[:PICTURE_DIGITS], 16))
        pixels = moves.intervention.move(pixels, level, moves.common, generator)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _table(dataset: Dataset) -> pd.DataFrame:
    kept = {"label", "camera", "group", *(("split",) if dataset.manifest.has_split else ())}
    table = dataset.index.drop(columns=[name for name in INDEX_COLUMNS if name not in kept])
    table = table.rename(columns={"path": "original_path"})
    if ORIGINAL_ID not in table:  # else the photos have been equalised before
        table[ORIGINAL_ID] = dataset.index["image_id"]
    table.insert(0, "path", [f"{PHOTOS}/{image_id}.png" for image_id in dataset.index["image_id"]])
    return table
