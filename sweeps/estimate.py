"""How long a sweep will take: from its own records, from timed steps, or, where neither can be had, by arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.plan import Plan
from camerabias.trainables.config import TrialConfig
from camerabias.trainables.record import Run

if TYPE_CHECKING:
    import torch

CPU_PIXELS = 32 * 128**2
"""Pixels of a batch that a core computes within a second or so; of larger ones it times a part."""
WARM_UP, TIMED = 2, 3
"""Steps before those that count, and those."""


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


@dataclass(frozen=True)
class Estimate:
    """Time of all trials to run.

    Attributes:
        seconds: On one core or GPU, none of the trials stopping before its cap of steps.
        device: `core` or `GPU`.
        origin: Where the figure comes from.
    """

    seconds: float
    device: str
    origin: str


Measure = Callable[[TrialConfig], Speed]


def estimate(plan: Plan, run: Run, measure: Measure) -> Estimate:
    """Estimate the time of the trials that are left.

    Args:
        plan: The trials.
        run: Whose finished trials tell the speed of their model, size and view.
        measure: Times a few steps of other trials, on the kind of machine that will run them.
    """
    known = _speeds_of_records(plan, run)
    speeds: dict[tuple[str, int], Speed] = {}
    seconds = 0.0
    for config in plan.to_run(retry_failed=False):
        if plan.status(config.id) == "done":
            continue  # a probe takes seconds
        key = (config.model, config.size)
        if key not in speeds:
            speeds[key] = known.get(key) or measure(config)
        seconds += config.recipe.max_steps * config.recipe.batch_size / speeds[key].images_per_second
    device = "GPU" if any(speed.device == "GPU" for speed in speeds.values()) else "core"
    return Estimate(seconds, device, _origin(speeds, known))


def _origin(speeds: dict[tuple[str, int], Speed], known: dict[tuple[str, int], Speed]) -> str:
    measured = [key for key in speeds if key not in known]
    arithmetic = [f"{model} at {size} pixels" for model, size in measured if not speeds[model, size].exact]
    parts = []
    if len(measured) < len(speeds):
        parts.append("the speed of this run's own records")
    if len(arithmetic) < len(measured):
        parts.append("training steps timed just now")
    if arithmetic:
        parts.append(
            f"arithmetic alone for {', '.join(arithmetic)}: fewer or smaller images timed on this machine's "
            "core, scaled by their number of pixels"
        )
    return "; ".join(parts)


def _speeds_of_records(plan: Plan, run: Run) -> dict[tuple[str, int], Speed]:
    """Speed by (model, size), of one finished trial each."""
    speeds: dict[tuple[str, int], Speed] = {}
    for trial_id, config in plan.trials.items():
        key = (config.model, config.size)
        if key not in speeds and plan.status(trial_id) == "done":
            done = run.record(trial_id).done()
            device = "core" if done.device.endswith("CPU") else "GPU"
            speeds[key] = Speed(done.images_per_second, device, exact=True)
    return speeds


def measure_here(config: TrialConfig) -> Speed:
    """Time a few training steps of a trial's model on this machine's GPU, or on one thread.

    Raises:
        CamerabiasError: A batch does not fit into the GPU's memory.
    """
    import torch

    from camerabias.trainables.models import enlarged

    on_gpu = torch.cuda.is_available()
    height, width = computed = enlarged(config.model, *config.input_shape)
    n = config.recipe.batch_size
    exact = on_gpu or n * height * width <= CPU_PIXELS
    if not exact:
        n = max(2, min(n, CPU_PIXELS // (height * width)))
        height, width = (min(side, 224) for side in (height, width))
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
    """Seconds of the fastest of a few training steps."""
    import torch

    from camerabias.trainables.models import build_model, training_loss

    model = build_model(config.model, 2, (height, width), None)
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(model.parameters())
    inputs = torch.randn(n, 3, height, width, device=device).to(memory_format=torch.channels_last)
    classes = torch.zeros(n, dtype=torch.int64, device=device)
    seconds = []
    for _ in range(WARM_UP + TIMED):
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=config.recipe.precision == "bfloat16"):
            loss, _logits = training_loss(model(inputs), classes)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        loss.item()  # waits for the device
        seconds.append(time.perf_counter() - began)
    return min(seconds[WARM_UP:])
