"""How fast a model trains, or embeds, where its trials would run: a few timed steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.spec.linear_probe import LinearProbe
from camerabias.trainables.spec.trial import TrialConfig

if TYPE_CHECKING:
    import torch

CPU_PIXELS = 32 * 128**2
"""Pixels of a batch that a core computes within a second or so; of larger ones it times a part."""
CPU_SIDE = 224
"""Pixels along a side of larger images of which it times a part."""
CPU_FEATURES = 8
"""Images whose features a core computes to be timed."""
WARM_UP, TIMED = 2, 3
"""Steps before those that count, and those."""
ENOUGH_SECONDS = 5.0
"""Of steps, after which no more are timed: bfloat16 on a processor without it takes ten seconds for one."""


@dataclass(frozen=True)
class Speed:
    """Training images per second of a model.

    Attributes:
        images_per_second: On one core or GPU.
        device: What it was timed on: `core` or `GPU`.
        exact: Whether whole batches at the trial's own size were timed, not fewer or smaller images.
    """

    images_per_second: float
    device: str
    exact: bool


SpeedMeasure = Callable[[TrialConfig], Speed]


def measure_here(config: TrialConfig) -> Speed:
    """Time a few training steps of a trial's model, or features of a linear probe, on the GPU or on one thread.

    Raises:
        CamerabiasError: A batch does not fit into the GPU's memory.
    """
    import torch

    from camerabias.trainables.models.registry import enlarged

    if isinstance(config.recipe, LinearProbe):
        return _measure_features(config)
    on_gpu = torch.cuda.is_available()
    height, width = computed = enlarged(config.model, *config.input_shape)
    n = config.tuning.batch_size
    exact = on_gpu or n * height * width <= CPU_PIXELS
    if not exact:
        n = max(2, min(n, CPU_PIXELS // (height * width)))
        height, width = enlarged(config.model, min(height, CPU_SIDE), min(width, CPU_SIDE))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = _time_step(config, n, height, width, torch.device("cuda" if on_gpu else "cpu"))
    except torch.OutOfMemoryError as error:
        raise CamerabiasError(
            f"A batch of {n} images of {height} × {width} pixels does not fit into this GPU's memory with "
            f"{config.model}; choose a recipe with a smaller batch_size, or precision bfloat16."
        ) from error
    finally:
        torch.set_num_threads(threads)
    images_timed = n * (height * width) / (computed[0] * computed[1])
    return Speed(images_timed / seconds, "GPU" if on_gpu else "core", exact)


def _time_step(config: TrialConfig, n: int, height: int, width: int, device: torch.device) -> float:
    """Seconds of the fastest of a few training steps; of slow ones the first tells enough."""
    import torch

    from camerabias.trainables.models.registry import build_model, training_loss

    model = build_model(config.model, 2, (height, width), None)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters())
    inputs = torch.randn(n, 3, height, width, device=device).to(memory_format=torch.channels_last)
    classes = torch.zeros(n, dtype=torch.int64, device=device)
    seconds: list[float] = []
    while len(seconds) < WARM_UP + TIMED and sum(seconds) < ENOUGH_SECONDS:
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=config.recipe.precision == "bfloat16"):
            loss, _logits = training_loss(model(inputs), classes)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        loss.item()  # waits for the device
        seconds.append(time.perf_counter() - began)
    return min(seconds[WARM_UP:] or seconds)


def _measure_features(config: TrialConfig) -> Speed:
    """Time the backbone of a linear probe on noise: the resized image, and crops as large."""
    import numpy as np
    import torch

    from camerabias.trainables.embeddings.embedder import BATCH, Embedder

    embedder = Embedder(config.embeddings[1], None)
    on_gpu = embedder.device.type == "cuda"
    n = BATCH if on_gpu else CPU_FEATURES
    noise = np.random.default_rng(0).integers(256, size=(n, config.size, config.size, 3), dtype=np.uint8)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds = []
    for _ in range(WARM_UP):
        began = time.perf_counter()
        embedder.features([str(number) for number in range(n)], list(noise))
        seconds.append(time.perf_counter() - began)
    torch.set_num_threads(threads)
    return Speed(n / min(seconds), "GPU" if on_gpu else "core", exact=True)
