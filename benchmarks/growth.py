"""How time and memory grow with the number of trials, of images, and of what Ray Tune is given.

    python -m benchmarks growth trials [10000 30000 100000]
    python -m benchmarks growth images [1000000 3000000 10000000]
    python -m benchmarks growth tune [500 1000 2000 4000]

Records and indexes are made up, in the real formats; nothing is trained but the three trials of `resume, 3 missing`.
Every step runs in a process of its own. The table has its wall seconds, its processor seconds (in brackets; less
noisy) and its peak memory; what a process imports first counts, some seconds and 0.2 GiB. The last column is the
exponent b of processor seconds ~ size ** b between the two largest sizes: 1 is linear. 100,000 trials take 3 GiB of
disk in the temporary folder.
"""

from __future__ import annotations

import json
import math
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.common import Cost

SIZES = {
    "trials": [10_000, 30_000, 100_000],
    "images": [1_000_000, 3_000_000, 10_000_000],
    "tune": [500, 1000, 2000, 4000],
}

Step = Callable[[Path, int], None]
"""One thing that is measured, in the folder of one size."""


def main(arguments: list[str]) -> None:
    what = arguments[0]
    sizes = [int(size) for size in arguments[1:]] or SIZES[what]
    measured: dict[str, list[Cost]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="camerabias-growth-") as folder:
            for name, step in STEPS[what].items():
                cost = alone(step, Path(folder), size)
                measured.setdefault(name, []).append(cost)
                cost.tell(f"growth {what}", f"{size} {what}, {name}")
    print(f"\n| {what} | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent |")
    print("|---" * (len(sizes) + 2) + "|")
    for name, found in measured.items():
        print(f"| {name} | " + " | ".join([*map(str, found), exponent(sizes, found)]) + " |")


def exponent(sizes: list[int], found: list[Cost]) -> str:
    if len(sizes) < 2:
        return ""
    return f"{math.log(found[-1].computing / found[-2].computing) / math.log(sizes[-1] / sizes[-2]):.2f}"


