"""A linear probe and what it is trained on: features of its images, and its head."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from camerabias.datasets.io.decode import Pixels
from camerabias.trainables.embeddings.build import load_embedder
from camerabias.trainables.embeddings.store import StoredFeatures, read_features
from camerabias.trainables.linear_probe.head import (
    ClassCodes,
    Head,
    Matrix,
    Projection,
    Regression,
    TrainingSet,
)
from camerabias.trainables.linear_probe.treatment import fit_balanced
from camerabias.trainables.spec.linear_probe import Embedding, LinearProbe
from camerabias.trainables.training.balancing import CellNumbers
from camerabias.trainables.training.data import Rows, Side, TrialData


class LinearSubject:
    """The linear probe of a trial.

    Args:
        data: The images of its trial.
        weights: Where its backbone's weights come from.
        head: Fitted before; None fits it.
    """

    def __init__(self, data: TrialData, weights: str, head: Head | None = None) -> None:
        assert isinstance(data.config.recipe, LinearProbe)
        self.data, self.weights, self.recipe = data, weights, data.config.recipe
        self._features: dict[Embedding, StoredFeatures] = {}
        self.head = head or fit_balanced(self.training, self.cells, self.recipe.balancing, data.config.seed)

    @cached_property
    def training(self) -> TrainingSet:
        """The training images, once per draw, each draw with its share of the weight."""
        rows = self.data.parts.train
        features = self.features("train")[:, rows]
        draws = len(features)
        groups = pd.factorize(self.data.described(rows)["group"])[0]
        return TrainingSet(
            features.reshape(draws * len(rows), -1),
            np.tile(self.data.codes(rows), draws),
            len(self.data.classes),
            np.tile(groups, draws),
            np.ones(draws * len(rows)),
        )

    @cached_property
    def cells(self) -> CellNumbers:
        """ClassCodes of label and camera of `training`, (n, 2)."""
        draws = len(self.training.classes) // len(self.data.parts.train)
        return np.tile(self.data.cells(self.data.parts.train), (draws, 1))

    def features(self, side: Side) -> StoredFeatures:
        """Features of all images of the dataset, (draws, n, d)."""
        train, test = self.data.config.embeddings
        return self._read(train if side == "train" else test)

    def _read(self, embedding: Embedding) -> StoredFeatures:
        if embedding not in self._features:  # train and test mostly share one
            self._features[embedding] = read_features(self.data.dataset, embedding)
        return self._features[embedding]

    def logits(self, rows: Rows, draw: int) -> Matrix:
        """Of images through the test view, (n, classes)."""
        return self.head.logits(self.features("test")[draw, rows])

    def tested(self, rows: Rows) -> ClassCodes:
        """ClassCodes of the classes given to images of the dataset, in the test view; of a random one, to a draw."""
        found: ClassCodes = self.logits(rows, 0).argmax(axis=1)
        return found

    def classify(self, photos: Sequence[Pixels], names: Sequence[str]) -> ClassCodes:
        """ClassCodes of the classes given to photos that are in no dataset.

        Args:
            photos: n images, uint8 (H, W, 3).
            names: n names of their own.
        """
        embedder = load_embedder(self.data.config.embeddings[1], self.weights)
        found: ClassCodes = self.head.logits(embedder.features(names, photos)).argmax(axis=1)
        return found


def head_state(head: Head) -> dict[str, torch.Tensor]:
    """A head as tensors, to be kept as the weights of its trial."""
    arrays = {**vars(head.projection), **vars(head.regression), "penalty": np.array([head.penalty])}
    return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in arrays.items()}


def read_head(state: dict[str, torch.Tensor]) -> Head:
    """The head of which `head_state` made tensors."""
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    return Head(
        Projection(arrays["mean"], arrays["matrix"]),
        float(arrays["penalty"][0]),
        Regression(arrays["coefficients"], arrays["intercepts"]),
        np.empty(0, dtype=np.int64),
    )
