"""Photos that a run takes along, so that its report can show some wherever it is made."""

from __future__ import annotations

import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.trainables.record import Run

MAX_CELLS = 24
"""Label × camera cells that are shown; more would not fit on a page."""


def write_examples(dataset: Dataset, run: Run) -> None:
    """Write one photo per label × camera cell into `RUN/examples/`, of one group per label where that can be."""
    folder = run.folder.child("examples")
    if folder.exists("examples.json"):
        return
    chosen = _choose(dataset.index)
    entries = []
    for row in chosen.itertuples():
        name = f"{row.image_id}.{str(row.format).lower()}"
        folder.write_bytes(name, dataset.read_image(str(row.image_id)))
        entries.append(
            {
                "image_id": row.image_id,
                "label": row.label,
                "camera": row.camera,
                "group": row.group,
                "file": name,
            }
        )
    folder.write_json("examples.json", entries)


def _choose(index: pd.DataFrame) -> pd.DataFrame:
    cameras_of = index.groupby(["label", "group"])["camera"].nunique().rename("_n_cameras").reset_index()
    ranked = index.merge(cameras_of, on=["label", "group"]).sort_values(
        ["_n_cameras", "group", "image_id"], ascending=[False, True, True]
    )
    return ranked.groupby(["label", "camera"], sort=True).head(1).head(MAX_CELLS)
