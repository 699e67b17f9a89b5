"""Photos that a run takes along, so that its report can show some wherever it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.views.fit import fit_pixels
from camerabias.datasets.views.registry import View
from camerabias.trainables.records.record import EXAMPLES_FILE, EXAMPLES_FOLDER, VIEWS_FILE
from camerabias.trainables.records.run import Run

MAX_CELLS = 24
"""Label × camera cells that are shown; more would not fit on a page."""
DRAWS = 6
"""Draws of a random view that are shown."""
MAX_SIDE = 512
"""Pixels of a view that are shown; larger photos show their centre, since scaling would change what is to be seen."""


def write_examples(dataset: Dataset, run: Run, views: Iterable[View]) -> None:
    """Write one photo per label × camera cell into `RUN/examples/`, and one of them through every view."""
    folder = run.folder.child(EXAMPLES_FOLDER)
    if not folder.exists(EXAMPLES_FILE):
        _write_photos(dataset, folder)
    _write_views(dataset, folder, {str(view): view for view in (View.model_validate("rgb"), *views)})


def _write_photos(dataset: Dataset, folder: Folder) -> None:
    """One photo per cell, of one group per label where that can be."""
    entries = []
    for row in _choose(dataset.index).itertuples():
        content, kind = dataset.read_image(str(row.image_id)), str(row.format).lower()
        if kind == "dicom":  # which says who the patient is, and is read with an extra
            content, kind = _png(decode(content)), "png"
        name = f"{row.image_id}.{kind}"
        folder.write_bytes(name, content)
        entries.append(
            {
                "image_id": row.image_id,
                "label": row.label,
                "camera": row.camera,
                "group": row.group,
                "file": name,
            }
        )
    folder.write_json(EXAMPLES_FILE, entries)


def _choose(index: pd.DataFrame) -> pd.DataFrame:
    cameras_of = index.groupby(["label", "group"])["camera"].nunique().rename("_n_cameras").reset_index()
    ranked = index.merge(cameras_of, on=["label", "group"]).sort_values(
        ["_n_cameras", "group", "image_id"], ascending=[False, True, True]
    )
    return ranked.groupby(["label", "camera"], sort=True).head(1).head(MAX_CELLS)


def _write_views(dataset: Dataset, folder: Folder, views: dict[str, View]) -> None:
    """The first photo through every view that has not been written yet."""
    entries: list[dict[str, Any]] = folder.read_json(VIEWS_FILE) if folder.exists(VIEWS_FILE) else []
    missing = {name: view for name, view in views.items() if name not in {e["view"] for e in entries}}
    if not missing:
        return
    image_id = folder.read_json(EXAMPLES_FILE)[0]["image_id"]
    photo = decode(dataset.read_image(image_id))
    for name, view in missing.items():
        for draw, pixels in enumerate(_draws(photo, view, image_id)):
            file = f"{image_id}-{name}-{draw}.png"
            folder.write_bytes(file, _png(pixels))
            entries.append({"image_id": image_id, "view": name, "draw": draw, "file": file})
    folder.write_json(VIEWS_FILE, entries)


def _png(pixels: Pixels) -> bytes:
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def _draws(photo: Pixels, view: View, image_id: str) -> list[Pixels]:
    seen = _centre(view.kind.transform(photo, view.parameters))
    if view.kind.draw is None:
        return [seen]
    import torch  # late: only a random view needs it

    from camerabias.trainables.training.images import Images
    from camerabias.trainables.training.randomness import image_numbers

    images = Images(seen[None], view, torch.device("cpu"))
    drawn = [
        images.levels(np.zeros(1, np.int64), image_numbers(0, [image_id], draw, view.kind.n_numbers))
        for draw in range(DRAWS)
    ]
    return [levels[0].round().byte().numpy() for levels in drawn]


def _centre(pixels: Pixels) -> Pixels:
    height, width = (min(side, MAX_SIDE) for side in pixels.shape[:2])
    return fit_pixels(pixels, height, width, "crop")
