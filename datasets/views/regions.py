"""What each pixel of a simulated photo shows: plastic, code or seam. Anybody's own photos do not say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.schema import IMAGES_FOLDER
from camerabias.datasets.simulator.scene import REGIONS
from camerabias.datasets.views.fit import fit_pixels
from camerabias.datasets.views.registry import VIEWS
from camerabias.datasets.views.variant import Variant


def read_regions(dataset: Dataset, rows: npt.NDArray[np.int64], variant: Variant) -> Pixels | None:
    """Regions of images, with the same pixels as a variant.

    Args:
        dataset: The dataset.
        rows: n positions in its index.
        variant: Whose geometry (its half, size and fit) they follow.

    Returns:
        uint8 (n, h, w), values of `REGIONS`; None where the dataset does not know them, or the view moves them.
    """
    if variant.view.kind.moves:
        return None
    wanted = dataset.index.iloc[rows][["part", "image_id"]]
    found: dict[str, bytes | None] = {}
    for part in wanted["part"].unique():
        found |= _read_part(dataset, part)
    contents = [found[image_id] for image_id in wanted["image_id"]]
    if any(content is None for content in contents):
        return None
    return np.stack(
        [_render(decode(content)[..., 0], variant) for content in contents if content is not None]
    )


def _read_part(dataset: Dataset, part: str) -> dict[str, bytes | None]:
    """PNG bytes, or None, by image_id."""
    table = dataset.folder.child(IMAGES_FOLDER).read_table(part, ["regions"])
    ids = dataset.index.loc[dataset.index["part"] == part, "image_id"]
    return dict(zip(ids, table["regions"].to_pylist(), strict=True))


def _render(regions: Pixels, variant: Variant) -> Pixels:
    """Fit each region by itself and take the strongest, since the values in between two mean nothing."""
    height, width, _ = variant.shape
    # of the view, only what it cuts away moves regions
    view = variant.view.kind if variant.view.kind.width_share != 1 else VIEWS["rgb"]
    masks = []
    for value in REGIONS.values():
        mask = np.where(regions == value, np.uint8(255), np.uint8(0))[..., None]
        masks.append(fit_pixels(view.transform(mask, {}), height, width, variant.fit)[..., 0])
    return np.asarray(np.argmax(masks, axis=0), dtype=np.uint8)
