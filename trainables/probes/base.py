"""What a probe is, what it is given, and what several of them need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.io.registered import Parameters
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.regions import read_regions
from camerabias.trainables.records.record import ProbeArrays
from camerabias.trainables.spec.linear_probe import is_linear

if TYPE_CHECKING:
    import torch
    from torch import nn

    from camerabias.trainables.linear_probe.head import ClassCodes
    from camerabias.trainables.linear_probe.subject import LinearSubject
    from camerabias.trainables.training.data import Rows, TrialData
    from camerabias.trainables.training.evaluate import Examples


@dataclass(frozen=True)
class Subject:
    """A trained network, its weights those that were tested, and the images of its trial."""

    model: nn.Module
    data: TrialData

    def tested(self, rows: Rows) -> ClassCodes:
        """Codes of the classes given to images of the dataset, in the test view."""
        return self._classify(self.data.examples(rows, "test"))

    def classify(self, photos: Sequence[Pixels], names: Sequence[str]) -> ClassCodes:
        """Codes of the classes given to photos that are in no dataset, uint8 (H, W, 3), in the test view."""
        from camerabias.trainables.training.evaluate import Examples
        from camerabias.trainables.training.images import Images

        data, variant = self.data, self.data.config.variants[1]
        images = Images(
            np.stack([variant.render(photo) for photo in photos]), data.config.test_view, data.device
        )
        every = np.arange(len(photos), dtype=np.int64)
        return self._classify(Examples(images, every, every))

    def _classify(self, examples: Examples) -> ClassCodes:
        from camerabias.trainables.training.evaluate import predict_logits

        recipe = self.data.config.tuning
        logits = predict_logits(self.model, examples, recipe.batch_size, recipe.precision)
        codes: ClassCodes = logits.argmax(dim=1).cpu().numpy()
        return codes


@dataclass(frozen=True)
class ProbeKind:
    """A registered probe.

    Attributes:
        run: A network and parameters in, arrays by name out; None where it asks about linear probes alone.
        run_linear: The same of a linear probe; None where it asks about networks alone.
        defaults: Parameters with their default values.
        of_crops: Whether it asks about small crops of images, and so of models trained on a view of crops.
        of_simulated: Whether it needs simulated photos; of others it is not asked.
        keeps_photos: Whether pixels of photos are among its arrays; without photos in a run it is not asked.
    """

    run: Callable[[Subject, Mapping[str, float]], ProbeArrays] | None = None
    run_linear: Callable[[LinearSubject, Mapping[str, float]], ProbeArrays] | None = None
    defaults: Parameters = field(default_factory=dict)
    of_crops: bool = False
    of_simulated: bool = False
    keeps_photos: bool = False

    def asks(self, model: str) -> bool:
        """Whether it asks about models of that name."""
        return (self.run_linear if is_linear(model) else self.run) is not None


PROBES: dict[str, ProbeKind] = {}
"""By name; the files of this folder fill it."""


def names_of(subject: Subject | LinearSubject, rows: Rows) -> ProbeArrays:
    """What every probe says of its images: their words, a row each, and the classes of the trial."""
    described = subject.data.described(rows)
    columns: ProbeArrays = {str(name): values.to_numpy(dtype=np.str_) for name, values in described.items()}
    return {**columns, "classes": np.array(subject.data.classes)}


def names_and_regions(subject: Subject, rows: Rows) -> ProbeArrays:
    """`names_of`, and what the pixels show where that is known."""
    _, variant = subject.data.config.variants
    regions = read_regions(subject.data.dataset, rows, variant)
    names = names_of(subject, rows)
    return names if regions is None else {**names, "regions": regions}


def small_batches(subject: Subject, rows: Rows) -> list[Rows]:
    """Rows in batches whose gradients need no more memory than a training step's, also one in bfloat16."""
    size = max(1, subject.data.config.tuning.batch_size // 2)
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def joined(batches: list[ProbeArrays]) -> ProbeArrays:
    """Arrays of the same names, end to end."""
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def of_second_class(data: TrialData, per_camera: int) -> Rows:
    """Test images of the second class, some of each camera: the same for every model of a dataset and fold.

    Raises:
        CamerabiasError: There is none.
    """
    truths = data.examples(data.parts.test, "test").classes
    rows = data.parts.test[truths == 1]
    if not len(rows):
        raise CamerabiasError(f"there is no test image of {data.classes[1]!r} to look at")
    return first_per_camera(data, rows, per_camera)


def first_per_camera(data: TrialData, rows: Rows, n: int) -> Rows:
    """The first n of each camera, in the order of image_id."""
    cameras = data.dataset.index["camera"].iloc[rows]
    return rows[(cameras.groupby(cameras).cumcount() < n).to_numpy()]


def predict(subject: Subject, inputs: torch.Tensor) -> npt.NDArray[np.int64]:
    """Numbers of the predicted classes of normalised images."""
    import torch

    with torch.no_grad():
        predicted: npt.NDArray[np.int64] = subject.model.eval()(inputs).argmax(dim=1).cpu().numpy()
    return predicted
