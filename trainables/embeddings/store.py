"""Embeddings as they lie in a dataset: where, whether they are whole, and read as arrays. Without torch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import VARIANTS_FOLDER, CamerabiasError
from camerabias.datasets.views.build import VARIANT_FILE
from camerabias.trainables.spec.linear_probe import Embedding

Features = npt.NDArray[np.float32]


def is_embedded(dataset: Dataset, embedding: Embedding) -> bool:
    """Whether the embedding is complete, and of the images that the dataset holds now."""
    folder = embedding_folder(dataset.folder, embedding)
    return folder.exists(VARIANT_FILE) and folder.read_json(VARIANT_FILE)["parts"] == checksums(dataset)


def embedding_folder(dataset: Folder, embedding: Embedding) -> Folder:
    """`DATASET/variants/embedding-BACKBONE-VIEW-HASH`."""
    return dataset.child(VARIANTS_FOLDER, embedding.folder)


def read_features(dataset: Dataset, embedding: Embedding) -> Features:
    """Features of all images of a dataset, in the order of its index.

    Returns:
        float32 (draws, n, d).

    Raises:
        CamerabiasError: The embedding is not built.
    """
    if not is_embedded(dataset, embedding):
        raise CamerabiasError(
            f"The embedding {embedding.folder} of {dataset.folder} is not built; the sweep or audit that asked "
            "for it builds it when it is run again."
        )
    folder = embedding_folder(dataset.folder, embedding)
    parts = [_read_part(folder, part.name, embedding.draws) for part in dataset.manifest.parts]
    return np.concatenate(parts, axis=1)


def checksums(dataset: Dataset) -> dict[str, str]:
    """Of the parts of a dataset, by name: an embedding of other images is none of this one."""
    return {part.name: part.checksum for part in dataset.manifest.parts}


def _read_part(folder: Folder, part: str, draws: int) -> Features:
    column = folder.read_table(part, ["features"])["features"].combine_chunks()
    values: Features = column.values.to_numpy().astype(np.float32)
    return values.reshape(draws, -1, column.type.list_size)
