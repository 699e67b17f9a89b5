"""Embedding photos against the bare backbone on resident batches, same precision. Aim: at least 0.9 of its speed.

    python -m benchmarks embeddings [ROUNDS [IMAGES]]

EfficientNet-Lite0 on simulated photos of 128 × 128, each resized to 224 × 224 and as it is, on all cores. The bare
forward pass takes batches of 32 of both sizes, channels last, with as many threads of torch; its convolutions hold no
batch normalisation either. Seconds of the wall: on an idle machine only.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import torch

from benchmarks.common import take_turns
from camerabias.datasets.dataset import read_images
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.views.registry import View
from camerabias.trainables.embeddings.build import _embed, load_embedder
from camerabias.trainables.embeddings.embedder import BATCH, Embedder
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.spec.linear_probe import Embedding
from camerabias.trainables.spec.recipe import Precision

ROUNDS, IMAGES, SIZES, BACKBONE = 5, 320, (224, 128), "tf_efficientnet_lite0"


def main(arguments: list[str]) -> None:
    n_rounds, n_images = [*map(int, arguments), *(ROUNDS, IMAGES)[len(arguments) :]]
    embedder = load_embedder(make_embedding(BACKBONE, "imagenet", "float32"), "imagenet")
    compare(embedder, n_rounds, n_images)


def compare(embedder: Embedder, n_rounds: int, n_images: int, figure: str = "embeddings") -> None:
    """Tell how fast photos are embedded, on the device of the embedder."""
    photos = make_photos(n_images)

    def ours() -> float:
        began = time.perf_counter()
        _embed(embedder, photos)
        return time.perf_counter() - began

    rounds = take_turns(n_rounds, ours, lambda: bare(embedder, n_images))
    sides = "embedding {ours} s, bare backbone {against} s; ratio of speeds {ratio}."
    sentence = f"{n_images} photos at {SIZES}: {sides}"
    rounds.tell(figure, sentence)


def make_photos(n: int) -> list[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        spec = preset_spec("demo", images=n, size=128)
        dataset = simulate_dataset(spec, Folder(Path(folder)), LocalExecutor())
        return [photo for part in dataset.manifest.parts for photo in read_images(dataset.folder, part.name)]


def make_embedding(backbone: str, source: str, precision: Precision) -> Embedding:
    weights = weights_id(load_weights(backbone, source))
    return Embedding(
        backbone=backbone,
        weights=weights,
        view=View.model_validate("rgb"),
        size=SIZES[0],
        fit="resize",
        crops=1,
        precision=precision,
    )


@torch.inference_mode()
def bare(embedder: Embedder, n_images: int) -> float:
    """Seconds of the backbone on as many images."""
    torch.set_num_threads(os.cpu_count() or 1)
    device, bf16 = embedder.device, embedder.embedding.precision == "bfloat16"
    batches = [
        torch.rand(BATCH, 3, side, side).to(device, memory_format=torch.channels_last) for side in SIZES
    ]
    began = time.perf_counter()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        for batch in batches:
            for _ in range(-(-n_images // BATCH)):
                features = embedder.folded(batch)
    features.cpu()  # waits for the device
    return time.perf_counter() - began
