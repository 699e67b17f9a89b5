"""Where a study varies two fields of the recipe: accuracy, and dependence on the camera, over both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from camerabias.analysis.effects.shortcut_effect import shortcut_effect
from camerabias.analysis.records.records import Records
from camerabias.analysis.report.figures.base import FIGURES
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.association import associated_labels
from camerabias.analysis.statistics.number_format import show_share
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.study import StudyCell
from camerabias.trainables.spec.recipe import Recipe

PANELS = {
    "accuracy": ("accuracy on the label", "viridis", 0.0),
    "dependence": ("shortcut effect (0 to 1)", "RdBu_r", -1.0),
}
"""By column of a heatmap: its title, its colours, and the low end of its scale; the high end is 1."""


def recipe_heatmap(records: Records) -> tuple[Figure, str] | None:
    """Accuracy on the label and dependence on the camera over two fields of the recipe, a row per setting.

    Returns:
        The figure and its caption; None where no study asked for other recipes than its own.

    Raises:
        CamerabiasError: The recipes do not differ in just two fields.
    """
    if records.cells("label", recipe=None) == records.cells("label"):
        return None
    groups = [
        (cells, fields) for cells in _comparable(records) if len(fields := _varied(records, cells)) == 2
    ]
    if not groups:
        raise CamerabiasError("no finished trials of the label whose recipes differ in just two fields")
    figure = Figure(figsize=(3.6 * len(PANELS), 2.7 * len(groups)), layout="constrained")
    axes = figure.subplots(len(groups), len(PANELS), squeeze=False)
    for row, (cells, fields) in zip(axes, groups, strict=True):
        table = _measure(records, cells, fields)
        for axis, name in zip(row, PANELS, strict=True):
            _draw(axis, table[name].unstack(), name)
        row[0].set_ylabel(f"{_name(records, cells[0])}\n{fields[0]}")
    return figure, (
        "What two fields of the recipe do, on photos of cameras that training saw. Left: accuracy on the label. "
        "Right: how much more often a camera's associated label is predicted within a true label: 0 is no "
        "dependence on the camera, 1 complete. Means of the finished seeds; an empty place has none."
    )


FIGURES["recipes"] = recipe_heatmap


def _comparable(records: Records) -> list[list[StudyCell]]:
    """Cells of the label that differ by their recipe alone, where some have finished."""
    cells = [cell for cell in records.cells("label", recipe=None) if records.done(cell)]

    def others(cell: StudyCell) -> tuple[str, ...]:
        return cell.model_copy(update={"recipe": ""}).key

    return [list(group) for _, group in groupby(sorted(cells, key=others), key=others)]


def _recipe(records: Records, cell: StudyCell) -> dict[str, Any]:
    trial = next(iter(records.done(cell).values()))
    return {name: records.trials.at[trial, name] for name in (*Recipe.model_fields, "weights")}


def _varied(records: Records, cells: Sequence[StudyCell]) -> list[str]:
    """Fields in which the cells' recipes differ."""
    recipes = pd.DataFrame([_recipe(records, cell) for cell in cells])
    return [str(name) for name in recipes if recipes[name].nunique(dropna=False) > 1]


def _measure(records: Records, cells: Sequence[StudyCell], fields: Sequence[str]) -> pd.DataFrame:
    """The values of `PANELS` by those of both fields."""
    rows = []
    for cell in cells:
        seeds = list(records.test_rows(cell, "seen").values())
        tested = pd.concat(seeds)
        counts = pd.crosstab(tested["label"], tested["camera"])
        associated = records.tied_labels(cell) or associated_labels(counts)
        measured = (accuracy(seeds).mean, shortcut_effect(seeds, associated).risk_difference.mean)
        rows.append(_recipe(records, cell) | dict(zip(PANELS, measured, strict=True)))
    return pd.DataFrame(rows).set_index([*fields])[[*PANELS]]


def _draw(axis: Axes, table: pd.DataFrame, name: str) -> None:
    title, colours, low = PANELS[name]
    values = table.to_numpy(float)
    axis.imshow(values, cmap=colours, vmin=low, vmax=1, aspect="auto")
    axis.set_xticks(range(table.shape[1]), [*map(_show, table.columns)])
    axis.set_yticks(range(table.shape[0]), [*map(_show, table.index)])
    axis.set(title=title, xlabel=table.columns.name)
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            around = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
            axis.text(column, row, show_share(value), ha="center", va="center", bbox=around)


def _show(value: object) -> str:
    if isinstance(value, str) and value.startswith(
        "sha256:"
    ):  # weights: enough of their hash to tell them apart
        return f"pretrained ({value[7:11]})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _name(records: Records, cell: StudyCell) -> str:
    helped = "" if cell.mitigation == "none" else f", {cell.mitigation}"
    return f"{records.model_name(cell)}, {cell.setting}, {cell.views}{helped}"
