"""Wall time of a whole sweep against the sum of its trials' bare loops over the slots. Aim: at most 1.10.

    python -m benchmarks sweep [TRIALS [ROUNDS [IMAGES]]]

24 trials of three epochs of 1,600 images at 128 × 128 with `test_resnet`, on as many slots as there are
cores. The sweep is the command as a user types it, from its start to its end, Ray's start included; its variant
is built before. Bare loops run as many side by side as the sweep's trials do. Rounds alternate; the ratio is of
the medians.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import yaml

from benchmarks.bare_training import BATCH, MODEL, bare_loop, make_dataset, make_recipe
from benchmarks.common import run_command, take_turns

TRIALS, ROUNDS, IMAGES, EPOCHS = 24, 3, 1600, 3


def main(arguments: list[str]) -> None:
    slots = os.cpu_count() or 1
    n_trials, rounds, n_images = [*map(int, arguments), *(TRIALS, ROUNDS, IMAGES)[len(arguments) :]]
    steps = EPOCHS * n_images // BATCH
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        make_dataset(Path(folder) / "dataset", n_images=n_images * 10 // 8)  # eight folds of ten train
        study = Path(folder) / "bench.yaml"
        study.write_text(yaml.safe_dump(describe_study(n_trials, steps)))
        runs = count()
        found = take_turns(
            rounds,
            lambda: time_sweep(study, Path(folder), next(runs)),
            lambda: time_bare_loops(slots, n_trials, steps) / slots,
        )
    sentence = (
        f"{n_trials} trials: sweep {{ours}} s, bare loops over {slots} slots {{against}} s; ratio {{ratio}}."
    )
    found.tell("sweep", sentence, faster=False, trials=n_trials, images=n_images)


def describe_study(n_trials: int, n_steps: int) -> dict[str, object]:
    return {
        "title": "benchmark",
        "models": [MODEL],
        "seeds": list(range(n_trials)),
        "recipe": make_recipe(n_steps, evaluate_every=n_steps // EPOCHS).model_dump(),
        "grids": [{"target": "camera", "settings": ["natural"]}],
    }


def time_bare_loops(slots: int, n_trials: int, n_steps: int) -> float:
    """Sum of the seconds of all trials' bare loops, `slots` at a time; start-up does not count."""
    with ProcessPoolExecutor(slots, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(bare_loop, [n_steps] * n_trials))


def time_sweep(study: Path, folder: Path, number: int) -> float:
    run = ["--data", folder / "dataset", "--run", folder / f"run{number}", "--weights", "none"]
    return run_command("camerabias", "sweep", "run", study, *run).wall
