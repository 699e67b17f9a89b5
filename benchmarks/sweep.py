"""Wall time of a whole sweep against the sum of its trials' bare loops over the slots. Aim: at most 1.2.

    .venv/bin/python benchmarks/sweep.py

Eight trials of three epochs of 1,600 images at 128 × 128 with `test_resnet`, on as many slots as there are
cores. The sweep is the command as a user types it, from its start to its end, Ray's start included; its variant
is built before. Bare loops run as many side by side as the sweep's trials do. Rounds alternate; the ratio is of
the medians.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import yaml
from common import BATCH, MODEL, bare_loop, make_dataset, make_recipe

ROUNDS, TRIALS, EPOCHS, IMAGES = 3, 8, 3, 1600
STEPS = EPOCHS * IMAGES // BATCH


def main() -> None:
    slots = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        make_dataset(Path(folder) / "dataset", n_images=IMAGES * 10 // 8)  # eight folds of ten train
        study = Path(folder) / "bench.yaml"
        study.write_text(yaml.safe_dump(describe_study()))
        bare, sweeps = [], []
        for number in range(ROUNDS):
            bare.append(time_bare_loops(slots) / slots)
            sweeps.append(time_sweep(study, Path(folder), number))
            print(f"round {number}: bare {bare[-1]:.1f} s, sweep {sweeps[-1]:.1f} s", flush=True)
    print(f"bare loops over {slots} slots {median(bare):7.1f} s (median of {ROUNDS})")
    print(f"sweep                   {median(sweeps):7.1f} s (median of {ROUNDS})")
    print(f"ratio                   {median(sweeps) / median(bare):7.3f}")


def describe_study() -> dict[str, object]:
    return {
        "title": "benchmark",
        "models": [MODEL],
        "seeds": list(range(TRIALS)),
        "recipe": make_recipe(STEPS, evaluate_every=STEPS // EPOCHS).model_dump(),
        "grids": [{"target": "camera", "settings": ["natural"]}],
    }


def time_bare_loops(slots: int) -> float:
    """Sum of the seconds of all trials' bare loops, `slots` at a time; start-up does not count."""
    with ProcessPoolExecutor(slots, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(bare_loop, [STEPS] * TRIALS))


def time_sweep(study: Path, folder: Path, number: int) -> float:
    command = [Path(sys.executable).parent / "camerabias", "sweep", "run", study, "--weights", "none"]
    command += ["--data", folder / "dataset", "--run", folder / f"run{number}"]
    began = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
