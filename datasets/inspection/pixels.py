"""Pixel statistics of the photos of a dataset, or of photos where they lie; measured once.

Of many photos a thousand are measured, as evenly over labels and cameras as there are: more would make no sentence
another, and take minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.inspection.kept import keep, kept
from camerabias.datasets.inspection.metadata import tell_images
from camerabias.datasets.inspection.survey import read_once
from camerabias.datasets.io.executor import Executor
from camerabias.datasets.pixels.registry import STATISTICS, measure_pixels
from camerabias.datasets.reading.photo import Source
from camerabias.datasets.reading.words import as_text
from camerabias.datasets.sampling.select import sample_evenly
from camerabias.datasets.schema import PIXELS_FILE

PIXELS_VERSION = 1
"""Raised when the same photo would give other numbers than those that are kept."""

MAX_PHOTOS = 1000
"""Photos that are measured."""

_NUMBERS = dict.fromkeys(STATISTICS, np.float64) | {"version": np.int64}


def pixels_of(
    dataset: Dataset,
    executor: Executor,
    report: Callable[[int, int], None] | None = None,
    most: int = MAX_PHOTOS,
) -> pd.DataFrame:
    """The pixel statistics of so many images at most, measured once and kept in the DATASET.

    Args:
        dataset: The dataset.
        executor: Where the work runs, a shard at a time.
        report: Called with (shards done, shards in all).
        most: Images that are measured.

    Returns:
        A row per image that was measured, in the order of the index: `image_id`, and a column per statistic of
        `STATISTICS`, NaN where a photo does not tell.
    """
    image_ids = sample_evenly(dataset.index, most)["image_id"]
    measured = kept(dataset.folder, PIXELS_FILE)
    if measured is None or not _are_of(measured, image_ids):
        told = tell_images(dataset, _measure, executor, report, frozenset(image_ids)).astype(_NUMBERS)
        measured = image_ids.to_frame().merge(told, on="image_id", how="left", validate="1:1")
        keep(dataset.folder, PIXELS_FILE, measured)
    return measured[["image_id", *STATISTICS]]


def survey_pixels(
    source: Source,
    facts: pd.DataFrame,
    executor: Executor,
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """The pixel statistics of photos where they lie, kept in the cache; files that have changed are read again.

    Args:
        source: The photos.
        facts: What `survey` found of them: a row per photo that can be used.
        executor: Where the work runs.
        report: Called with (photos read, photos to read).

    Returns:
        As `pixels_of`, in the order of the facts.
    """
    facts = sample_evenly(facts, MAX_PHOTOS)
    chosen = set(facts["path"])
    photos = [photo for photo in source.photos if photo.name in chosen]
    found, _ = read_once(
        source, photos, f"pixels-{PIXELS_VERSION}", _NUMBERS, _measure_shard, executor, report
    )
    rows = pd.DataFrame([found[path] for path in facts["path"]], index=facts.index)
    return rows.assign(image_id=facts["image_id"])[["image_id", *STATISTICS]].reset_index(drop=True)


def _are_of(measured: pd.DataFrame, image_ids: pd.Series[str]) -> bool:
    """Whether numbers that are kept are those of these images, which are named by their bytes, as of now."""
    known = set(_NUMBERS) <= set(measured) and set(measured["version"]) == {PIXELS_VERSION}
    return known and measured["image_id"].tolist() == image_ids.tolist()


def _measure(content: bytes) -> dict[str, Any]:
    return {**measure_pixels(content), "version": PIXELS_VERSION}


def _measure_shard(read: Callable[[str], bytes], paths: Sequence[str]) -> dict[str, Any]:
    cv2.setNumThreads(1)  # shards run side by side already
    photos = [{"path": as_text(path), **_measure(read(path))} for path in paths]
    return {"n": len(paths), "photos": photos, "rejected": {}}
