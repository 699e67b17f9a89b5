"""From a setting and the training folds to the images that train; and samples of images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.datasets.sampling.rules import CellName, Setting


def select(
    setting: Setting, labels: pd.Series[str], cameras: pd.Series[str], seed: int, size: int | None = None
) -> npt.NDArray[np.int64]:
    """Choose the images that a setting uses.

    Args:
        setting: The setting.
        labels: n labels, of the images of the training (or validation) folds.
        cameras: n cameras.
        seed: Decides which images are excluded where counts are cut.
        size: Total number of images to keep, every cell cut in proportion (of the setting's weights, where it has
            some); None keeps all.

    Returns:
        Sorted positions into the n images.
    """
    cells = _rows_of_cells(labels, cameras)
    if setting.cells is not None:
        wanted = set(setting.cells)
        cells = {cell: found for cell, found in cells.items() if cell in wanted}
    keep = {cell: len(found) for cell, found in cells.items()}
    if setting.equal_counts:
        lacking = setting.cells is not None and len(keep) < len(set(setting.cells))
        keep = dict.fromkeys(keep, 0 if lacking else min(keep.values(), default=0))
    if setting.weights is not None:
        weights = dict(zip(setting.cells or (), setting.weights, strict=True))
        most = _most_in_proportion(keep, weights)
        keep = _apportion(weights, most if size is None else min(size, most))
    elif size is not None and size < sum(keep.values()):
        keep = _apportion(keep, size)
    generator = np.random.default_rng([seed, 0x5E77])
    chosen = [generator.permutation(found)[: keep[cell]] for cell, found in cells.items()]
    return np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.int64)


def sample_evenly(photos: pd.DataFrame, most: int) -> pd.DataFrame:
    """Some of the photos: of every label and camera as many, where there are as many.

    Within a label and camera they are chosen by `image_id`, a hash of the file, which no order of names shows in.

    Args:
        photos: A row per photo: `image_id`, `label`, `camera`.
        most: How many; more only where there are more pairs of label and camera, of which each has a photo.

    Returns:
        Their rows.
    """
    cells = photos.groupby(["label", "camera"])
    rank = cells["image_id"].rank(method="first")
    sizes = cells.size().to_numpy()
    per_cell = max(n for n in range(sizes.max() + 1) if np.minimum(sizes, n).sum() <= most)
    return photos[rank <= max(per_cell, 1)]


def _rows_of_cells(labels: pd.Series[str], cameras: pd.Series[str]) -> dict[CellName, npt.NDArray[np.int64]]:
    """Positions of the images of every (label, camera) that there is, in the order of these names."""
    label_codes, label_names = pd.factorize(labels, sort=True)
    camera_codes, camera_names = pd.factorize(cameras, sort=True)
    numbers = label_codes * len(camera_names) + camera_codes
    found, counts = np.unique(numbers, return_counts=True)
    rows = np.split(np.argsort(numbers, kind="stable"), np.cumsum(counts)[:-1])
    names = [(label_names[n // len(camera_names)], camera_names[n % len(camera_names)]) for n in found]
    return dict(zip(names, rows, strict=True)) if len(found) else {}


def _most_in_proportion(counts: Mapping[CellName, int], weights: Mapping[CellName, float]) -> int:
    """How many images there can be in all for their numbers to go as the weights: the tightest cell decides."""
    most = min(counts.get(cell, 0) / weight for cell, weight in weights.items()) * sum(weights.values())
    return int(most + 1e-6)  # 29.999999999 is 30


def _apportion(counts: Mapping[CellName, float], size: int) -> dict[CellName, int]:
    """Cut counts down to `size` in all, in proportion, by largest remainder."""
    exact = {cell: n * size / sum(counts.values()) for cell, n in counts.items()}
    floors = {cell: int(share) for cell, share in exact.items()}
    missing = size - sum(floors.values())
    for cell in sorted(exact, key=lambda cell: floors[cell] - exact[cell])[:missing]:
        floors[cell] += 1
    return floors
