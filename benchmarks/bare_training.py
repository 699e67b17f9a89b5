"""What figures of training share: a simulated dataset to train on, and the bare loop that they compare with."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.views.build import build_variants
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.spec.recipe import Recipe, load_recipe

MODEL, SIZE, BATCH = "test_resnet", 128, 32


def make_dataset(folder: Path, n_images: int) -> Dataset:
    """A simulated dataset with its `rgb` variant, made in this process."""
    dataset = simulate_dataset(preset_spec("demo", images=n_images), Folder(folder), LocalExecutor())
    variant = Variant(view=View.model_validate("rgb"), size=SIZE, fit=dataset.manifest.fit)
    build_variants(dataset, [variant], LocalExecutor())
    return dataset


def make_recipe(n_steps: int, evaluate_every: int) -> Recipe:
    """The demo's recipe over `n_steps`."""
    return load_recipe({"base": "demo", "max_steps": n_steps, "evaluate_every": evaluate_every})


def bare_loop(n_steps: int) -> float:
    """Seconds of `n_steps` training steps of the bare model on one batch that is there already."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build_model(MODEL, 5, (SIZE, SIZE), None).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = torch.randn(BATCH, 3, SIZE, SIZE).to(memory_format=torch.channels_last)
    classes = torch.randint(0, 5, (BATCH,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    model.train()
    began = time.perf_counter()
    for _ in range(n_steps):
        loss = torch.nn.functional.cross_entropy(model(inputs), classes)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - began
