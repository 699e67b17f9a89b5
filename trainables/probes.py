"""Probes: what else is asked of a trained model. Each leaves arrays in the record, and analysis only draws.

A probe is no part of a trial's id: it runs after training, or later on kept weights. To add one, write a function
from a `Subject` and parameters to arrays and register it in `PROBES`. torch is imported where it is used, since
planning needs only the names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from camerabias.datasets.choice import Choice, Parameters
from camerabias.datasets.random_views import CROP_SIDE
from camerabias.datasets.regions import read_regions
from camerabias.datasets.schema import CamerabiasError

if TYPE_CHECKING:
    from torch import nn

    from camerabias.trainables.data import Rows, TrialData

Arrays = dict[str, npt.NDArray[Any]]

IMAGES_PER_CAMERA = 4
"""Test images of each camera that are perturbed: enough to compare cameras, few enough to keep and to look at."""


@dataclass(frozen=True)
class Subject:
    """A trained model, its weights those that were tested, and the images of its trial."""

    model: nn.Module
    data: TrialData


@dataclass(frozen=True)
class ProbeKind:
    """A registered probe.

    Attributes:
        run: A subject and parameters in, arrays by name out.
        defaults: Parameters with their default values.
        of_pieces: Whether it asks about small pieces of images, and so of models trained on a view of pieces.
    """

    run: Callable[[Subject, Mapping[str, float]], Arrays]
    defaults: Parameters = field(default_factory=dict)
    of_pieces: bool = False


def perturbations(subject: Subject, _: Mapping[str, float]) -> Arrays:
    """Perturbations that flip predictions from the second class to the first (paper, Figure 5)."""
    from camerabias.trainables.attack import perturb

    rows = _rows_of_second_class(subject.data)
    images = subject.data.images("test")
    examples = subject.data.examples(rows, "test")
    levels = images.levels(rows, examples.numbers).float()
    perturbation, steps = perturb(subject.model, images.normalise, levels, aim=0)
    classes = np.array(subject.data.classes)
    return {
        **_looked_at(subject, rows),
        "perturbation": perturbation.cpu().numpy().astype(np.float16),
        "before": classes[_predict(subject, images.normalise(levels))],
        "flipped": _predict(subject, images.normalise(levels + perturbation)) == 0,
        "steps": steps.cpu().numpy(),
        "source": classes[1],
        "aim": classes[0],
    }


def attributions(subject: Subject, _: Mapping[str, float]) -> Arrays:
    """Integrated gradients of the predicted class, on the images that `perturbations` takes."""
    import torch

    from camerabias.trainables.attack import attribute

    rows = _rows_of_second_class(subject.data)
    examples = subject.data.examples(rows, "test")
    inputs = examples.images.batch(rows, examples.numbers)
    predicted = _predict(subject, inputs)
    found = attribute(subject.model, inputs, torch.from_numpy(predicted).to(inputs.device))
    return {
        **_looked_at(subject, rows),
        "attribution": found.cpu().numpy().astype(np.float16),
        "prediction": np.array(subject.data.classes)[predicted],
    }


def crop_map(subject: Subject, parameters: Mapping[str, float]) -> Arrays:
    """Predictions of 32 × 32 crops by position, over the training images (paper, Figure 8)."""
    arrays, _ = _predict_grid(subject, subject.data.parts.train, int(parameters["divisions"]))
    return arrays


def crop_images(subject: Subject, parameters: Mapping[str, float]) -> Arrays:
    """The same on a finer grid for single test images, one per camera (paper, Figure 9)."""
    rows = _rows_per_camera(subject.data, subject.data.parts.test, 1)
    arrays, probability = _predict_grid(subject, rows, int(parameters["divisions"]))
    pixels = subject.data.images("test").stored(rows).cpu().numpy()
    return {**arrays, "pixels": pixels, "probability": probability}


def training_images(subject: Subject, _: Mapping[str, float]) -> Arrays:
    """Predictions of the training images as the test view shows them (paper, caption of Table VI)."""
    from camerabias.trainables.evaluate import predict_logits

    recipe = subject.data.config.recipe
    rows = subject.data.parts.train
    examples = subject.data.examples(rows, "test")
    logits = predict_logits(subject.model, examples, recipe.batch_size, recipe.precision)
    predicted = logits.argmax(dim=1).cpu().numpy()
    return {**_named(subject, rows), "prediction": np.array(subject.data.classes)[predicted]}


PROBES: dict[str, ProbeKind] = {
    "perturbations": ProbeKind(perturbations),
    "attributions": ProbeKind(attributions),
    # `divisions` of the side give the step of the grid: 64 pixels at 1024, 8 at 128
    "crop_map": ProbeKind(crop_map, {"divisions": 16}, of_pieces=True),
    "crop_images": ProbeKind(crop_images, {"divisions": 64}, of_pieces=True),
    "training_images": ProbeKind(training_images),
}


class Probe(Choice):
    """A probe by name, with its parameters."""

    noun: ClassVar[str] = "probe"
    registry: ClassVar[Mapping[str, ProbeKind]] = PROBES

    @property
    def kind(self) -> ProbeKind:
        """The registered probe behind the name."""
        return PROBES[self.name]


def _named(subject: Subject, rows: Rows) -> Arrays:
    """What every probe says of its images."""
    described = subject.data.described(rows)
    columns: Arrays = {str(name): values.to_numpy(dtype=np.str_) for name, values in described.items()}
    return {**columns, "classes": np.array(subject.data.classes)}


def _looked_at(subject: Subject, rows: Rows) -> Arrays:
    """`_named`, the pixels as the model sees them, and what they show where that is known."""
    examples = subject.data.examples(rows, "test")
    levels = examples.images.levels(rows, examples.numbers)
    arrays = {**_named(subject, rows), "pixels": levels.round().byte().cpu().numpy()}
    _, variant = subject.data.config.variants
    regions = read_regions(subject.data.dataset, rows, variant)
    return arrays if regions is None else {**arrays, "regions": regions}


def _rows_of_second_class(data: TrialData) -> Rows:
    """Test images of the second class, some of each camera: the same for every model of a dataset and fold."""
    truths = data.examples(data.parts.test, "test").classes
    return _rows_per_camera(data, data.parts.test[truths == 1], IMAGES_PER_CAMERA)


def _rows_per_camera(data: TrialData, rows: Rows, n: int) -> Rows:
    """The first n of each camera, in the order of image_id."""
    if not len(rows):
        raise CamerabiasError("there is no test image to look at")
    cameras = data.dataset.index["camera"].iloc[rows]
    return rows[(cameras.groupby(cameras).cumcount() < n).to_numpy()]


def _predict(subject: Subject, inputs: Any) -> npt.NDArray[np.int64]:
    import torch

    with torch.no_grad():
        predicted: npt.NDArray[np.int64] = subject.model.eval()(inputs).argmax(dim=1).cpu().numpy()
    return predicted


def _predict_grid(subject: Subject, rows: Rows, divisions: int) -> tuple[Arrays, npt.NDArray[np.float32]]:
    from camerabias.trainables.crops import Grid, crops_per_batch, measure_texture, predict_crops

    data = subject.data
    images = data.images("test")
    height, width, _ = images.shape
    grid = Grid.over(height, width, divisions)
    classes = data.examples(rows, "test").classes
    batch = crops_per_batch(data.config.model, data.device)
    predicted, probability = predict_crops(subject.model, images, rows, classes, grid, batch)
    arrays: Arrays = {
        **_named(subject, rows),
        "predicted": predicted,
        "truth": classes.astype(np.uint8),
        "top": grid.tops,
        "left": grid.lefts,
        "side": np.array(CROP_SIDE),
        "height": np.array(height),
        "width": np.array(width),
        "texture": measure_texture(images, rows, grid).astype(np.float16),
    }
    return arrays, probability
