"""What figures of training share: a simulated dataset to train on, and the bare loop that they compare with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.views.build import build_variants
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.models.registry import build_model, training_loss
from camerabias.trainables.spec.recipe import Precision, Recipe, load_recipe

MODEL, SIZE, BATCH = "test_resnet", 128, 32


@dataclass(frozen=True)
class Case:
    """What trains, on what.

    Attributes:
        model: Its name.
        side: Of its square input, pixels.
        batch: Images per step.
        precision: `float32` or `bfloat16`.
        device: `cpu`, on one thread, or `cuda`.
        view: How stored images are seen by our loop.
    """

    model: str = MODEL
    side: int = SIZE
    batch: int = BATCH
    precision: Precision = "float32"
    device: str = "cpu"
    view: str = "rgb"

    def build(self) -> nn.Module:
        """The model with five classes, on the device."""
        model = build_model(self.model, 5, (self.side, self.side), None)
        return model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def make_dataset(folder: Path, n_images: int) -> Dataset:
    """A simulated dataset with its `rgb` variant, made in this process."""
    dataset = simulate_dataset(preset_spec("demo", images=n_images), Folder(folder), LocalExecutor())
    variant = Variant(view=View.model_validate("rgb"), size=SIZE, fit=dataset.manifest.fit)
    build_variants(dataset, [variant], LocalExecutor())
    return dataset


def make_recipe(n_steps: int, evaluate_every: int) -> Recipe:
    """The demo's recipe over `n_steps`."""
    return load_recipe({"base": "demo", "max_steps": n_steps, "evaluate_every": evaluate_every})


def bare_loop(n_steps: int, case: Case = Case()) -> float:
    """Seconds of `n_steps` training steps of the bare model on one batch that is there already.

    One step before them, which sets up the optimiser, does not count.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = case.build()
    inputs = torch.randn(case.batch, 3, case.side, case.side)
    inputs = inputs.to(case.device, memory_format=torch.channels_last)
    classes = torch.randint(0, 5, (case.batch,), device=case.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    model.train()

    def step() -> torch.Tensor:
        with torch.autocast(case.device, torch.bfloat16, enabled=case.precision == "bfloat16"):
            loss, _ = training_loss(model(inputs), classes)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    step().item()
    began = time.perf_counter()
    for _ in range(n_steps):
        loss = step()
    loss.item()  # waits for the device
    return time.perf_counter() - began
