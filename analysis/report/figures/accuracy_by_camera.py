"""Figures 3 and 4: accuracy on the label by camera."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.report.figures.base import (
    FIGURES,
    LABEL_COLOURS,
    MAX_PANELS,
    finished,
    legend_below,
    panels,
    tilt,
)
from camerabias.analysis.statistics.accuracy import accuracy, chance
from camerabias.datasets.schema import CamerabiasError

BARS = "A whole bar is the share of a camera's photos that were named rightly; its colours are these photos' labels."
"""What a bar means, in a sentence."""


def disjoint_by_camera(records: Records) -> tuple[Figure, str]:
    """Figure 3: accuracy per camera after training with every camera tied to a label."""
    return _accuracy_by_camera(records, "disjoint")


def partial_by_camera(records: Records) -> tuple[Figure, str]:
    """Figure 4: accuracy per camera after training on some cameras alone."""
    return _accuracy_by_camera(records, "partial")


FIGURES["figure3"] = disjoint_by_camera
FIGURES["figure4"] = partial_by_camera


def _accuracy_by_camera(records: Records, setting: str) -> tuple[Figure, str]:
    cells = finished(records, "label", setting)
    if not cells:
        raise CamerabiasError(f"no finished trial on the label under {setting}, on rgb photos")
    cameras = records.info.cameras
    tilted = 0.05 * max(map(len, cameras)) if tilt(cameras) else 0.0  # inches that names at an angle take
    figure, axes = panels(len(cells), extra=0.12 * len(cameras), below=tilted)
    for axis, cell in zip(axes, cells, strict=True):
        rows = records.rows(cell)
        draw_bars(axis, rows, records.info.labels, cameras, records.unseen_cameras(cell))
        n = rows["seed"].nunique()
        axis.set_title(f"{records.model_name(cell)} ({n} seed{'s' if n > 1 else ''})")
    for axis in axes[::MAX_PANELS]:
        axis.set_ylabel("test accuracy")
    legend_below(figure, axes)
    seen = ", ".join(cells[0].seen_cameras)
    return figure, (
        f"Accuracy on the label by camera, trained on {setting} ({seen}). {BARS} Whiskers: 95 % interval of the "
        "accuracy; gray: unseen in training; dashed: chance."
    )


def draw_bars(
    axis: Axes,
    rows: pd.DataFrame,
    labels: Sequence[str],
    cameras: Sequence[str],
    unseen: Sequence[str],
) -> None:
    """Draw accuracy on the label by camera, split by the predicted label.

    Args:
        axis: Where.
        rows: Predictions of all seeds, as `Records.rows` gives them.
        labels: All labels.
        cameras: Cameras in the order in which they stand side by side.
        unseen: Those of them that training never saw.
    """
    tops = np.zeros(len(cameras))
    bars: dict[str, Any] = {"width": 0.72, "edgecolor": "white", "linewidth": 0.5}
    by_camera = {camera: rows[rows["camera"] == camera] for camera in cameras}
    for label, colour in zip(labels, cycle(LABEL_COLOURS), strict=False):
        shares = [_correct_share(by_camera[camera], label) for camera in cameras]
        axis.bar(range(len(cameras)), shares, bottom=tops, color=colour, label=label, **bars)
        tops += np.nan_to_num(shares)
    for position, camera in enumerate(cameras):
        if camera in unseen:
            axis.axvspan(position - 0.5, position + 0.5, color="0.9", zorder=0, linewidth=0)
        found = accuracy(by_camera[camera])
        if not isnan(found.low):
            around = [[found.mean - found.low], [found.high - found.mean]]
            axis.errorbar(position, found.mean, around, color="black", linewidth=0.8, capsize=2)
    axis.axhline(chance(rows), color="black", linewidth=0.8, linestyle=(0, (4, 3)))
    names = [f"{camera}\n(unseen)" if camera in unseen else camera for camera in cameras]
    axis.set_xticks(range(len(cameras)), names, **tilt(names))
    axis.set(ylim=(0, 1.05), xlim=(-0.5, len(cameras) - 0.5))


def _correct_share(rows: pd.DataFrame, label: str) -> float:
    """Mean over seeds of the share of a camera's photos that are of `label` and named so; NaN if it has none."""
    correct = (rows["prediction"] == label) & (rows["truth"] == label)
    return float(correct.groupby(rows["seed"]).mean().mean())
