"""Counterfactual photos, which a dataset does not hold: the same simulated bottle, taken by every camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.probes.base import PROBES, ProbeKind, Subject
from camerabias.trainables.records.record import ProbeArrays

if TYPE_CHECKING:
    from camerabias.datasets.dataset import Dataset
    from camerabias.trainables.linear_probe.subject import LinearSubject
    from camerabias.trainables.training.data import TrialData


LINEAR_OBJECTS = 30
"""Objects of each trial whose photos a linear probe is shown by every camera: 150 by five seeds."""


def counterfactual(subject: Subject, _: Mapping[str, float]) -> ProbeArrays:
    """Predictions of every bottle of the test, simulated with each camera of the dataset."""
    return _predicted(subject, None)


def counterfactual_linear(subject: LinearSubject, _: Mapping[str, float]) -> ProbeArrays:
    """The same of a linear probe, of the first `LINEAR_OBJECTS` bottles: features take longer than the fit."""
    return _predicted(subject, LINEAR_OBJECTS)


PROBES["counterfactual"] = ProbeKind(counterfactual, counterfactual_linear, of_simulated=True)


def _shot_again(data: TrialData, most: int | None) -> tuple[pd.DataFrame, list[Pixels]]:
    if data.config.test_view.kind.draw is not None:
        raise CamerabiasError(
            f"counterfactual photos are not drawn at random, as view {data.config.test_view} is"
        )
    tested = data.described(data.parts.test)
    chosen = tested["group"].isin(sorted(tested["group"].unique())[:most])
    return with_every_camera(data.dataset, tested[chosen])


def _predicted(subject: Subject | LinearSubject, most: int | None) -> ProbeArrays:
    shot, photos = _shot_again(subject.data, most)
    predicted = subject.classify(photos, (shot["group"] + "/" + shot["camera"]).tolist())
    columns: ProbeArrays = {str(name): values.to_numpy(dtype=np.str_) for name, values in shot.items()}
    return {**columns, "prediction": np.array(subject.data.classes)[predicted]}


def with_every_camera(dataset: Dataset, photos: pd.DataFrame) -> tuple[pd.DataFrame, list[Pixels]]:
    """Simulate the objects of some photos with every camera of the dataset.

    Args:
        dataset: A simulated dataset.
        photos: A row per photo with label and group.

    Returns:
        A row per object and camera with group, label and camera, and their n photos, uint8 (H, W, 3).

    Raises:
        CamerabiasError: The photos are real.
    """
    from camerabias.datasets.simulator import CAMERAS, SimulatorSpec, simulate

    source = dict(dataset.manifest.source)
    if source.pop("kind") != "simulator":
        raise CamerabiasError("only simulated photos have counterfactuals by other cameras")
    spec = SimulatorSpec.model_validate(source)
    numbers = [list(CAMERAS).index(camera) for camera in dataset.manifest.cameras]
    rows, shot = [], []
    for group in sorted(set(photos["group"])):
        bottle = int(group.removeprefix("bottle-"))
        for number in numbers:
            photo = simulate(spec, bottle * len(CAMERAS) + number)
            rows.append({"group": group, "label": photo.label, "camera": photo.camera})
            shot.append(decode(photo.jpeg))
    return pd.DataFrame(rows), shot
