"""Pixels of a variant at 1024 × 1024 against copying memory. Aims: half its speed from Parquet, 0.9 from the cache.

    python -m benchmarks reading [IMAGES [ROUNDS]]

Simulated photos of 1024 × 1024, 40 by default. From Parquet: a trial on a node without a cache fills it, once. From
the cache: batches of 8 in another order, as training gathers them. Against: `numpy.copyto` between two arrays that
are there. Seconds of processors of one process, torch on one thread.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.common import take_turns
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.views.build import build_variants
from camerabias.datasets.views.cache import cache_folder, open_pixels
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.training.images import Images

ROUNDS, IMAGES, SIDE, BATCH = 5, 40, 1024, 8


def main(arguments: list[str]) -> None:
    torch.set_num_threads(1)
    n_images, n_rounds = [*map(int, arguments), *(IMAGES, ROUNDS)[len(arguments) :]]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        spec = preset_spec("demo", images=n_images, size=SIDE)
        dataset = simulate_dataset(spec, Folder(Path(folder, "dataset")), LocalExecutor())
        variant = Variant(view=View.model_validate("rgb"), size=SIDE, fit=dataset.manifest.fit)
        build_variants(dataset, [variant], LocalExecutor())

        def fill() -> None:
            open_pixels(dataset, variant)

        def filled() -> float:
            shutil.rmtree(cache_folder(), ignore_errors=True)
            return computing(fill)

        fill()
        images = Images(open_pixels(dataset, variant), variant.view, torch.device("cpu"))
        there = np.array(open_pixels(dataset, variant))
        other = np.empty_like(there)
        rows = np.random.default_rng(0).permutation(len(there))

        def gather() -> None:
            for start in range(0, len(rows), BATCH):
                images.stored(rows[start : start + BATCH])

        def copied() -> float:
            return computing(lambda: np.copyto(other, there))

        copied(), computing(gather)  # both are warm before they count
        sentence = (
            f"{len(there)} images of {SIDE} × {SIDE}: read {{ours}} s, copied {{against}} s; ratio {{ratio}}."
        )
        cached = take_turns(n_rounds, lambda: computing(gather), copied)
        cached.tell("reading cache", sentence)
        take_turns(n_rounds, filled, copied).tell("reading parquet", sentence)


def computing(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
