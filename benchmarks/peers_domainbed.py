"""Sweeps against DomainBed's launcher with ERM, on the same PNG photos. Aim: at least twice as fast.

    python -m benchmarks peers_domainbed CHECKOUT [TRIALS [ROUNDS [STEPS [IMAGES [SIDE ...]]]]]

CHECKOUT is one of https://github.com/facebookresearch/DomainBed. 16 trials (a multiple of 4) of ResNet18 from scratch
on 500 photos of 224 × 224, 60 steps of 32 photos with Adam at one rate: each of four cameras is left out, by as many
seeds. Seconds of the wall from the photos to the last test, imports and starts included. Accuracy is that of held-out
photos by the cameras that were trained on. SIDE is one or more of `SIDES`, by default all; each is compared with the
first. The launcher `local` runs one trial after the other on all cores; `multi_gpu` one per core. DomainBed trains in
float32.

Nothing is downloaded: torchvision's weights, which DomainBed always asks for, are left out, and of the package
`wilds`, which it imports, nothing is used.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

import yaml

from benchmarks.bare_training import BATCH
from benchmarks.common import Side, Task, compare_sides, run_command, write_png
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.simulator.cameras import CAMERAS
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.recipe import load_recipe

TRIALS, ROUNDS, STEPS, IMAGES, SIDE, RATE = 16, 1, 60, 500, 224, 1e-3

LEFT_OUT = sorted(CAMERAS)[:4]
"""DomainBed's VLCS has four domains, each of which is left out once; the fifth camera always trains."""

OFFLINE = """
import functools, importlib.util, sys, types, torchvision.models
def without_weights(build, pretrained=False):
    return build(weights=None)
torchvision.models.resnet18 = functools.partial(without_weights, torchvision.models.resnet18)
if importlib.util.find_spec("wilds") is None:
    for name, kind in {"camelyon17": "Camelyon17Dataset", "fmow": "FMoWDataset"}.items():
        sys.modules[f"wilds.datasets.{name}_dataset"] = types.SimpleNamespace(**{kind: object})
"""
"""Run by Python as it starts, before DomainBed."""


def n_seeds(task: Task) -> int:
    """Trials of each camera that is left out."""
    return task.n_trials // len(LEFT_OUT)


def ours(task: Task, precision: str) -> float:
    """Import the photos and run the sweep as a user would."""
    recipe = load_recipe({"base": "demo", "max_steps": task.n_steps, "evaluate_every": task.n_steps})
    changes = {"learning_rate": RATE, "schedule": "constant", "batch_size": BATCH, "precision": precision}
    settings = [f"without-{camera}" for camera in LEFT_OUT]
    study = {
        "title": "benchmark",
        "models": ["resnet18"],
        "seeds": list(range(n_seeds(task))),
        "recipe": {**recipe.model_dump(), **changes},
        "grids": [{"target": "label", "settings": settings}],
    }
    (task.folder / "peers.yaml").write_text(yaml.safe_dump(study))
    data, run = task.folder / "dataset", task.folder / "run"
    run_command("camerabias", "data", "import", task.photos / "photos.csv", data)
    options = ["--data", data, "--run", run, "--weights", "none", "--size", str(SIDE)]
    run_command("camerabias", "sweep", "run", task.folder / "peers.yaml", *options)
    records = Run(str(run))
    return mean(_seen_accuracy(records, trial) for trial in records.contents())


def _seen_accuracy(run: Run, trial: str) -> float:
    record = run.record(trial)
    rows = record.predictions()
    seen = rows[rows["camera"] != record.config().setting.name.removeprefix("without-")]
    return float((seen["prediction"] == seen["label"]).mean())


def domainbed(task: Task, launcher: str) -> float:
    """Run the launcher as its users do."""
    (task.folder / "sitecustomize.py").write_text(OFFLINE)
    options = {
        "datasets": "VLCS",
        "algorithms": "ERM",
        "n_hparams": 1,
        "n_trials": n_seeds(task),
        "steps": task.n_steps,
        "data_dir": task.photos,
        "output_dir": task.folder / "out",
        "command_launcher": launcher,
        "hparams": json.dumps(_hyperparameters()),
    }
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "domainbed.scripts.sweep", "launch", *given, "--single_test_envs"]
    subprocess.run(
        [*command, "--skip_confirmation"],
        check=True,
        cwd=task.checkout,
        env=_environment(task, launcher),
        capture_output=True,
    )
    results = sorted((task.folder / "out").glob("*/results.jsonl"))
    assert len(results) == task.n_trials, f"{len(results)} of {task.n_trials} trials have ended"
    return mean(_out_accuracy(json.loads(path.read_text().splitlines()[-1])) for path in results)


def _hyperparameters() -> dict[str, object]:
    """Of its defaults what differs: nothing is augmented, and a batch is one of ours, spread over four domains."""
    plain = {"data_augmentation": False, "resnet18": True, "resnet50_augmix": False}
    return {**plain, "lr": RATE, "batch_size": BATCH // len(LEFT_OUT), "weight_decay": 0.0}


def _environment(task: Task, launcher: str) -> dict[str, str]:
    here = str(Path(sys.executable).parent)
    paths = {"PYTHONPATH": str(task.folder), "PATH": os.pathsep.join([here, os.environ["PATH"]])}
    cores = os.cpu_count() or 1
    # without a GPU these numbers mean nothing but how many run at a time
    one_each = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(cores))), "OMP_NUM_THREADS": "1"}
    return {**os.environ, **paths, **(one_each if launcher == "multi_gpu" else {})}


def _out_accuracy(row: dict[str, float]) -> float:
    (left_out,) = row["args"]["test_envs"]  # type: ignore[index]
    return mean(row[f"env{number}_out_acc"] for number in range(len(CAMERAS)) if number != left_out)


SIDES: dict[str, Side] = {
    "ours": lambda task: ours(task, "float32"),
    "ours-bfloat16": lambda task: ours(task, "bfloat16"),
    "local": lambda task: domainbed(task, "local"),
    "multi_gpu": lambda task: domainbed(task, "multi_gpu"),
}
"""DomainBed's by the name of its launcher."""


def main(arguments: list[str]) -> None:
    defaults = map(str, (TRIALS, ROUNDS, STEPS, IMAGES)[len(arguments) - 1 :])
    checkout, n_trials, rounds, n_steps, n_images, *names = [*arguments, *defaults]
    assert int(n_trials) % len(LEFT_OUT) == 0, f"TRIALS must be a multiple of {len(LEFT_OUT)}"
    with tempfile.TemporaryDirectory() as scratch:
        photos = write_photos(Path(scratch), int(n_images))
        task = Task(photos, Path(checkout).resolve(), int(n_trials), int(n_steps), Path(scratch))
        compare_sides("peers_domainbed", {name: SIDES[name] for name in names or SIDES}, task, int(rounds))


def write_photos(scratch: Path, n_images: int) -> Path:
    """Simulated photos as PNG files by camera and label, and a table of them.

    The table leaves out which photos are of one object, so that photos are held out at random, as DomainBed does.
    """
    spec = preset_spec("demo", images=n_images, size=SIDE)
    dataset = simulate_dataset(spec, Folder(scratch / "simulated"), LocalExecutor())
    index = dataset.index
    index["path"] = "VLCS/" + index["camera"] + "/" + index["label"] + "/" + index["image_id"] + ".png"
    write_png(scratch / "photos", dataset, index.set_index("image_id")["path"])
    index[["path", "label", "camera"]].to_csv(scratch / "photos" / "photos.csv", index=False)
    return scratch / "photos"
