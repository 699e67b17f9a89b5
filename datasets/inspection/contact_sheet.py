"""Looking at a dataset: a sheet of its photos, a row per label and a column per camera."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.io.letters import fit_letters
from camerabias.datasets.views.fit import fit_pixels

MAX_NAMES = 16
"""Labels, and cameras, on a contact sheet; more could not be read."""


def contact_sheet(dataset: Dataset, per_cell: int = 2, side: int = 160) -> bytes:
    """A sheet of photos, a row per label and a column per camera, of the first `MAX_NAMES` of each.

    Args:
        dataset: The dataset.
        per_cell: Photos shown of each cell, the first by image_id.
        side: Side of a photo on the sheet in pixels.

    Returns:
        A PNG file.
    """
    from matplotlib.figure import Figure  # only here: nothing else in the datasets draws

    labels, cameras = dataset.manifest.labels[:MAX_NAMES], dataset.manifest.cameras[:MAX_NAMES]
    width, height = 1.05 * per_cell * side / 100 * len(cameras) + 1, (side / 100 + 0.3) * len(labels) + 0.4
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    axes = figure.subplots(len(labels), len(cameras), squeeze=False)
    shown = _first_of_cells(dataset, per_cell)
    shown = shown[shown["label"].isin(labels) & shown["camera"].isin(cameras)]
    contents = _read_some(dataset, shown)
    for row, label in enumerate(labels):
        for column, camera in enumerate(cameras):
            axis = axes[row, column]
            axis.set_xticks([])
            axis.set_yticks([])
            cell = shown[(shown["label"] == label) & (shown["camera"] == camera)]
            tiles = [fit_pixels(decode(contents[i]), side, side, "resize") for i in cell["image_id"]]
            axis.imshow(_strip(tiles, per_cell, side))
            if row == 0:
                axis.set_title(_no_formula(camera), fontsize=9, wrap=True)
            if column == 0:
                axis.set_ylabel(_no_formula(label), fontsize=9)
    fit_letters(figure)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _no_formula(name: str) -> str:
    return name.replace("$", r"\$")  # what stands between two dollars would be typeset


def _first_of_cells(dataset: Dataset, per_cell: int) -> pd.DataFrame:
    return dataset.index.sort_values("image_id").groupby(["label", "camera"]).head(per_cell)


def _read_some(dataset: Dataset, rows: pd.DataFrame) -> dict[str, bytes]:
    wanted = set(rows["image_id"])
    return {
        image_id: content
        for part in rows["part"].unique()
        for image_id, content in dataset.read_images(part)
        if image_id in wanted
    }


def _strip(tiles: list[Pixels], n: int, side: int) -> Pixels:
    blank = np.full((side, side, 3), 255, dtype=np.uint8)
    return np.concatenate([*tiles, *[blank] * (n - len(tiles))], axis=1)
