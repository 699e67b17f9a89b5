"""Memory of trials at once on one dataset, against one copy of its pixels and the trials alone. Aim: at most 1.1.

    python -m benchmarks memory [TRIALS [IMAGES]]

Eight trials by default, of `small_cnn` on 4,000 photos of 128 × 128, a process each, as sweeps run them. Each trains
some steps and reads every photo; then, while all are there, each tells its proportional set size (Linux), in which
pages that several processes share count once between them. Without data: the same trials on 40 photos.
"""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from pathlib import Path
from threading import Barrier

import numpy as np
import torch

from benchmarks.bare_training import BATCH, SIZE, make_dataset, make_recipe
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.io.executor import keep_freed_memory
from camerabias.datasets.views.cache import open_pixels
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.training.evaluate import Examples
from camerabias.trainables.training.images import Images
from camerabias.trainables.training.train import Training

TRIALS, IMAGES, FEW, STEPS = 8, 4000, 40, 4


def main(arguments: list[str]) -> None:
    trials, n_images = [*map(int, arguments), *(TRIALS, IMAGES)[len(arguments) :]]
    with tempfile.TemporaryDirectory() as folder, get_context("spawn").Manager() as manager:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        sizes = {"many": n_images, "few": FEW}
        for name, n in sizes.items():
            make_dataset(Path(folder, name), n)
        together, without = (measure(f"{folder}/{name}", trials, manager) for name in sizes)
    copy = n_images * SIZE * SIZE * 3 / 2**20
    ratio = together / (copy + without)
    numbers = {"ratio": ratio, "together": together, "copy": copy, "without": without}
    print(
        json.dumps(
            {"figure": "memory", "trials": trials, **{name: round(one, 3) for name, one in numbers.items()}}
        )
    )
    print(
        f"{trials} trials at once: {together:.0f} MiB; one copy {copy:.0f} MiB and the trials without data "
        f"{without:.0f} MiB; ratio {ratio:.3f}.",
        flush=True,
    )


def measure(dataset: str, trials: int, manager: SyncManager) -> float:
    """MiB of trials at once."""
    barrier = manager.Barrier(trials)
    with ProcessPoolExecutor(trials, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(trial, [dataset] * trials, [barrier] * trials))


def trial(location: str, barrier: Barrier) -> float:
    """MiB of this process after some steps and a look at every image, while all others have come so far, too."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as in a trial
    dataset = open_dataset(location)
    variant = Variant(view=View.model_validate("rgb"), size=SIZE, fit=dataset.manifest.fit)
    images = Images(open_pixels(dataset, variant), variant.view, torch.device("cpu"))
    rows = np.arange(dataset.manifest.n_images)
    some = Examples(images, rows[:BATCH], rows[:BATCH] % 5)
    model = build_model("small_cnn", 5, (SIZE, SIZE), None).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    training = Training(model, make_recipe(10**6, evaluate_every=10**6), 0, some, some)
    for _ in range(STEPS):
        training.run_epoch()
    for start in range(0, len(rows), BATCH):
        images.batch(rows[start : start + BATCH])
    barrier.wait()
    fields = dict(line.split(":") for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    barrier.wait()
    return int(fields["Pss"].split()[0]) / 2**10
