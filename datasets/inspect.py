"""Looking at a dataset: how labels and cameras hang together, what the files are, and a sheet of photos."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats.contingency import association

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.decode import NO_EXIF_CAMERA, Pixels, decode
from camerabias.datasets.views import fit_pixels

MAX_NAMES = 16
"""Labels, and cameras, on a contact sheet; more could not be read."""


@dataclass(frozen=True)
class Overview:
    """What `data show` prints.

    Attributes:
        tables: Counts, labels × cameras, for `all` images and for each part of the split if there is one.
        cramers_v: Association of label and camera from 0 (none) to 1; NaN with a single label or camera.
        formats: Number of images per file format.
        short_sides: Smallest, median and largest short side in pixels, a row per camera.
        crossing_groups: Groups that lie on more than one side of the user's split.
        no_exif: Images whose camera EXIF did not tell.
    """

    tables: dict[str, pd.DataFrame]
    cramers_v: float
    formats: pd.Series[int]
    short_sides: pd.DataFrame
    crossing_groups: int
    no_exif: int


def describe(dataset: Dataset) -> Overview:
    """Count and measure what the index tells; no image is read."""
    index = dataset.index
    short = index[["width", "height"]].min(axis=1)
    sides = short.groupby(index["camera"]).agg(["min", "median", "max"]).astype(int)
    return Overview(
        tables=_count_tables(dataset),
        cramers_v=cramers_v(cross_table(index, dataset)),
        formats=index["format"].value_counts(),
        short_sides=sides.reindex(dataset.manifest.cameras),
        crossing_groups=dataset.crossing_groups,
        no_exif=int((index["camera"] == NO_EXIF_CAMERA).sum()),
    )


def cross_table(index: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Counts of the images in `index`, labels (rows) × cameras (columns), in the manifest's order."""
    table = pd.crosstab(index["label"], index["camera"])
    return table.reindex(index=dataset.manifest.labels, columns=dataset.manifest.cameras, fill_value=0)


def cramers_v(table: pd.DataFrame) -> float:
    """Cramér's V of a table of counts, empty rows and columns left out; NaN where one row or column is left."""
    counts = table.to_numpy()
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    return float(association(counts, method="cramer")) if min(counts.shape) > 1 else float("nan")


def _count_tables(dataset: Dataset) -> dict[str, pd.DataFrame]:
    tables = {"all": cross_table(dataset.index, dataset)}
    if dataset.manifest.has_split:
        for split, rows in dataset.index.groupby("split", sort=False):
            tables[str(split)] = cross_table(rows, dataset)
    return tables


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
