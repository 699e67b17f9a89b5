"""Building embeddings: a part per part of the dataset, as variants are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from camerabias.datasets.dataset import Dataset, read_images
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import Executor, usable_threads
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import INDEX_FILE, CamerabiasError
from camerabias.datasets.views.build import VARIANT_FILE, checksums, folder_below, is_built, variant_folder
from camerabias.trainables.embeddings.embedder import Embedder
from camerabias.trainables.embeddings.own import own_features
from camerabias.trainables.embeddings.store import Features
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, Embedding

CHUNK = 16
"""Photos that one thread decodes and embeds at a time."""


def build_embeddings(
    dataset: Dataset,
    embeddings: Sequence[Embedding],
    sources: Mapping[str, str],
    executor: Executor,
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Build what is missing of the embeddings.

    Args:
        dataset: The dataset.
        embeddings: The embeddings; complete ones cost nothing.
        sources: By id of weights, where they come from, as `load_weights` takes it.
        executor: Where the work runs.
        report: Called with (parts done, parts in all).

    Raises:
        CamerabiasError: The weights are others than those that were planned with.
    """
    missing = [embedding for embedding in dict.fromkeys(embeddings) if not is_built(dataset, embedding)]
    pieces = [(embedding, part.name) for embedding in missing for part in dataset.manifest.parts]
    work = partial(_build_part, dataset.folder, sources)
    for done, _ in enumerate(executor.map(work, pieces), start=1):
        if report:
            report(done, len(pieces))
    for embedding in missing:
        variant_folder(dataset, embedding).write_json(
            VARIANT_FILE,
            {
                "embedding": embedding.model_dump(mode="json"),
                "dataset": dataset.manifest.fingerprint,
                "parts": checksums(dataset),
            },
        )


def _build_part(dataset: Folder, sources: Mapping[str, str], piece: tuple[Embedding, str]) -> dict[str, Any]:
    embedding, part = piece
    folder = folder_below(dataset, embedding)
    if not folder.exists(part):
        cv2.setNumThreads(1)  # photos run side by side already
        image_ids, features = _features(dataset, part, embedding, sources[embedding.weights])
        with folder.replacing(part) as stream:
            pq.write_table(_table(image_ids, features), stream, compression="none", write_page_checksum=True)
    return {"part": part}


def _features(dataset: Folder, part: str, embedding: Embedding, source: str) -> tuple[list[str], Features]:
    """Ids of the images of a part, and their features (draws, n, d)."""
    if embedding.backbone == OWN_FEATURES:
        index = dataset.read_table(INDEX_FILE, part=part).to_pandas()
        return index["image_id"].tolist(), own_features(source, index)
    photos = list(read_images(dataset, part))
    return [image_id for image_id, _ in photos], _embed(load_embedder(embedding, source), photos)


@lru_cache(maxsize=1)
def load_embedder(embedding: Embedding, source: str) -> Embedder:
    """What computes an embedding, kept for whoever asks next.

    Args:
        embedding: The embedding.
        source: Where the backbone's weights come from.

    Raises:
        CamerabiasError: They are others than those that the embedding was planned with.
    """
    weights = load_weights(embedding.backbone, source)
    found = weights_id(weights)
    if found != embedding.weights:
        raise CamerabiasError(
            f"The weights of {embedding.backbone} are {found} here, and the embedding was planned with "
            f"{embedding.weights}; give every machine the same file."
        )
    return Embedder(embedding, weights)


def _embed(embedder: Embedder, photos: Sequence[tuple[str, bytes]]) -> Features:
    """Features (draws, n, d) of encoded photos, on as many threads as there are cores, each with one of torch's."""

    def work(some: Sequence[tuple[str, bytes]]) -> Features:
        torch.set_num_threads(1)
        ids, decoded = [image_id for image_id, _ in some], [decode(content) for _, content in some]
        return np.stack([embedder.features(ids, decoded, draw) for draw in range(embedder.embedding.draws)])

    with ThreadPoolExecutor(usable_threads()) as pool:
        return np.concatenate(list(pool.map(work, _chunks(photos))), axis=1)


def _chunks(photos: Sequence[tuple[str, bytes]]) -> Iterator[Sequence[tuple[str, bytes]]]:
    for start in range(0, len(photos), CHUNK):
        yield photos[start : start + CHUNK]


def _table(image_ids: Sequence[str], features: Features) -> pa.Table:
    """A row per image and draw: image_id, draw, features as a fixed-size list of float16."""
    draws, n, d = features.shape
    values = pa.array(features.astype(np.float16).reshape(-1))
    return pa.table(
        {
            "image_id": list(image_ids) * draws,
            "draw": np.repeat(np.arange(draws), n),
            "features": pa.FixedSizeListArray.from_arrays(values, d),
        }
    )
