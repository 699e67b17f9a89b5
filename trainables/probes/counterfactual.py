"""Counterfactual photos, which a dataset does not hold: the same simulated bottle, taken by every camera."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.decode import decode
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.simulator import CAMERAS, SimulatorSpec, simulate
from camerabias.datasets.views.variant import Variant


def with_every_camera(
    dataset: Dataset, photos: pd.DataFrame, variant: Variant
) -> tuple[pd.DataFrame, npt.NDArray[np.uint8]]:
    """Simulate the objects of some photos with every camera of the dataset.

    Args:
        dataset: A simulated dataset.
        photos: A row per photo with label and group.
        variant: What the photos are seen as.

    Returns:
        A row per object and camera with group, label and camera, and their pixels, uint8 (n, height, width,
        channels).

    Raises:
        CamerabiasError: The photos are real.
    """
    source = dict(dataset.manifest.source)
    if source.pop("kind") != "simulator":
        raise CamerabiasError("only simulated photos have counterfactuals by other cameras")
    spec = SimulatorSpec.model_validate(source)
    numbers = [list(CAMERAS).index(camera) for camera in dataset.manifest.cameras]
    rows, pixels = [], []
    for group in sorted(set(photos["group"])):
        bottle = int(group.removeprefix("bottle-"))
        for number in numbers:
            photo = simulate(spec, bottle * len(CAMERAS) + number)
            rows.append({"group": group, "label": photo.label, "camera": photo.camera})
            pixels.append(variant.render(decode(photo.jpeg)))
    return pd.DataFrame(rows), np.stack(pixels)
