"""The images of a trial: which of them train, validate and test, their classes, and the views they are seen in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.sampling.select import select
from camerabias.datasets.schema import N_FOLDS, CamerabiasError, Target
from camerabias.datasets.views.cache import open_pixels
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.training.evaluate import Examples
from camerabias.trainables.training.images import Images
from camerabias.trainables.training.randomness import image_numbers

Rows = npt.NDArray[np.int64]
"""Numbers of rows of a dataset's index."""

Side = Literal["train", "test"]
"""Whether images are seen in the train view or in the test view."""


@dataclass(frozen=True)
class Parts:
    """Rows of the dataset's index that train, validate and test a trial."""

    train: Rows
    validation: Rows
    test: Rows


class TrialData:
    """The images of one trial.

    Args:
        config: The trial.
        dataset: Its dataset.
        device: Where batches go.
    """

    def __init__(self, config: TrialConfig, dataset: Dataset, device: torch.device) -> None:
        assert dataset.manifest.fingerprint == config.dataset, "the dataset is not the trial's"
        self.config, self.dataset, self.device = config, dataset, device
        self.parts = assign_parts(dataset, config)
        self.classes = dataset.manifest.classes(config.target)
        self._codes = {name: _codes(dataset, name) for name in get_args(Target)}

    def images(self, side: Side) -> Images:
        """The images in one of the trial's views; both share their stored pixels where these are the same."""
        return self._test_images if side == "test" else self._train_images

    @cached_property
    def _train_images(self) -> Images:
        variant, _ = self.config.variants
        return Images(open_pixels(self.dataset, variant), self.config.train_view, self.device)

    @cached_property
    def _test_images(self) -> Images:
        train, test = self.config.variants
        if test == train:
            return self._train_images.seen_as(self.config.test_view)
        return Images(open_pixels(self.dataset, test), self.config.test_view, self.device)

    def examples(self, rows: Rows, side: Side, draw: int = 0) -> Examples:
        """Images with their classes, in one of the views; a random view shows draw `draw` of each."""
        images = self.images(side)
        numbers = None
        if images.view.kind.draw is not None:
            ids = self.dataset.index["image_id"].iloc[rows].tolist()
            numbers = image_numbers(self.config.seed, ids, draw, images.view.kind.n_numbers)
        return Examples(images, rows, self.codes(rows), numbers, self.cells(rows))

    def codes(self, rows: Rows) -> npt.NDArray[np.int64]:
        """The class of each image, as its place among the classes."""
        return self._codes[self.config.target][rows].astype(np.int64)

    def cells(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Codes of label and camera of each image, (n, 2)."""
        return np.stack([self._codes[name][rows].astype(np.int64) for name in ("label", "camera")], axis=1)

    def described(self, rows: Rows) -> pd.DataFrame:
        """image_id, label, camera and group of images; one without a group is a group of its own."""
        return self.dataset.index.iloc[rows][["image_id", "label", "camera", "group"]]


def _codes(dataset: Dataset, target: Target) -> npt.NDArray[np.signedinteger]:
    """The class of every image of a dataset, as its place among the classes."""
    classes = list(dataset.manifest.classes(target))
    return pd.Categorical(dataset.index[target], categories=classes).codes


def assign_parts(dataset: Dataset, config: TrialConfig) -> Parts:
    """Which images train, validate and test a trial.

    Folds decide, or the user's `split` where there is one (validation then takes its `val` rows, or the fold
    after the tested one of its `train` rows). Training and validation images are those of the setting's cells;
    where counts are cut, validation keeps all that it has. Where several folds are tested, the one after the first of
    them validates.

    Returns:
        Positions in the dataset's index, in the order of image_id.

    Raises:
        CamerabiasError: One of the three is empty.
    """
    # in the order of image_id, so that a trial does not depend on the order of the source's rows
    order = pc.sort_indices(pa.array(dataset.index["image_id"])).to_numpy().astype(np.int64)
    index = dataset.index[["label", "camera", "fold", "split"]].iloc[order]
    validation_fold = (index["fold"] == (config.test_fold + 1) % N_FOLDS).to_numpy()
    if dataset.manifest.has_split:
        split = index["split"].to_numpy()
        test, validation = split == "test", split == "val"
        if not validation.any():
            validation = (split == "train") & validation_fold
    else:
        tested = index["fold"] % (config.rotation or N_FOLDS) == config.test_fold
        test, validation = tested.to_numpy(), validation_fold
    every_count = config.setting.model_copy(update={"equal_counts": False})
    training = _within(config.setting, index, ~test & ~validation, config.seed, config.train_size)
    parts = Parts(
        train=order[training],
        validation=order[_within(every_count, index, validation, config.seed, None)],
        test=order[np.flatnonzero(test)],
    )
    for name in ("train", "validation", "test"):
        if len(getattr(parts, name)) == 0:
            raise CamerabiasError(
                f"there are no {name} images for setting {config.setting.name!r} in fold {config.test_fold}: "
                "the dataset has too few photos in the setting's cells"
            )
    return parts


def _within(
    setting: Setting, index: pd.DataFrame, chosen: npt.NDArray[np.bool_], seed: int, size: int | None
) -> Rows:
    rows = np.flatnonzero(chosen)
    some = index.iloc[rows]
    return rows[select(setting, some["label"], some["camera"], seed, size)]
