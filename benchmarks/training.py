"""Images per second of the training loop against the bare model on one resident batch. Aim: at least 0.95.

    python -m benchmarks training [ROUNDS [STEPS]]

One thread, `test_resnet` at 128 × 128, batches of 32. Rounds of both alternate, since machines drift; the ratio
is of the medians. Validation is left out: it is work that a bare loop does not do.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.bare_training import BATCH, MODEL, SIZE, bare_loop, make_dataset, make_recipe
from benchmarks.common import take_turns
from camerabias.datasets.views.cache import open_pixels
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.training.evaluate import Examples
from camerabias.trainables.training.images import Images
from camerabias.trainables.training.train import Training

ROUNDS, STEPS = 9, 20


def main(arguments: list[str]) -> None:
    n_rounds, steps = [*map(int, arguments), *(ROUNDS, STEPS)[len(arguments) :]]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        training = make_training(Path(folder), steps)
        bare_loop(steps)  # both are warm before they count
        training.run_epoch()
        rounds = take_turns(n_rounds, lambda: time_epoch(training), lambda: bare_loop(steps))
    sides = "training loop {ours} s, bare model {against} s; ratio of speeds {ratio}."
    sentence = f"{steps * BATCH} images: {sides}"
    rounds.tell("training", sentence)


def time_epoch(training: Training) -> float:
    began = time.perf_counter()
    training.run_epoch()
    return time.perf_counter() - began


def make_training(folder: Path, steps: int) -> Training:
    torch.set_num_threads(1)
    dataset = make_dataset(folder / "dataset", n_images=-(-steps * BATCH // 10) * 10)
    variant = Variant(view=View.model_validate("rgb"), size=SIZE, fit=dataset.manifest.fit)
    images = Images(open_pixels(dataset, variant), variant.view, torch.device("cpu"))
    rows = np.arange(steps * BATCH)
    examples = Examples(images, rows, rows % 5)
    model = build_model(MODEL, 5, (SIZE, SIZE), None).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Training(model, make_recipe(10**6, evaluate_every=10**6), 0, examples, examples)