def alone(step: Step, folder: Path, size: int) -> Cost:
    """What a step costs in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(timed, step, folder, size).result()


def timed(step: Step, folder: Path, size: int) -> Cost:
    began = time.perf_counter()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        step(folder, size)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Cost(time.perf_counter() - began, time.process_time(), peak)


# --- trials ---------------------------------------------------------------------------------------------

MODELS = ["test_resnet", "resnet34", "resnet101", "alexnet", "vgg16"]
VIEWS = ["rgb", "gray", "left", "right"]
SEEDS = 25
SETTINGS = 10
CELLS_PER_STUDY = 2 * len(MODELS) * len(VIEWS) * SETTINGS
IMAGES, TEST_IMAGES, TEMPLATES = 500, 300, 8


def make_run(folder: Path, n: int) -> None:
    """A run whose trials are all done: 10,000 to a study, 25 seeds to a cell of its table."""
    import yaml

    from camerabias.datasets.ingest.create import simulate_dataset
    from camerabias.datasets.io.executor import LocalExecutor
    from camerabias.datasets.io.storage import Folder
    from camerabias.datasets.simulator import preset_spec
    from camerabias.sweeps.execution.sweep import plan_sweep, run_sweep
    from camerabias.trainables.records.record import CONFIG_FILE
    from camerabias.trainables.records.run import Run

    dataset = simulate_dataset(
        preset_spec("demo", images=IMAGES, size=64), Folder(folder / "dataset"), LocalExecutor()
    )
    n_studies = n // (CELLS_PER_STUDY * SEEDS)
    for number in range(n_studies):
        study = describe_study(number, dataset.manifest.labels, dataset.manifest.cameras)
        (folder / f"study{number}.yaml").write_text(yaml.safe_dump(study))
    plan = plan_sweep(studies(folder), request(folder))
    assert len(plan.trials) == n, f"{len(plan.trials)} trials"
    templates = [write_template(folder, number) for number in range(TEMPLATES)]
    trials = Path(Run(str(folder / "run")).record("").folder.path)
    for number, (trial_id, config) in enumerate(plan.trials.items()):
        (trials / trial_id).mkdir(parents=True)
        (trials / trial_id / CONFIG_FILE).write_text(json.dumps(config.model_dump(mode="json"), indent=2))
        for file in templates[number % TEMPLATES]:
            os.link(file, trials / trial_id / file.name)
    run_sweep(studies(folder), request(folder))  # writes the studies and the examples


def describe_study(number: int, labels: tuple[str, ...], cameras: tuple[str, ...]) -> dict[str, Any]:
    own = [
        {"name": f"cells{number}-{k}", "cells": [[label, camera] for label in labels for camera in cameras[: k + 2]]}
        for k in range(SETTINGS - 2)
    ]  # fmt: skip
    settings = ["natural", "disjoint", *own]
    recipe = {"base": "demo", "learning_rate": 1e-3 + 1e-6 * number, "max_steps": 2, "evaluate_every": 1}
    grids = [{"target": target, "settings": settings, "views": VIEWS} for target in ("label", "camera")]
    study = {"title": f"study {number}", "models": MODELS, "seeds": [*range(SEEDS)]}
    return {**study, "recipe": recipe, "grids": grids}


def studies(folder: Path) -> list[str]:
    return sorted(str(file) for file in folder.glob("study*.yaml"))


def request(folder: Path) -> Any:
    from camerabias.sweeps.execution.executor import LocalTrialExecutor
    from camerabias.sweeps.execution.sweep import Request

    return Request(
        str(folder / "dataset"), str(folder / "run"), size=64, weights="none", executor=LocalTrialExecutor()
    )


def write_template(folder: Path, number: int) -> list[Path]:
    """Results of a trial that many records share as hard links: other values read no faster or slower."""
    import numpy as np
    import pandas as pd

    from camerabias.datasets.io.storage import Folder
    from camerabias.trainables.records.record import Done, Record

    generator = np.random.default_rng(number)
    index = pd.read_parquet(folder / "dataset" / "index.parquet").head(TEST_IMAGES)
    chosen = generator.choice(index["label"].unique(), TEST_IMAGES)
    predictions = index[["image_id", "label", "camera", "group"]].assign(
        draw=0, prediction=chosen, probabilities=generator.random((TEST_IMAGES, 2)).astype("float32").tolist()
    )
    steps = np.arange(1, 241)
    history = pd.DataFrame(
        {"step": steps, "epoch": 0, "learning_rate": 1e-3, "train_loss": generator.random(240)}
    )
    history["train_accuracy"] = 0.5
    history["validation_loss"] = np.where(steps % 12, np.nan, 0.5)
    history["validation_accuracy"] = np.where(steps % 12, np.nan, steps / 240)
    done = Done(
        stopped="max_steps", steps=240, tested_step=240, validation_accuracy=0.5, test_accuracy=0.5,
        train_images=400, validation_images=50, test_images=TEST_IMAGES, seconds=60.0, images_per_second=150.0,
        finished_at="2025-01-01T00:00:00+00:00", host="made-up", device="CPU", threads=1, versions={"torch": "2"},
    )  # fmt: skip
    record = Record(Folder(folder / f"template{number}"))
    record.finish(history, predictions, done)
    return [Path(record.folder.file(name)) for name in record.folder.names()]


def plan(folder: Path, _: int) -> None:
    from camerabias.sweeps.execution.sweep import plan_sweep

    assert not plan_sweep(studies(folder), request(folder)).to_run(retry_failed=False)


def resume(folder: Path, _: int) -> None:
    from camerabias.sweeps.execution.sweep import run_sweep

    assert run_sweep(studies(folder), request(folder)).n_ran == 0


def resume_some(folder: Path, _: int) -> None:
    from camerabias.sweeps.execution.sweep import plan_sweep, run_sweep
    from camerabias.trainables.records.record import DONE_FILE

    some = [
        c for c in plan_sweep(studies(folder), request(folder)).trials.values() if c.model == "test_resnet"
    ][-3:]
    for config in some:
        (folder / "run" / "trials" / config.id / DONE_FILE).unlink()
    os.environ["CAMERABIAS_CACHE"] = str(folder / "cache")
    assert run_sweep(studies(folder), request(folder)).n_ran == len(some)


def status(folder: Path, _: int) -> None:
    from camerabias.sweeps.monitoring.watch import print_status
    from camerabias.trainables.records.run import Run

    print_status(Run(str(folder / "run")))


def report(folder: Path, _: int) -> None:
    from camerabias.analysis.report.report import make_report

    make_report(str(folder / "run"))


# --- images ---------------------------------------------------------------------------------------------

PART_IMAGES, GROUP_IMAGES = 64, 10
LABELS = ("Manufacturer 1", "Manufacturer 2")
CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")


def make_index(folder: Path, n: int) -> None:
    """A dataset without photos but for its first part: manifest and index, as an import would write them."""
    import hashlib

    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from camerabias.datasets.io.storage import Folder
    from camerabias.datasets.schema import CellSize, DatasetManifest, Part

    dataset = Folder(folder / "dataset")
    with dataset.replacing("index.parquet") as stream:
        writer = None
        for start in range(0, n, 1_000_000):
            rows = np.arange(start, min(start + 1_000_000, n))
            columns = {
                "image_id": [hashlib.sha256(b"%d" % row).hexdigest()[:20] for row in rows],
                "label": np.array(LABELS, dtype=object)[rows // GROUP_IMAGES % 2],
                "camera": np.array(CAMERAS, dtype=object)[rows % 5],
                "group": [f"bottle-{row // GROUP_IMAGES:07d}" for row in rows],
                "fold": rows // GROUP_IMAGES % 10,
                "split": pa.nulls(len(rows), pa.string()),
                "width": np.full(len(rows), 1024, np.int32),
                "height": np.full(len(rows), 768, np.int32),
                "format": ["JPEG"] * len(rows),
                "part": [f"part-{row // PART_IMAGES:05d}.parquet" for row in rows],
                "path": [f"photos/folder-{row // 1000}/photo-{row}.jpg" for row in rows],
            }
            table = pa.table(columns)
            writer = writer or pq.ParquetWriter(stream, table.schema, compression="zstd")
            writer.write_table(table, row_group_size=1000 * PART_IMAGES)
        assert writer is not None
        writer.close()
    starts = range(0, n, PART_IMAGES)
    parts = [(f"part-{k:05d}.parquet", min(PART_IMAGES, n - start)) for k, start in enumerate(starts)]
    cells = [(label, camera, fold) for label in LABELS for camera in CAMERAS for fold in range(10)]
    manifest = DatasetManifest(
        source={"kind": "table", "root": "photos", "photos": "made up"},
        labels=LABELS, cameras=CAMERAS, n_images=n, n_rejected=0, has_split=False, size=768, fit="resize",
        cells=tuple(CellSize(label=a, camera=b, fold=c, n=n // len(cells)) for a, b, c in cells),
        parts=tuple(
            Part(name=name, n=m, checksum=hashlib.sha256(name.encode()).hexdigest()) for name, m in parts
        ),
        fingerprint=hashlib.sha256(b"%d" % n).hexdigest(),
    )  # fmt: skip
    dataset.write_json("dataset.json", manifest.model_dump())


def open_index(folder: Path, _: int) -> None:
    from camerabias.datasets.dataset import open_dataset

    assert len(open_dataset(str(folder / "dataset")).index)


def plan_images(folder: Path, _: int) -> None:
    import yaml

    from camerabias.sweeps.execution.sweep import Request, plan_sweep

    study = {
        "title": "audit", "models": MODELS[:2], "seeds": [0, 1, 2, 3], "recipe": "demo", "rotate_folds": True,
        "grids": [
            {"target": "label", "settings": ["natural", "balanced", "partial", "disjoint"], "views": ["rgb", "gray"],
             "equal_training_size": True},
            {"target": "camera", "settings": ["natural"], "views": ["crop32"]},
        ],
    }  # fmt: skip
    (folder / "audit.yaml").write_text(yaml.safe_dump(study))
    plan = plan_sweep(
        [str(folder / "audit.yaml")],
        Request(str(folder / "dataset"), str(folder / "run"), weights="none"),
    )
    assert len(plan.trials) == 2 * 4 * (4 * 2 + 1)


def trial_images(folder: Path, _: int) -> None:
    """What a worker does before its first pixel."""
    import torch

    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.sampling.rules import resolve_setting
    from camerabias.trainables.spec.recipe import load_recipe
    from camerabias.trainables.spec.trial import TrialConfig
    from camerabias.trainables.training.data import TrialData

    dataset = open_dataset(str(folder / "dataset"))
    manifest = dataset.manifest
    config = TrialConfig.model_validate(
        {
            "dataset": manifest.fingerprint, "model": MODELS[0], "weights": "none", "target": "camera",
            "setting": resolve_setting("balanced", manifest), "train_view": "rgb", "test_view": "rgb", "test_fold": 0,
            "seed": 0, "size": 32, "fit": "resize", "recipe": load_recipe("demo"),
        }
    )  # fmt: skip
    data = TrialData(config, dataset, torch.device("cpu"))
    assert len(data.described(data.parts.test))


def choose_examples(folder: Path, _: int) -> None:
    from camerabias.datasets.dataset import open_dataset
    from camerabias.sweeps.runs.examples import _choose

    assert len(_choose(open_dataset(str(folder / "dataset")).index)) == len(LABELS) * len(CAMERAS)


def check_variant(folder: Path, _: int) -> None:
    """Is a variant built? With the opening of its dataset."""
    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.views.build import checksums, is_built, variant_folder
    from camerabias.datasets.views.registry import View
    from camerabias.datasets.views.variant import Variant

    dataset = open_dataset(str(folder / "dataset"))
    variant = Variant(view=View.model_validate("rgb"), size=64, fit="resize")
    variant_folder(dataset, variant).write_json("variant.json", {"parts": checksums(dataset)})
    assert is_built(dataset, variant)


def deal(folder: Path, _: int) -> None:
    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.ingest.folds import deal_folds

    index = open_dataset(str(folder / "dataset")).index
    cells = list(zip(index["label"], index["camera"], strict=True))
    deal_folds(index["image_id"].tolist(), cells, index["group"].tolist())


def name_dataset(folder: Path, _: int) -> None:
    from camerabias.datasets.dataset import open_dataset
    from camerabias.datasets.ingest.index import fingerprint

    fingerprint(open_dataset(str(folder / "dataset")).index)


# --- Ray Tune -------------------------------------------------------------------------------------------


def tune_trials(_: Path, n: int) -> None:
    """The driver of n trials that end at once, on a Ray of its own."""
    from benchmarks.waiting_trials import run_waiting_trials
    from camerabias.datasets.io.ray_connection import connect_ray

    connect_ray()
    run_waiting_trials(n, seconds=0.0)


STEPS: dict[str, dict[str, Step]] = {
    "trials": {
        "make": make_run,
        "plan": plan,
        "resume, all done": resume,
        "resume, 3 missing": resume_some,
        "status": status,
        "report": report,
    },
    "images": {
        "make": make_index,
        "open": open_index,
        "plan": plan_images,
        "rows of a trial": trial_images,
        "examples": choose_examples,
        "variant built?": check_variant,
        "deal folds": deal,
        "fingerprint": name_dataset,
    },
    "tune": {"driver": tune_trials},
}
