"""How long a sweep will take: from its own finished trials where there are any, or from a measured step."""

from __future__ import annotations

import time
from dataclasses import dataclass

from camerabias.sweeps.plan import Plan
from camerabias.trainables.config import TrialConfig
from camerabias.trainables.record import Run

PROBE_BATCH = 4
PROBE_SIZE = 224
"""A measured step uses few images, and small ones: its time is then scaled up by the number of pixels."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of all trials to run on one slot, and where the figure comes from."""

    seconds: float
    origin: str


def estimate(plan: Plan, run: Run) -> Estimate:
    """Estimate the time of the trials that are left, none of them stopping before its cap of steps."""
    trials = plan.to_run(retry_failed=False)
    measured: dict[tuple[str, int], float] = {}
    from_records = 0
    total = 0.0
    known = _speeds_of_records(plan, run)
    for config in trials:
        key = (config.model, config.size)
        if key in known:
            from_records += 1
        elif key not in measured:
            measured[key] = _measure(config)
        speed = known.get(key) or measured[key]
        total += config.recipe.max_steps * config.recipe.batch_size / speed
    origin = f"speed of this run's own records for {from_records} trials" if from_records else ""
    if from_records < len(trials):
        rest = "a few training steps timed now on this machine, scaled by the number of pixels"
        origin = f"{origin}, for the others {rest}" if origin else rest
    return Estimate(total, origin)


def _speeds_of_records(plan: Plan, run: Run) -> dict[tuple[str, int], float]:
    """Training images per second by (model, size), of one finished trial each."""
    speeds: dict[tuple[str, int], float] = {}
    for trial_id, config in plan.trials.items():
        key = (config.model, config.size)
        if key not in speeds and plan.status(trial_id) == "done":
            speeds[key] = run.record(trial_id).done().images_per_second
    return speeds


def _measure(config: TrialConfig) -> float:
    """Training images per second of a model, on one thread or this machine's GPU."""
    import torch

    from camerabias.trainables.models import build_model, training_loss

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    side = min(config.size, PROBE_SIZE)
    model = build_model(config.model, 2, (side, side), None).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    inputs = torch.randn(PROBE_BATCH, 3, side, side, device=device)
    inputs = inputs.to(memory_format=torch.channels_last)
    classes = torch.zeros(PROBE_BATCH, dtype=torch.int64, device=device)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        loss, _ = training_loss(model(inputs), classes)
        loss.backward()  # type: ignore[no-untyped-call]
        loss.item()  # waits for the device
        seconds.append(time.perf_counter() - began)
    torch.set_num_threads(threads)
    return PROBE_BATCH / min(seconds) * (side / config.size) ** 2
