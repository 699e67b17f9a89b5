"""Sweeps against what people use, on the same PNG photos: timm's `train.py` in a loop, and a plain Ray Tune function.

    python -m benchmarks peers_training CHECKOUT [TRIALS [ROUNDS [IMAGES [SIDE ...]]]]

CHECKOUT is one of https://github.com/huggingface/pytorch-image-models, as of August 2026. 24 trials of three epochs
of 1,600 photos of 128 × 128 with `test_resnet`, Adam, batches of 32, validated after each epoch and tested once; as
many at a time as there are cores, a thread each. Seconds of the wall from the photos to the last test, imports and
starts included. SIDE is one or more of `SIDES`, by default all; each is compared with the first.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

import yaml

from benchmarks.bare_training import BATCH, MODEL, make_dataset
from benchmarks.common import Side, Task, compare_sides, run_command, write_png
from benchmarks.sweep import EPOCHS, IMAGES, describe_study
from camerabias.trainables.records.run import Run

TRIALS, ROUNDS = 24, 3
FOLDS = {0: "test", 1: "validation"}
"""Sides of the split by fold; the other eight train."""


def ours(task: Task, precision: str, executor: str) -> float:
    """Import the photos and run the sweep as a user would; returns the mean test accuracy."""
    study = describe_study(task.n_trials, task.n_steps)
    assert isinstance(study["recipe"], dict)
    study["recipe"]["precision"] = precision
    (task.folder / "peers.yaml").write_text(yaml.safe_dump(study))
    data, run = task.folder / "dataset", task.folder / "run"
    run_command("camerabias", "data", "import", task.photos / "photos.csv", data)
    options = ["--data", data, "--run", run, "--weights", "none", "--executor", executor]
    run_command("camerabias", "sweep", "run", task.folder / "peers.yaml", *options)
    records = Run(str(run))
    return mean(records.record(trial).done().test_accuracy for trial in records.contents())


def timm(task: Task, *more: str) -> float:
    """Run `train.py` for every seed, as many at a time as there are cores; returns the mean test accuracy."""

    def train(seed: int) -> float:
        command = [sys.executable, "train.py", *_timm_options(task), *more, "--seed", seed]
        subprocess.run(
            [*map(str, command), "--experiment", str(seed)],
            check=True,
            cwd=task.checkout,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
        )
        *_, last = csv.DictReader((task.folder / str(seed) / "summary.csv").open())
        return float(last["eval_top1"]) / 100

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return mean(pool.map(train, range(task.n_trials)))


def _timm_options(task: Task) -> Iterator[object]:
    """Nothing is augmented or smoothed, and Adam follows one cycle, as on the other sides."""
    yield from ["--data-dir", task.photos, "--train-split", "train", "--val-split", "test"]
    yield from ["--model", MODEL, "--num-classes", 5, "--input-size", 3, 128, 128, "--crop-pct", 1.0]
    yield from ["--no-aug", "--smoothing", 0, "--opt", "adam", "--weight-decay", 0, "--lr", 2e-3]
    yield from ["--sched-on-updates", "--warmup-epochs", 1, "--warmup-lr", 1e-4, "--epochs", EPOCHS]
    yield from ["--batch-size", BATCH, "--device", "cpu", "--workers", 1, "--channels-last"]
    yield from ["--checkpoint-hist", 1, "--output", task.folder]


def plain_tune(task: Task) -> float:
    """Run the Ray Tune function; returns the mean test accuracy."""
    command = [
        "-m",
        "benchmarks.plain_tune",
        task.photos,
        task.n_trials,
        task.n_steps,
        task.n_steps // EPOCHS,
    ]
    said = subprocess.run([sys.executable, *map(str, command)], check=True, stdout=subprocess.PIPE, text=True)
    return float(said.stdout.split()[-1])


SIDES: dict[str, Side] = {
    "ours": lambda task: ours(task, "float32", "ray"),
    "ours-local": lambda task: ours(task, "float32", "local"),
    "ours-bfloat16": lambda task: ours(task, "bfloat16", "ray"),
    "ours-local-bfloat16": lambda task: ours(task, "bfloat16", "local"),
    "timm": timm,
    "timm-bfloat16": lambda task: timm(task, "--amp", "--amp-dtype", "bfloat16"),
    "tune": plain_tune,
}


def main(arguments: list[str]) -> None:
    defaults = map(str, (TRIALS, ROUNDS, IMAGES)[len(arguments) - 1 :])
    checkout, n_trials, rounds, n_images, *names = [*arguments, *defaults]
    with tempfile.TemporaryDirectory() as scratch:
        photos, n_steps = write_photos(Path(scratch), int(n_images)), EPOCHS * int(n_images) // BATCH
        task = Task(photos, Path(checkout).resolve(), int(n_trials), n_steps, Path(scratch))
        compare_sides("peers_training", {name: SIDES[name] for name in names or SIDES}, task, int(rounds))


def write_photos(scratch: Path, n_train: int) -> Path:
    """Simulated photos as PNG files by side of the split and camera, and a table of them."""
    os.environ["CAMERABIAS_CACHE"] = f"{scratch}/cache"
    dataset = make_dataset(scratch / "simulated", n_images=n_train * 10 // 8)
    index = dataset.index.assign(split=dataset.index["fold"].map(FOLDS).fillna("train"))
    index["path"] = index["split"] + "/" + index["camera"] + "/" + index["image_id"] + ".png"
    write_png(scratch / "photos", dataset, index.set_index("image_id")["path"])
    table = index.replace({"split": {"validation": "val"}})[["path", "label", "camera", "split"]]
    table.to_csv(scratch / "photos" / "photos.csv", index=False)
    return scratch / "photos"
