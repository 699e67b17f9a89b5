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
from pydantic import model_validator

from camerabias.datasets.io.registered import Choice, Parameters
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.random import CROP_SIDE
from camerabias.datasets.views.regions import read_regions

if TYPE_CHECKING:
    from torch import nn

    from camerabias.trainables.training.data import Rows, TrialData

Arrays = dict[str, npt.NDArray[Any]]


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
        of_simulated: Whether it needs simulated photos; of others it is not asked.
    """

    run: Callable[[Subject, Mapping[str, float]], Arrays]
    defaults: Parameters = field(default_factory=dict)
    of_pieces: bool = False
    of_simulated: bool = False


def perturbations(subject: Subject, parameters: Mapping[str, float]) -> Arrays:
    """Perturbations that flip predictions from the second class to the first (paper, Figure 5)."""
    import torch

    from camerabias.trainables.probes.attack import perturb

    rows = _rows_of_second_class(subject.data, int(parameters["per_camera"]))
    images = subject.data.images("test")
    classes = np.array(subject.data.classes)
    chunks: list[Arrays] = []
    for chunk in _chunks(subject, rows):
        levels = images.levels(chunk, subject.data.examples(chunk, "test").numbers).float()
        perturbation, steps = perturb(subject.model, images.normalise, levels, aim=0)
        chunks.append(
            {
                "pixels": levels.round().to(torch.uint8).cpu().numpy(),
                "perturbation": perturbation.cpu().numpy().astype(np.float16),
                "before": classes[_predict(subject, images.normalise(levels))],
                "flipped": _predict(subject, images.normalise(levels + perturbation)) == 0,
                "steps": steps.cpu().numpy(),
            }
        )
    return {**_with_regions(subject, rows), **_joined(chunks), "source": classes[1], "aim": classes[0]}


def attributions(subject: Subject, parameters: Mapping[str, float]) -> Arrays:
    """Integrated gradients of the predicted class, on the images that `perturbations` takes."""
    import torch

    from camerabias.trainables.probes.attack import attribute

    rows = _rows_of_second_class(subject.data, int(parameters["per_camera"]))
    images = subject.data.images("test")
    chunks: list[Arrays] = []
    for chunk in _chunks(subject, rows):
        inputs = images.batch(chunk, subject.data.examples(chunk, "test").numbers)
        predicted = _predict(subject, inputs)
        found = attribute(subject.model, inputs, torch.from_numpy(predicted).to(inputs.device))
        prediction = np.array(subject.data.classes)[predicted]
        chunks.append({"attribution": found.cpu().numpy().astype(np.float16), "prediction": prediction})
    return {**_with_regions(subject, rows), **_joined(chunks)}


def crop_map(subject: Subject, parameters: Mapping[str, float]) -> Arrays:
    """Predictions of 32 × 32 crops by position, over the training images (paper, Figure 8)."""
    arrays, _ = _predict_grid(subject, subject.data.parts.train, int(parameters["divisions"]))
    return arrays


def crop_images(subject: Subject, parameters: Mapping[str, float]) -> Arrays:
    """The same on a finer grid for single test images, some of each camera (paper, Figure 9)."""
    rows = _rows_per_camera(subject.data, subject.data.parts.test, int(parameters["per_camera"]))
    arrays, probability = _predict_grid(subject, rows, int(parameters["divisions"]))
    pixels = subject.data.images("test").stored(rows).cpu().numpy()
    return {**arrays, "pixels": pixels, "probability": probability}


def training_images(subject: Subject, _: Mapping[str, float]) -> Arrays:
    """Predictions of the training images as the test view shows them (paper, caption of Table VI)."""
    from camerabias.trainables.training.evaluate import predict_logits

    recipe = subject.data.config.recipe
    rows = subject.data.parts.train
    examples = subject.data.examples(rows, "test")
    logits = predict_logits(subject.model, examples, recipe.batch_size, recipe.precision)
    predicted = logits.argmax(dim=1).cpu().numpy()
    return {**_named(subject, rows), "prediction": np.array(subject.data.classes)[predicted]}


def counterfactual(subject: Subject, _: Mapping[str, float]) -> Arrays:
    """Predictions of every bottle of the test, simulated with each camera of the dataset."""
    from camerabias.trainables.probes.counterfactual import with_every_camera
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
    columns: Arrays = {str(name): values.to_numpy(dtype=np.str_) for name, values in shot.items()}
    return {**columns, "prediction": np.array(data.classes)[predicted]}


PROBES: dict[str, ProbeKind] = {
    # ten of each camera: intervals need ten bottles, and a model that cheats resists on some cameras alone
    "perturbations": ProbeKind(perturbations, {"per_camera": 10}),
    "attributions": ProbeKind(attributions, {"per_camera": 10}),
    # `divisions` of the side give the step of the grid: 64 pixels at 1024, 8 at 128
    "crop_map": ProbeKind(crop_map, {"divisions": 16}, of_pieces=True),
    "crop_images": ProbeKind(crop_images, {"divisions": 64, "per_camera": 4}, of_pieces=True),
    "training_images": ProbeKind(training_images),
    "counterfactual": ProbeKind(counterfactual, of_simulated=True),
}


class Probe(Choice):
    """A probe by name, with its parameters."""

    noun: ClassVar[str] = "probe"
    registry: ClassVar[Mapping[str, ProbeKind]] = PROBES

    @model_validator(mode="after")
    def _check(self) -> Probe:
        for name, value in self.parameters.items():
            if value < 1 or value != int(value):
                raise ValueError(f"{name} {value:g} of probe {self.name!r} must be a whole number from 1 up")
        return self

    @property
    def kind(self) -> ProbeKind:
        """The registered probe behind the name."""
        return PROBES[self.name]


def _named(subject: Subject, rows: Rows) -> Arrays:
    """What every probe says of its images."""
    described = subject.data.described(rows)
    columns: Arrays = {str(name): values.to_numpy(dtype=np.str_) for name, values in described.items()}
    return {**columns, "classes": np.array(subject.data.classes)}


def _with_regions(subject: Subject, rows: Rows) -> Arrays:
    """`_named`, and what the pixels show where that is known."""
    _, variant = subject.data.config.variants
    regions = read_regions(subject.data.dataset, rows, variant)
    named = _named(subject, rows)
    return named if regions is None else {**named, "regions": regions}


def _chunks(subject: Subject, rows: Rows) -> list[Rows]:
    """Rows in pieces whose gradients need no more memory than a training step's, also where that was in bfloat16."""
    size = max(1, subject.data.config.recipe.batch_size // 2)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _joined(chunks: list[Arrays]) -> Arrays:
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _rows_of_second_class(data: TrialData, per_camera: int) -> Rows:
    """Test images of the second class, some of each camera: the same for every model of a dataset and fold."""
    truths = data.examples(data.parts.test, "test").classes
    rows = data.parts.test[truths == 1]
    if not len(rows):
        raise CamerabiasError(f"there is no test image of {data.classes[1]!r} to look at")
    return _rows_per_camera(data, rows, per_camera)


def _rows_per_camera(data: TrialData, rows: Rows, n: int) -> Rows:
    """The first n of each camera, in the order of image_id."""
    cameras = data.dataset.index["camera"].iloc[rows]
    return rows[(cameras.groupby(cameras).cumcount() < n).to_numpy()]


def _predict(subject: Subject, inputs: Any) -> npt.NDArray[np.int64]:
    import torch

    with torch.no_grad():
        predicted: npt.NDArray[np.int64] = subject.model.eval()(inputs).argmax(dim=1).cpu().numpy()
    return predicted


def _predict_grid(subject: Subject, rows: Rows, divisions: int) -> tuple[Arrays, npt.NDArray[np.float32]]:
    from camerabias.trainables.probes.crops import Grid, crops_per_batch, measure_texture, predict_crops

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
