"""Wall time of a whole sweep against the sum of its trials' bare loops over the slots. Aim: at most 1.10.

    python -m benchmarks sweep [TRIALS]

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

ROUNDS, TRIALS, EPOCHS, IMAGES = 3, 24, 3, 1600
STEPS = EPOCHS * IMAGES // BATCH


def main(arguments: list[str]) -> None:
    slots = os.cpu_count() or 1
    n_trials = int(arguments[0]) if arguments else TRIALS
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        make_dataset(Path(folder) / "dataset", n_images=IMAGES * 10 // 8)  # eight folds of ten train
        study = Path(folder) / "bench.yaml"
        study.write_text(yaml.safe_dump(describe_study(n_trials)))
        runs = count()
        rounds = take_turns(
            ROUNDS,
            lambda: time_sweep(study, Path(folder), next(runs)),
            lambda: time_bare_loops(slots, n_trials) / slots,
        )
    sentence = (
        f"{n_trials} trials: sweep {{ours}} s, bare loops over {slots} slots {{against}} s; ratio {{ratio}}."
    )
    rounds.tell("sweep", sentence, faster=False, trials=n_trials)


def describe_study(n_trials: int) -> dict[str, object]:
    return {
        "title": "benchmark",
        "models": [MODEL],
        "seeds": list(range(n_trials)),
        "recipe": make_recipe(STEPS, evaluate_every=STEPS // EPOCHS).model_dump(),
        "grids": [{"target": "camera", "settings": ["natural"]}],
    }


def time_bare_loops(slots: int, n_trials: int) -> float:
    """Sum of the seconds of all trials' bare loops, `slots` at a time; start-up does not count."""
    with ProcessPoolExecutor(slots, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(bare_loop, [STEPS] * n_trials))


def time_sweep(study: Path, folder: Path, number: int) -> float:
    run = ["--data", folder / "dataset", "--run", folder / f"run{number}", "--weights", "none"]
    return run_command("camerabias", "sweep", "run", study, *run).wall
