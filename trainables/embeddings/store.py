"""Embeddings read from a dataset as arrays. Without torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.build import is_built, reading_built, variant_folder
from camerabias.trainables.spec.linear_probe import Embedding

Features = npt.NDArray[np.float32]
"""As they are computed."""

StoredFeatures = npt.NDArray[np.float16]
"""As they are stored, and held in memory: half the size."""


def read_features(dataset: Dataset, embedding: Embedding) -> StoredFeatures:
    """Features of all images of a dataset, in the order of its index.

    Returns:
        float16 (draws, n, d).

    Raises:
        CamerabiasError: The embedding is not built, or a part of it is damaged.
    """
    if not is_built(dataset, embedding):
        raise CamerabiasError(
            f"The embedding {embedding.folder} of {dataset.folder} is not built; the sweep or audit that asked "
            "for it builds it when it is run again."
        )
    folder = variant_folder(dataset, embedding)
    parts = [_read_part(folder, part.name, embedding.draws) for part in dataset.manifest.parts]
    return np.concatenate(parts, axis=1)


def _read_part(folder: Folder, part: str, draws: int) -> StoredFeatures:
    with reading_built(folder, part):
        column = folder.read_table(part, ["features"])["features"].combine_chunks()
        values: StoredFeatures = column.values.to_numpy()
        return values.reshape(draws, -1, column.type.list_size)
