"""A made-up run with known accuracies, written through `Record` and `Run` as the sweep would."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.datasets.settings import Setting
from camerabias.datasets.views import View
from camerabias.trainables.config import TrialConfig, load_recipe
from camerabias.trainables.record import Done, Failure, Run

LABELS = ("Manufacturer 1", "Manufacturer 2")
CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")
CELLS: dict[str, tuple[tuple[str, str], ...] | None] = {
    "balanced": None,
    "partial": tuple((label, camera) for camera in CAMERAS[:2] for label in LABELS),
    "disjoint": tuple((LABELS[0], c) for c in CAMERAS[:2]) + tuple((LABELS[1], c) for c in CAMERAS[2:4]),
}

Predict = Callable[[pd.DataFrame, np.random.Generator], Sequence[str]]
"""The test images of a trial → its predictions."""


def photos(bottles_per_label: int) -> pd.DataFrame:
    """Test images: every bottle once per camera."""
    rows = [
        (f"{label[-1]}-{bottle:03d}-{camera}", label, camera, f"{label[-1]}-{bottle:03d}")
        for label in LABELS
        for bottle in range(bottles_per_label)
        for camera in CAMERAS
    ]
    return pd.DataFrame(rows, columns=["image_id", "label", "camera", "group"]).assign(draw=0)


def right(target: str, accuracy: float) -> Predict:
    """Predictions of which a share is right, at random places."""

    def predict(images: pd.DataFrame, generator: np.random.Generator) -> list[str]:
        classes = LABELS if target == "label" else CAMERAS
        correct = generator.permutation(len(images)) < round(accuracy * len(images))
        others = [generator.choice([c for c in classes if c != truth]) for truth in images[target]]
        return list(np.where(correct, images[target], others))

    return predict


def by_camera(images: pd.DataFrame, generator: np.random.Generator) -> list[str]:
    """A model that cheats: the label that the camera had under `disjoint`, a guess for the unseen one."""
    tied = {camera: label for label, camera in CELLS["disjoint"] or ()}
    return [tied.get(camera) or str(generator.choice(LABELS)) for camera in images["camera"]]


@dataclass
class Cell:
    """A cell to make up; `broken` gives the status of seeds that did not finish."""

    target: str
    setting: str
    predict: Predict
    model: str = "test_resnet"
    view: str = "rgb"
    test_view: str | None = None
    broken: dict[int, str] = field(default_factory=dict)
    learned_at: int = 60
    size: int = 128


def config_of(cell: Cell, seed: int) -> TrialConfig:
    setting = Setting(name=cell.setting, cells=CELLS[cell.setting], equal_counts=cell.setting == "balanced")
    return TrialConfig(
        dataset="f" * 64,
        model=cell.model,
        weights="none",
        target=cell.target,
        setting=setting,
        train_view=View.model_validate(cell.view),
        test_view=View.model_validate(cell.test_view or cell.view),
        test_fold=0,
        seed=seed,
        size=cell.size,
        fit="resize",
        recipe=load_recipe("demo"),
    )


def history(learned_at: int, chance: float, generator: np.random.Generator) -> pd.DataFrame:
    """300 steps; validation accuracy is half of the way from chance to 1 close to step `learned_at`."""
    steps = np.arange(1, 301)
    curve = (
        chance + (0.98 - chance) / (1 + np.exp(-(steps - learned_at) / 12)) + generator.normal(0, 0.01, 300)
    )
    validated = np.where(steps % 10 == 0, np.clip(curve, 0, 1), np.nan)
    return pd.DataFrame(
        {
            "step": steps,
            "epoch": steps // 25,
            "learning_rate": 1e-3,
            "train_loss": 0.5,
            "train_accuracy": 0.5,
            "validation_loss": np.where(steps % 10 == 0, 0.5, np.nan),
            "validation_accuracy": validated,
        }
    )


def fabricate_run(
    location: Path,
    studies: dict[str, list[Cell]],
    *,
    seeds: Sequence[int] = (0, 1, 2, 3),
    bottles_per_label: int = 10,
    paper: str | None = None,
    skipped: Sequence[dict[str, str]] = (),
    examples: bool = False,
) -> Run:
    """Write a run."""
    run = Run(str(location))
    run.write_info(
        {
            "dataset": "f" * 64,
            "dataset_location": "data/demo",
            "labels": list(LABELS),
            "cameras": list(CAMERAS),
            "versions": {"camerabias": "0.1.0", "torch": "2.11.0"},
            "machine": {"cpus": 2},
            "has_split": False,
        }
    )
    images = photos(bottles_per_label)
    for name, cells in studies.items():
        asked = [_write_cell(run, cell, seeds, images) for cell in cells]
        run.write_study(
            name,
            {
                "name": name,
                "title": f"Study {name}",
                "paper": paper,
                "note": None,
                "models": list(dict.fromkeys(cell.model for cell in cells)),
                "seeds": list(seeds),
                "cells": asked,
                "skipped": list(skipped),
            },
        )
    if examples:
        _write_examples(run)
    return run


def _write_cell(run: Run, cell: Cell, seeds: Sequence[int], images: pd.DataFrame) -> dict[str, Any]:
    configs = {seed: config_of(cell, seed) for seed in seeds}
    for seed, config in configs.items():
        _write_trial(run, cell, config, images, cell.broken.get(seed, "done"))
    allowed = CELLS[cell.setting]
    return {
        "target": cell.target,
        "setting": cell.setting,
        "train_view": str(config.train_view),
        "test_view": str(config.test_view),
        "model": cell.model,
        "size": cell.size,
        "seen_cameras": list(CAMERAS)
        if allowed is None
        else sorted({c for _, c in allowed}, key=CAMERAS.index),
        "trials": {str(seed): config.id for seed, config in configs.items()},
    }


def _write_trial(run: Run, cell: Cell, config: TrialConfig, images: pd.DataFrame, status: str) -> None:
    if status == "missing":
        return
    record = run.record(config.id)
    record.start(config)
    if status == "failed":
        record.fail(
            Failure(reason="CUDA out of memory", traceback="...", failed_at="2026-01-01", host="node")
        )
    if status != "done":
        return
    generator = np.random.default_rng([config.seed, int(config.id, 16)])
    classes = LABELS if cell.target == "label" else CAMERAS
    predictions = images.assign(
        prediction=cell.predict(images, generator),
        probabilities=[[1 / len(classes)] * len(classes)] * len(images),
    )
    accuracy = float((predictions["prediction"] == predictions[cell.target]).mean())
    steps = history(cell.learned_at + 5 * config.seed, 1 / len(classes), generator)
    record.finish(
        steps,
        predictions,
        Done(
            stopped="max_steps",
            steps=300,
            tested_step=290,
            validation_accuracy=accuracy,
            test_accuracy=accuracy,
            train_images=800,
            validation_images=100,
            test_images=len(images),
            seconds=30.0,
            images_per_second=320.0,
            finished_at="2026-01-01T00:00:00+00:00",
            host="node",
            device="cpu",
            threads=1,
            versions={"torch": "2.11.0"},
        ),
    )


def _write_examples(run: Run) -> None:
    generator = np.random.default_rng(0)
    folder = run.folder.child("examples")
    entries = []
    for label in LABELS:
        picture = generator.integers(60, 200, (16, 16, 1)).repeat(3, axis=2)
        for position, camera in enumerate(CAMERAS):
            tint = np.array([30 - 12 * position, 0, 12 * position - 30])
            pixels = np.clip(np.kron(picture, np.ones((8, 8, 1))) + tint, 0, 255).astype(np.uint8)
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "PNG")
            file = f"{label[-1]}-{camera}.png"
            folder.write_bytes(file, stream.getvalue())
            entries.append(
                {
                    "image_id": file,
                    "label": label,
                    "camera": camera,
                    "group": f"{label[-1]}-000",
                    "file": file,
                }
            )
    folder.write_json("examples.json", entries)


def demo_studies(model: str = "test_resnet") -> list[Cell]:
    """The paper's outcome, on one model."""
    return [
        Cell("camera", "balanced", right("camera", 0.99), model, learned_at=50),
        Cell("label", "balanced", right("label", 0.96), model, learned_at=120),
        Cell("label", "partial", right("label", 0.93), model, broken={3: "failed"}),
        Cell("label", "disjoint", by_camera, model, broken={2: "missing", 3: "started"}),
    ]


@pytest.fixture(scope="session")
def demo_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's run, with a failed, a missing and a started trial; not to be changed."""
    skip = {"target": "label", "setting": "natural", "reason": "as balanced here"}
    location = tmp_path_factory.mktemp("demo") / "run"
    fabricate_run(location, {"demo": demo_studies()}, skipped=[skip], examples=True)
    return location


@pytest.fixture
def demo_run(demo_original: Path, tmp_path: Path) -> Run:
    """A copy of it."""
    return Run(str(shutil.copytree(demo_original, tmp_path / "run")))


@pytest.fixture
def make() -> SimpleNamespace:
    """What tests make runs up with: pytest's importlib mode keeps them from importing this file."""
    return SimpleNamespace(run=fabricate_run, cell=Cell, right=right, by_camera=by_camera, demo=demo_studies)
