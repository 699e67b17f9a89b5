"""Figure 2: which is learned sooner, the camera or the label?"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.report.figures.base import (
    FIGURES,
    MAX_PANELS,
    TARGET_COLOURS,
    finished,
    legend_below,
    panels,
)
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.study import StudyCell
from camerabias.trainables.spec.linear_probe import is_linear


def learning_curves(records: Records) -> tuple[Figure, str]:
    """Figure 2: validation accuracy by step, camera against label, a panel per model."""
    setting, cells = _learning_cells(records)
    models = list(dict.fromkeys(records.model_name(cell) for cell in cells))
    figure, axes = panels(len(models))
    for axis, model in zip(axes, models, strict=True):
        shown = [cell for cell in cells if records.model_name(cell) == model]
        seeds = ", ".join(f"{cell.target} {len(records.done(cell))}" for cell in shown)
        axis.set(title=f"{model} (seeds: {seeds})", xlabel="optimiser steps", ylim=(0, 1.03))
        for cell in shown:
            _draw_curves(axis, records, cell)
    for axis in axes[::MAX_PANELS]:
        axis.set_ylabel("validation accuracy")
    legend_below(figure, axes)
    return figure, (
        f"Learning the camera and the label on {setting} data: accuracy on validation photos. Thick: mean of "
        "the seeds, as far as all of them ran; thin: each seed; dashed: chance."
    )


FIGURES["figure2"] = learning_curves


def _learning_cells(records: Records) -> tuple[str, list[StudyCell]]:
    for setting in ("balanced", "natural"):
        found = {
            target: [cell for cell in finished(records, target, setting) if not is_linear(cell.model)]
            for target in TARGET_COLOURS
        }
        if all(found.values()):
            return setting, [cell for cells in found.values() for cell in cells]
    raise CamerabiasError(
        "no finished networks of both camera and label under balanced or natural, on rgb photos"
    )


def _draw_curves(axis: Axes, records: Records, cell: StudyCell) -> None:
    colour = TARGET_COLOURS[cell.target]
    histories = [records.validations(trial) for trial in records.done(cell).values()]
    for history in histories:
        axis.plot(history["step"], history["validation_accuracy"], color=colour, linewidth=0.5, alpha=0.45)
    curves = pd.concat([h.set_index("step")["validation_accuracy"] for h in histories], axis=1, join="inner")
    axis.plot(curves.index, curves.mean(axis=1), color=colour, linewidth=1.8, label=cell.target)
    guess = records.chance(cell)
    axis.axhline(guess, color=colour, linewidth=0.8, linestyle=(0, (4, 3)))
