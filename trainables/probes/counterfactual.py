"""Counterfactual photos, which a dataset does not hold: the same simulated bottle, taken by every camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.datasets.io.decode import decode
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.datasets.dataset import Dataset
    from camerabias.datasets.views.variant import Variant


def counterfactual(subject: Subject, _: Mapping[str, float]) -> ProbeArrays:
    """Predictions of every bottle of the test, simulated with each camera of the dataset."""
    from camerabias.trainables.training.evaluate import Examples, predict_logits
    from camerabias.trainables.training.images import Images

    data = subject.data
    variant = data.config.variants[1]
    if data.config.test_view.kind.draw is not None:
        raise CamerabiasError(
            f"counterfactual photos are not drawn at random, as view {data.config.test_view} is"
        )
    shot, pixels = with_every_camera(data.dataset, data.described(data.parts.test), variant)
    images = Images(pixels, data.config.test_view, data.device)
    every = np.arange(len(shot), dtype=np.int64)
    recipe = data.config.recipe
    logits = predict_logits(
        subject.model, Examples(images, every, every), recipe.batch_size, recipe.precision
    )
    predicted = logits.argmax(dim=1).cpu().numpy()
    columns: ProbeArrays = {str(name): values.to_numpy(dtype=np.str_) for name, values in shot.items()}
    return {**columns, "prediction": np.array(data.classes)[predicted]}


PROBES["counterfactual"] = ProbeKind(counterfactual, of_simulated=True)


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
    from camerabias.datasets.simulator import CAMERAS, SimulatorSpec, simulate

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
