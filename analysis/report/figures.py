"""The paper's figures: how all are drawn, and those that plot numbers; `pictures` has those that show photos.

Each is drawn from records alone; one that cannot be drawn says why. To add a figure, write a function from the
records to a `Figure` and its caption, which raises `CamerabiasError` with the reason where the records lack what it
shows, and register it in `FIGURES`. Colours are Okabe and Ito's, which colour-blind readers can tell apart.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil, isnan
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.report.pictures import (
    binary_view,
    crop_heat_map,
    crops_of_single_photos,
    jitter_draws,
    perturbation_pairs,
    photo_grid,
)
from camerabias.analysis.report.recipe_heatmap import recipe_heatmap, varies_recipes
from camerabias.analysis.statistics.accuracy import accuracy, chance
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.trainables.records.study import StudyCell

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442",
)  # fmt: skip
TARGET_COLOURS: dict[Target, str] = {"camera": VERMILION, "label": BLUE}
LABEL_COLOURS = (SKY, ORANGE, GREEN, PURPLE, BLUE, VERMILION, YELLOW)

STYLE: dict[Any, Any] = {
    "figure.dpi": 200, "font.size": 8, "axes.titlesize": 8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "legend.frameon": False,
    "text.parse_math": False,  # a label may hold a dollar sign
    "pdf.fonttype": 42,  # text stays text
}  # fmt: skip
PANEL_WIDTH, PANEL_HEIGHT = 2.4, 2.1  # inches
MAX_PANELS = 3  # side by side, which fills a printed page


@dataclass(frozen=True)
class DrawnFigure:
    """A figure, drawn.

    Attributes:
        name: Name of its files.
        caption: What it shows.
        png: The picture at 200 dots per inch.
        pdf: The same for print.
    """

    name: str
    caption: str
    png: bytes
    pdf: bytes


def draw_figures(records: Records, audit: Findings | None = None) -> tuple[list[DrawnFigure], dict[str, str]]:
    """Draw every figure that the records allow.

    Args:
        records: A run's records.
        audit: What an audit of the run has found, if it is one.

    Returns:
        The figures, and the reason of each that could not be drawn, by name.
    """
    drawn, missing = [], {}
    draws = dict(FIGURES)
    if audit is not None and len(audit.cameras) > 1:
        draws = {"cues": lambda _: cues_by_view(audit), **draws}
    if varies_recipes(records):
        draws["recipes"] = recipe_heatmap
    for name, draw in draws.items():
        with mpl.rc_context(STYLE):
            try:
                figure, caption = draw(records)
            except CamerabiasError as error:
                missing[name] = str(error)
                continue
            # without dates, so that the same records make the same files
            png, pdf = _save(figure, "png", "Software"), _save(figure, "pdf", "CreationDate")
        drawn.append(DrawnFigure(name, caption, png, pdf))
    return drawn, missing


def write_figures(figures: Sequence[DrawnFigure], folder: Folder) -> None:
    """Write NAME.png and NAME.pdf of every figure."""
    for figure in figures:
        folder.write_bytes(f"{figure.name}.png", figure.png)
        folder.write_bytes(f"{figure.name}.pdf", figure.pdf)


def learning_curves(records: Records) -> tuple[Figure, str]:
    """Figure 2: validation accuracy by step, camera against label, a panel per model."""
    setting, cells = _learning_cells(records)
    models = list(dict.fromkeys(records.model_name(cell) for cell in cells))
    figure, axes = _panels(len(models))
    for axis, model in zip(axes, models, strict=True):
        shown = [cell for cell in cells if records.model_name(cell) == model]
        seeds = ", ".join(f"{cell.target} {len(records.done(cell))}" for cell in shown)
        axis.set(title=f"{model} (seeds: {seeds})", xlabel="optimiser steps", ylim=(0, 1.03))
        for cell in shown:
            _draw_curves(axis, records, cell)
    for axis in axes[::MAX_PANELS]:
        axis.set_ylabel("validation accuracy")
    _legend_below(figure, axes)
    return figure, (
        f"Learning the camera and the label on {setting} data: accuracy on validation photos. Thick: mean of "
        "the seeds, as far as all of them ran; thin: each seed; dashed: chance."
    )


def disjoint_by_camera(records: Records) -> tuple[Figure, str]:
    """Figure 3: accuracy per camera after training with every camera tied to a label."""
    return _accuracy_by_camera(records, "disjoint")


def partial_by_camera(records: Records) -> tuple[Figure, str]:
    """Figure 4: accuracy per camera after training on some cameras alone."""
    return _accuracy_by_camera(records, "partial")


def cues_by_view(audit: Findings) -> tuple[Figure, str]:
    """Camera accuracy and shortcut effect that remain in every view."""
    panels = [
        (
            "cameras identified within a label (chance-normalised accuracy)",
            audit.cameras,
            "kept",
            VERMILION,
        ),
        ("shortcut effect (risk difference)", audit.labels, "risk_difference", BLUE),
    ]
    panels = [panel for panel in panels if len(panel[1]) > 1]
    height = 0.18 * max(len(frame) for _, frame, *_ in panels) + 0.7
    figure = Figure(figsize=(3.4 * len(panels), height), layout="constrained")
    for axis, (title, frame, column, colour) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
    ):
        shown = frame[::-1]  # matplotlib draws upwards
        axis.barh(shown["view"], shown[column], color=colour, height=0.65)
        if f"{column}_low" in shown:
            ends = [shown[column] - shown[f"{column}_low"], shown[f"{column}_high"] - shown[column]]
            axis.errorbar(shown[column], shown["view"], xerr=ends, fmt="none", color="black", linewidth=0.7)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set(title=title, xlim=(min(-0.1, float(shown[column].min()) - 0.05), 1.02))
    n = audit.cameras["n_seeds"].max()
    return figure, (
        "What remains when one cue at a time is removed, in training and in test. Left: chance-normalised accuracy "
        "(0: chance, 1: always right) on the camera of photos with the same label. "
        + ("Right: shortcut effect of models of the label, with 95 % intervals. " if len(panels) > 1 else "")
        + f"Model {audit.model}, up to {n} seeds."
    )


FIGURES: dict[str, Callable[[Records], tuple[Figure, str]]] = {
    "figure1": photo_grid,
    "figure2": learning_curves,
    "figure3": disjoint_by_camera,
    "figure4": partial_by_camera,
    "figure5": perturbation_pairs,
    "figure6": binary_view,
    "figure7": jitter_draws,
    "figure8": crop_heat_map,
    "figure9": crops_of_single_photos,
}


def _learning_cells(records: Records) -> tuple[str, list[StudyCell]]:
    for setting in ("balanced", "natural"):
        found = {target: _finished(records, target, setting) for target in TARGET_COLOURS}
        if all(found.values()):
            return setting, [cell for cells in found.values() for cell in cells]
    raise CamerabiasError(
        "no finished trials of both camera and label under balanced or natural, on rgb photos"
    )


def _finished(records: Records, target: Target, setting: str) -> list[StudyCell]:
    return [cell for cell in records.cells(target, setting, "rgb") if records.done(cell)]


def _draw_curves(axis: Axes, records: Records, cell: StudyCell) -> None:
    colour = TARGET_COLOURS[cell.target]
    histories = [records.validations(trial) for trial in records.done(cell).values()]
    for history in histories:
        axis.plot(history["step"], history["validation_accuracy"], color=colour, linewidth=0.5, alpha=0.45)
    curves = pd.concat([h.set_index("step")["validation_accuracy"] for h in histories], axis=1, join="inner")
    axis.plot(curves.index, curves.mean(axis=1), color=colour, linewidth=1.8, label=cell.target)
    guess = chance(list(records.test_rows(cell).values()))
    axis.axhline(guess, color=colour, linewidth=0.8, linestyle=(0, (4, 3)))


def _accuracy_by_camera(records: Records, setting: str) -> tuple[Figure, str]:
    cells = _finished(records, "label", setting)
    if not cells:
        raise CamerabiasError(f"no finished trial on the label under {setting}, on rgb photos")
    cameras = records.info.cameras
    tilted = 0.05 * max(map(len, cameras)) if _tilt(cameras) else 0.0  # inches that names at an angle take
    figure, axes = _panels(len(cells), extra=0.12 * len(cameras), below=tilted)
    for axis, cell in zip(axes, cells, strict=True):
        _draw_bars(axis, records, cell)
    for axis in axes[::MAX_PANELS]:
        axis.set_ylabel("test accuracy")
    _legend_below(figure, axes)
    seen = ", ".join(cells[0].seen_cameras)
    return figure, (
        f"Accuracy on the label by camera, trained on {setting} ({seen}). Bars are split by the predicted label "
        "among correct outputs; whiskers: 95 % interval of the accuracy; gray: unseen in training; dashed: chance."
    )


def _draw_bars(axis: Axes, records: Records, cell: StudyCell) -> None:
    seeds = list(records.test_rows(cell).values())
    cameras, unseen = records.info.cameras, records.unseen_cameras(cell)
    tops = np.zeros(len(cameras))
    bars: dict[str, Any] = {"width": 0.72, "edgecolor": "white", "linewidth": 0.5}
    for label, colour in zip(records.info.labels, cycle(LABEL_COLOURS), strict=False):
        shares = [_correct_share(seeds, camera, label) for camera in cameras]
        axis.bar(range(len(cameras)), shares, bottom=tops, color=colour, label=label, **bars)
        tops += np.nan_to_num(shares)
    for position, camera in enumerate(cameras):
        if camera in unseen:
            axis.axvspan(position - 0.5, position + 0.5, color="0.9", zorder=0, linewidth=0)
        found = accuracy([rows for frame in seeds if len(rows := frame[frame["camera"] == camera])])
        if not isnan(found.low):
            around = [[found.mean - found.low], [found.high - found.mean]]
            axis.errorbar(position, found.mean, around, color="black", linewidth=0.8, capsize=2)
    axis.axhline(chance(seeds), color="black", linewidth=0.8, linestyle=(0, (4, 3)))
    names = [f"{camera}\n(unseen)" if camera in unseen else camera for camera in cameras]
    axis.set_xticks(range(len(cameras)), names, **_tilt(names))
    n = len(seeds)
    axis.set(
        title=f"{records.model_name(cell)} ({n} seed{'s' if n > 1 else ''})",
        ylim=(0, 1.05),
        xlim=(-0.5, len(cameras) - 0.5),
    )


def _correct_share(seeds: Sequence[pd.DataFrame], camera: str, label: str) -> float:
    """Mean over seeds of the share of a camera's photos that are of `label` and named so; NaN if it has none."""
    of_camera = [rows for frame in seeds if len(rows := frame[frame["camera"] == camera])]
    shares = [((rows["prediction"] == label) & (rows["truth"] == label)).mean() for rows in of_camera]
    return float(np.mean(shares)) if shares else float("nan")


def _panels(n: int, extra: float = 0.0, below: float = 0.0) -> tuple[Figure, list[Axes]]:
    columns = min(n, MAX_PANELS)
    rows = ceil(n / columns)
    width = PANEL_WIDTH + extra + (1.0 if n == 1 else 0.0)
    figure = Figure(figsize=(width * columns, (PANEL_HEIGHT + below) * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten().tolist()
    for unused in grid[n:]:
        unused.set_visible(False)
    return figure, grid[:n]


def _legend_below(figure: Figure, axes: Sequence[Axes]) -> None:
    drawn = {
        name: handle for axis in axes for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    # about 13 letters an inch, and 5 for the handle
    columns = int(13 * figure.get_figwidth() / (max(map(len, drawn)) + 5)) if drawn else 1
    columns = max(1, min(len(drawn), columns))
    figure.legend(list(drawn.values()), list(drawn), loc="outside lower center", ncols=columns)


def _tilt(names: Sequence[str]) -> dict[str, Any]:
    """Long or many names stand at an angle."""
    longest = max(len(line) for name in names for line in name.split("\n"))
    if longest * len(names) <= 50:
        return {}
    return {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}


def _save(figure: Figure, kind: str, dated: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, metadata={dated: None})
    return stream.getvalue()
