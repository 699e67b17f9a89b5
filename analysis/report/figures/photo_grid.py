"""Photos in rows: Figure 1, what the cameras make of the same objects; and photos that are named as their camera."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from textwrap import fill

import cv2
import numpy as np
from matplotlib.figure import Figure

from camerabias.analysis.effects.given_labels import MisledCell
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.study import Example
from camerabias.analysis.report.figures.base import FIGURES, read_photo, show_photo
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.schema import CamerabiasError

MAX_ROWS, MAX_COLUMNS = 4, 6  # of photos

ReadPhoto = Callable[[str], bytes]
"""Reads a photo by its id."""

SHOWN_SIDE = 230
"""Pixels of a photo's longer side, as large as it is drawn: photos of many megapixels would take seconds each."""

WORTH_ASKING = 10
"""Photos that are asked for, for each that is shown: some may be gone."""


def photo_grid(records: Records) -> tuple[Figure, str]:
    """Figure 1: the same objects through different cameras, a row per label."""
    examples = records.examples()
    labels = [label for label in records.info.labels if len(_of_label(examples, label)) > 1][:MAX_ROWS]
    cameras = [c for c in records.info.cameras if any(e.camera == c and e.label in labels for e in examples)]
    cameras = cameras[:MAX_COLUMNS]
    if not labels:
        raise CamerabiasError("the run carries no photos of one label from two cameras (examples/)")
    figure = Figure(figsize=(1.25 * len(cameras) + 0.3, 1.25 * len(labels) + 0.3), layout="constrained")
    axes = figure.subplots(len(labels), len(cameras), squeeze=False)
    for row, label in enumerate(labels):
        by_camera = {example.camera: example for example in _of_label(examples, label)}
        axes[row, 0].set_ylabel(label)
        for column, camera in enumerate(cameras):
            show_photo(
                axes[row, column], read_photo(records, by_camera[camera]) if camera in by_camera else None
            )
    for axis, camera in zip(axes[0], cameras, strict=True):
        axis.set_title(fill(camera, 14))  # as wide as a photo
    objects = {(example.label, example.group) for example in examples if example.label in labels}
    what = "The same object" if len(objects) == len(labels) else "Photos"
    left_out = [label for label in records.info.labels if label not in labels]
    without = f" Not shown, for lack of room or cameras: {', '.join(left_out)}." if left_out else ""
    return figure, f"{what} of each label (rows) by each camera (columns).{without}"


FIGURES["figure1"] = photo_grid


def misled_grid(cells: Sequence[MisledCell], read: ReadPhoto) -> tuple[Figure, str] | None:
    """Photos that are given their camera's associated label, a row per label and camera; None where none is there.

    Args:
        cells: Such photos, in the order in which they are shown.
        read: Reads a photo; those that cannot be read are not shown.
    """
    found = ((cell, [*islice(_readable(cell.image_ids, read), MAX_COLUMNS)]) for cell in cells)
    rows = [*islice((row for row in found if row[1]), MAX_ROWS)]
    if not rows:
        return None
    columns = max(len(photos) for _, photos in rows)
    figure = Figure(figsize=(max(1.15 * columns, 4.6), 1.4 * len(rows)), layout="constrained")
    parts = figure.subfigures(len(rows), squeeze=False)[:, 0]
    for part, (cell, photos) in zip(parts, rows, strict=True):
        part.suptitle(_title(cell), x=0.01, ha="left", fontsize=8)
        for axis, photo in zip(part.subplots(1, columns, squeeze=False)[0], photos, strict=False):
            show_photo(axis, photo)
        for axis in part.axes[len(photos) :]:
            axis.set_visible(False)
    once = all(cell.given == len(cell.image_ids) for cell in cells)
    return figure, (
        "Test photos that are named as their camera's associated label in place of their own; the most frequent "
        "first. In brackets how many photos of that label by other cameras are named so, too."
        + ("" if once else " Counted: predictions of each seed.")
    )


def _title(cell: MisledCell) -> str:
    return (
        f"{cell.label!r} by {cell.camera!r}, named {cell.prediction!r}: {cell.given} of {cell.photos} "
        f"(by others {cell.given_of_others} of {cell.photos_of_others})"
    )


def _readable(image_ids: Sequence[str], read: ReadPhoto) -> Iterator[Pixels]:
    """Photos that can be read, of as many as are worth asking for, no larger than they are shown."""
    for image_id in image_ids[: WORTH_ASKING * MAX_COLUMNS]:
        try:
            pixels = decode(read(image_id))
        except (OSError, CamerabiasError):
            continue  # a page shows the photos that are there
        height, width = pixels.shape[:2]
        scale = min(1.0, SHOWN_SIDE / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        yield np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _of_label(examples: Sequence[Example], label: str) -> list[Example]:
    return [example for example in examples if example.label == label]
