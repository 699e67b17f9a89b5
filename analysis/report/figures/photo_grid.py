"""Figure 1: what the cameras make of the same objects."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.records.study import Example
from camerabias.analysis.report.figures.base import FIGURES, read_photo, show_photo
from camerabias.datasets.schema import CamerabiasError

MAX_ROWS, MAX_COLUMNS = 4, 6  # of photos


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


def _of_label(examples: Sequence[Example], label: str) -> list[Example]:
    return [example for example in examples if example.label == label]
