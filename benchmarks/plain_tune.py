"""What people write by hand: a Ray Tune function over torchvision's ImageFolder and DataLoader, for `peers_training`.

    python -m benchmarks.plain_tune PHOTOS TRIALS STEPS EVALUATE_EVERY

PHOTOS has folders `train`, `validation` and `test`, each with a folder per class. Prints the mean test accuracy.
"""

from __future__ import annotations

import os
import sys
from itertools import chain, islice, repeat
from statistics import mean
from typing import Any

import timm
import torch
from ray import tune
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from benchmarks.bare_training import BATCH, MODEL

RATE = 2e-3
"""The peak of the one cycle, as in our recipe `demo`."""


def train(config: dict[str, Any]) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(config["seed"])
    model = timm.create_model(MODEL, num_classes=config["n_classes"])
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=config["steps"])
    batches = chain.from_iterable(
        repeat(_photos(config, "train"))
    )  # epoch after epoch, each in another order
    for step, (inputs, classes) in enumerate(islice(batches, config["steps"]), 1):
        model.train()
        loss = torch.nn.functional.cross_entropy(model(inputs), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % config["evaluate_every"] == 0:
            evaluate(model, config, "validation")
    tune.report({"accuracy": evaluate(model, config, "test")})


def _photos(config: dict[str, Any], side: str) -> DataLoader[Any]:
    shown = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
    folder = ImageFolder(os.path.join(config["photos"], side), shown)
    return DataLoader(folder, BATCH, shuffle=side == "train", drop_last=side == "train")


@torch.no_grad()
def evaluate(model: torch.nn.Module, config: dict[str, Any], side: str) -> float:
    model.eval()
    right = [model(inputs).argmax(dim=1) == classes for inputs, classes in _photos(config, side)]
    return torch.cat(right).float().mean().item()


def tune_all(photos: str, n_trials: int, steps: int, evaluate_every: int) -> None:
    n_classes = len(ImageFolder(os.path.join(photos, "train")).classes)
    plain = {"photos": photos, "n_classes": n_classes, "steps": steps, "evaluate_every": evaluate_every}
    space = {**plain, "seed": tune.grid_search(list(range(n_trials)))}
    results = tune.Tuner(tune.with_resources(train, {"cpu": 1}), param_space=space).fit()
    assert not results.errors, results.errors
    print(mean(result.metrics["accuracy"] for result in results if result.metrics), flush=True)


if __name__ == "__main__":
    tune_all(sys.argv[1], *map(int, sys.argv[2:]))
