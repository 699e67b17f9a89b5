"""Images per second of the training loop against the bare model on one resident batch. Aim: at least 0.95.

    .venv/bin/python benchmarks/training.py

One thread, `test_resnet` at 128 × 128, batches of 32. Rounds of both alternate, since machines drift; the ratio
is of the medians. Validation is left out: it is work that a bare loop does not do.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from common import BATCH, MODEL, SIZE, bare_loop, make_dataset, make_recipe

from camerabias.datasets.views.cache import open_pixels
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.training.evaluate import Examples
from camerabias.trainables.training.images import Images
from camerabias.trainables.training.train import Training

ROUNDS, STEPS = 9, 20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        training = make_training(Path(folder))
        bare_loop(STEPS)  # both are warm before they count
        training.run_epoch()
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(bare_loop(STEPS))
            began = time.perf_counter()
            training.run_epoch()
            ours.append(time.perf_counter() - began)
    n = STEPS * BATCH
    print(f"bare model    {n / median(bare):7.1f} images/s (median of {ROUNDS})")
    print(f"training loop {n / median(ours):7.1f} images/s (median of {ROUNDS})")
    print(f"ratio         {median(bare) / median(ours):7.3f}")


def make_training(folder: Path) -> Training:
    torch.set_num_threads(1)
    dataset = make_dataset(folder / "dataset", n_images=STEPS * BATCH)
    variant = Variant(view=View.model_validate("rgb"), size=SIZE, fit=dataset.manifest.fit)
    images = Images(open_pixels(dataset, variant), variant.view, torch.device("cpu"))
    rows = np.arange(STEPS * BATCH)
    examples = Examples(images, rows, rows % 5)
    model = build_model(MODEL, 5, (SIZE, SIZE), None).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Training(model, make_recipe(10**6, evaluate_every=10**6), 0, examples, examples)


if __name__ == "__main__":
    main()
