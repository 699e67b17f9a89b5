"""Crops per second of a crop map against the bare model (aim: at least 0.9) and a loop crop by crop (at least 20 ×).

    python -m benchmarks crops [ROUNDS]

On the GPU if there is one, else on one thread; `test_resnet` on 32 × 32, batches as a probe takes them. Rounds of
both alternate, since machines drift; the ratio is of the medians. The loop goes over a sixteenth of the images, and
its time is multiplied. Memory is the peak of the process (or of the GPU), over a map of some crops and over one of
eight times as many.
"""

from __future__ import annotations

import resource
import time

import numpy as np
import torch
from torch import nn

from benchmarks.bare_training import MODEL
from benchmarks.common import take_turns
from camerabias.datasets.io.executor import keep_freed_memory
from camerabias.datasets.views.random import CROP_SIDE
from camerabias.datasets.views.registry import View
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.probes.crops import CropGrid, crops_per_batch, predict_crops
from camerabias.trainables.training.images import Images

ROUNDS, SIDE = 7, 256


def main(arguments: list[str]) -> None:
    n_rounds = int(arguments[0]) if arguments else ROUNDS
    torch.set_num_threads(1)
    keep_freed_memory()  # as in a trial; the bare model gains more by it
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch = crops_per_batch(MODEL, device)
    model = build_model(MODEL, 5, (32, 32), None).to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    grid = CropGrid.over(SIDE, SIDE, 16)
    per_image = int(np.prod(grid.shape))
    n_images = max(16, 4 * batch // per_image)
    images = make_images(8 * n_images, device)
    n_crops = n_images * per_image
    map_crops(model, images, n_images, grid, batch)  # both are warm before they count
    bare_batches(model, n_crops, batch, device)
    memory = [peak_memory(device)]
    rounds = take_turns(
        n_rounds,
        lambda: map_crops(model, images, n_images, grid, batch),
        lambda: bare_batches(model, n_crops, batch, device),
    )
    map_crops(model, images, 8 * n_images, grid, batch)
    memory.append(peak_memory(device))
    sentence = (
        f"{n_crops} crops of {n_images} images in batches of {batch} on {device}: crop map {{ours}} s, bare model "
        f"{{against}} s; ratio of speeds {{ratio}}. Memory {memory[0]:.0f} MiB, with eight times as many crops "
        f"{memory[1]:.0f} MiB."
    )
    rounds.tell("crops", sentence, mib=[round(one) for one in memory])
    few = n_images // 16
    take_turns(
        n_rounds,
        lambda: map_crops(model, images, n_images, grid, batch),
        lambda: loop_over_crops(model, images, few, grid) * n_images / few,
    ).tell(
        "crops loop",
        f"{n_crops} crops: crop map {{ours}} s, crop by crop {{against}} s; ratio of speeds {{ratio}}.",
    )


def make_images(n: int, device: torch.device) -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)
    return Images(pixels, View.model_validate("crop32"), device)


def map_crops(model: nn.Module, images: Images, n_images: int, grid: CropGrid, batch: int) -> float:
    rows = np.arange(n_images)
    began = time.perf_counter()
    predict_crops(model, images, rows, rows % 5, grid, batch)
    return time.perf_counter() - began


@torch.no_grad()
def bare_batches(model: nn.Module, n_crops: int, batch: int, device: torch.device) -> float:
    inputs = torch.randn(batch, 3, 32, 32, device=device).to(memory_format=torch.channels_last)
    began = time.perf_counter()
    for start in range(0, n_crops, batch):
        logits = model(inputs[: min(batch, n_crops - start)])
    logits.cpu()  # waits for the device
    return time.perf_counter() - began


@torch.no_grad()
def loop_over_crops(model: nn.Module, images: Images, n_images: int, grid: CropGrid) -> float:
    """Seconds of cutting, normalising and classifying each crop by itself."""
    began = time.perf_counter()
    for row in range(n_images):
        levels = images.stored(np.array([row]))
        for top in grid.tops.tolist():
            for left in grid.lefts.tolist():
                crop = levels[:, top : top + CROP_SIDE, left : left + CROP_SIDE]
                model(images.normalise(crop)).argmax().item()
    return time.perf_counter() - began


def peak_memory(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
