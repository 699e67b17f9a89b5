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

from benchmarks.bare_training import BATCH, SIZE, Case, bare_loop, make_dataset
from benchmarks.common import take_turns
from camerabias.datasets.views.cache import open_pixels
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.spec.recipe import load_recipe
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
    return train_on(images, steps * BATCH, steps, Case())


def train_on(images: Images, n_images: int, steps: int, case: Case) -> Training:
    """Our loop, whose epoch has so many steps; images come up again where they are fewer."""
    rows = np.arange(steps * case.batch)
    examples = Examples(images, rows % n_images, rows % 5)
    recipe = {"base": "demo", "max_steps": 10**6, "evaluate_every": 10**6, "batch_size": case.batch}
    return Training(case.build(), load_recipe(recipe).in_precision(case.precision), 0, examples, examples)
