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

from camerabias.analysis.report.report import Report, make_report
from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.views.registry import View
from camerabias.sweeps.planning.grid_recipe import GridRecipe, vary_grid_recipe
from camerabias.trainables.records.record import Done, Failure
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import PlannedStudy, StudyCell
from camerabias.trainables.spec.recipe import load_recipe, mitigate, vary
from camerabias.trainables.spec.trial import TrialConfig

LABELS = ("Manufacturer 1", "Manufacturer 2")
CAMERAS = ("iPhone", "Samsung", "Huawei", "Redmi", "Vivo")
CELLS: dict[str, tuple[tuple[str, str], ...] | None] = {
    "natural": None,
    "balanced": None,
    "partial": tuple((label, camera) for camera in CAMERAS[:2] for label in LABELS),
    "disjoint": tuple((LABELS[0], c) for c in CAMERAS[:2]) + tuple((LABELS[1], c) for c in CAMERAS[2:4]),
}

Predict = Callable[[pd.DataFrame, np.random.Generator], Sequence[str]]
"""The test images of a trial → its predictions."""

Probe = Callable[[pd.DataFrame, np.random.Generator], dict[str, Any]]
"""The test images of a trial → the arrays of a probe."""


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


def perturbed(where: str) -> Probe:
    """Perturbations of four photos per camera: noise `on code`, or one pattern `on flat` places and along the top."""

    def arrays(images: pd.DataFrame, generator: np.random.Generator) -> dict[str, Any]:
        second = images[images["label"] == LABELS[1]]
        bottle = second["group"].str[2:].astype(int)
        shown = second[bottle % 5 == second["camera"].map(CAMERAS.index)].groupby("camera").head(4)
        n, side = len(shown), 40
        regions = np.zeros((n, side, side), np.uint8)
        regions[:, 15:25, 8:32] = 1
        regions[:, :, 36:38] = 2
        perturbation = generator.normal(0, 2, (n, side, side, 3)) * (regions == 1)[..., None]
        if where == "on flat":
            stripes = 2.0 * np.sin(np.arange(side))[:, None, None] * np.array([1, -1, 1])
            stripes[:4] *= 3
            perturbation = stripes * (regions == 0)[..., None] + generator.normal(0, 0.3, (n, side, side, 3))
        steps = np.full(n, 5)
        steps[0] = 0
        perturbation[0] = 0
        return {
            **_named(shown, LABELS),
            "pixels": _photo_pixels(regions),
            "regions": regions,
            "perturbation": perturbation.astype(np.float32),
            "before": np.where(steps > 0, *LABELS[::-1]),
            "flipped": np.ones(n, bool),
            "steps": steps,
            "source": np.array(LABELS[1]),
            "aim": np.array(LABELS[0]),
        }

    return arrays


def attributed(images: pd.DataFrame, generator: np.random.Generator) -> dict[str, Any]:
    """Attributions of the photos that `perturbed` takes, all of it on the code."""
    found = perturbed("on code")(images, generator)
    return {
        **{
            name: found[name]
            for name in ("image_id", "label", "camera", "group", "classes", "pixels", "regions")
        },
        "attribution": (found["regions"] == 1).astype(np.float32),
        "prediction": found["before"],
    }


def cropped(accuracy: float, *, corner: float | None = None, single: bool = False) -> Probe:
    """Crops right with some probability, with another in a corner; of four photos per camera where `single`."""

    def arrays(images: pd.DataFrame, generator: np.random.Generator) -> dict[str, Any]:
        bottle = images["group"].str[2:].astype(int)
        own = images[bottle % 5 == images["camera"].map(CAMERAS.index)]  # no bottle twice
        shown = own.groupby("camera").head(4) if single else images
        n, grid = len(shown), 9 if single else 5
        truth = np.array([CAMERAS.index(camera) for camera in shown["camera"]], np.uint8)
        shares = np.full((grid, grid), accuracy)
        if corner is not None:
            shares[:2, :2] = corner
        right = generator.random((n, grid, grid)) < shares
        positions = np.arange(grid) * 96 // (grid - 1)
        found = {
            **_named(shown, CAMERAS),
            "predicted": np.where(right, truth[:, None, None], (truth[:, None, None] + 1) % 5).astype(
                np.uint8
            ),
            "truth": truth,
            "top": positions,
            "left": positions,
            "side": np.array(32),
            "height": np.array(128),
            "width": np.array(128),
            "texture": generator.uniform(1, 9, (n, grid, grid)).astype(np.float16),
        }
        if single:
            found["pixels"] = _photo_pixels(np.zeros((n, 128, 128)))
            found["probability"] = np.where(right, 0.9, 0.1).astype(np.float32)
        return found

    return arrays


def on_training(accuracy: float) -> Probe:
    """Predictions of the camera of training images."""

    def arrays(images: pd.DataFrame, generator: np.random.Generator) -> dict[str, Any]:
        training = images.assign(image_id="t" + images["image_id"], group="t" + images["group"])
        prediction = np.array(right("camera", accuracy)(training, generator))
        return {**_named(training, CAMERAS), "prediction": prediction}

    return arrays


def _named(images: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    columns = ("image_id", "label", "camera", "group")
    return {name: images[name].to_numpy(np.str_) for name in columns} | {"classes": np.array(classes)}


def _photo_pixels(regions: Any) -> Any:
    """Gray photos whose rows darken downwards, and whose code is black."""
    shade = np.linspace(200, 120, regions.shape[1])[:, None]
    return np.where(regions == 1, 40, shade)[..., None].repeat(3, axis=-1).astype(np.uint8)


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
    probes: dict[str, Probe] = field(default_factory=dict)
    test_draws: int = 1
    downsampled: bool = False
    mitigation: str = "none"
    weights: tuple[float, ...] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    pretrained: str = "none"
    """Id of the weights that training starts from."""
    rotation: int | None = None


def config_of(cell: Cell, seed: int) -> TrialConfig:
    setting = Setting(
        name=cell.setting,
        cells=CELLS[cell.setting],
        equal_counts=cell.setting == "balanced",
        weights=cell.weights,
    )
    return TrialConfig(
        dataset="f" * 64,
        model=cell.model,
        weights=cell.pretrained,
        target=cell.target,
        setting=setting,
        train_view=View.model_validate(cell.view),
        test_view=View.model_validate(cell.test_view or cell.view),
        test_fold=0,
        seed=seed,
        size=cell.size,
        fit="resize",
        rotation=cell.rotation,
        recipe=mitigate(vary(load_recipe("demo"), cell.recipe), cell.mitigation),
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
            PlannedStudy(
                name=name,
                title=f"Study {name}",
                paper=paper,
                note=None,
                models=list(dict.fromkeys(cell.model for cell in cells)),
                seeds=seeds,
                cells=asked,
                skipped=skipped,
            )
        )
    if examples:
        _write_examples(run)
        _write_view_pictures(run)
    return run


def _write_cell(run: Run, cell: Cell, seeds: Sequence[int], images: pd.DataFrame) -> StudyCell:
    configs = {seed: config_of(cell, seed) for seed in seeds}
    for seed, config in configs.items():
        _write_trial(run, cell, config, images, cell.broken.get(seed, "done"))
    allowed = CELLS[cell.setting]
    return StudyCell(
        target=cell.target,
        setting=cell.setting,
        train_view=str(config.train_view),
        test_view=str(config.test_view),
        model=cell.model,
        size=cell.size,
        seen_cameras=CAMERAS
        if allowed is None
        else sorted({camera for _, camera in allowed}, key=CAMERAS.index),
        trials={seed: config.id for seed, config in configs.items()},
        probes=list(cell.probes),
        test_draws=cell.test_draws,
        downsampled=cell.downsampled,
        mitigation=cell.mitigation,
        recipe=_name_training(cell),
    )


def _name_training(cell: Cell) -> str:
    own = GridRecipe(load_recipe("demo"), "none")
    return vary_grid_recipe(own, cell.recipe | {"weights": cell.pretrained}).name


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
    n_classes = len(LABELS if cell.target == "label" else CAMERAS)
    predictions = pd.concat(
        [_predict(cell, images.assign(draw=d), generator) for d in range(cell.test_draws)]
    )
    accuracy = float((predictions["prediction"] == predictions[cell.target]).mean())
    steps = history(cell.learned_at + 5 * config.seed, 1 / n_classes, generator)
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
    for name, probe in cell.probes.items():
        record.write_probe(name, probe(images, generator))


def _predict(cell: Cell, images: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    classes = LABELS if cell.target == "label" else CAMERAS
    named = list(cell.predict(images, generator))
    return images.assign(
        prediction=named,
        probabilities=[[0.6 if c == name else 0.4 / (len(classes) - 1) for c in classes] for name in named],
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


def _write_view_pictures(run: Run) -> None:
    generator = np.random.default_rng(1)
    picture = np.kron(generator.integers(60, 200, (16, 16, 1)), np.ones((8, 8, 1))).repeat(3, axis=2)
    shown = {("rgb", 0): picture, ("binary", 0): np.where(picture > 128, 255, 0)}
    shown |= {("jitter", draw): picture * generator.uniform(0.6, 1.2, 3) for draw in range(6)}
    folder = run.folder.child("examples")
    entries = []
    for (view, draw), pixels in shown.items():
        stream = io.BytesIO()
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "PNG")
        file = f"{view}-{draw}.png"
        folder.write_bytes(file, stream.getvalue())
        entries.append({"image_id": "a", "view": view, "draw": draw, "file": file})
    folder.write_json("views.json", entries)


def paper_cells(model: str = "test_resnet") -> list[Cell]:
    """Every table of the paper with its outcome, on one model, with the probes of its figures."""
    chance = {"label": right("label", 0.5), "camera": right("camera", 0.2)}
    crops = {"crop_map": cropped(0.8), "crop_images-divisions9": cropped(0.8, single=True)}
    rest = [
        Cell("camera", "balanced", chance["camera"], model, view="binary"),
        Cell("label", "balanced", chance["label"], model, view="binary"),
        Cell("label", "disjoint", chance["label"], model, view="binary"),
        Cell("camera", "balanced", right("camera", 0.97), model, view="jitter", test_view="rgb"),
        Cell("label", "balanced", right("label", 0.95), model, view="jitter", test_view="rgb"),
        Cell("camera", "balanced", right("camera", 0.97), model, view="gray"),
        Cell("camera", "balanced", right("camera", 0.8), model, view="crop32", probes=crops, test_draws=10, size=32),
        Cell(
            "camera", "balanced", right("camera", 0.95), model, view="left", test_view="right",
            probes={"training_images": on_training(0.98)},
        ),
    ]  # fmt: skip
    attacks = {"balanced": "on code", "disjoint": "on flat"}
    plain = [
        Cell("camera", "balanced", right("camera", 0.99), model, learned_at=50),
        Cell("label", "partial", right("label", 0.95), model),
        *(
            Cell(
                "label", setting, predict, model, learned_at=150,
                probes={"perturbations": perturbed(attacks[setting]), "attributions": attributed},
            )
            for setting, predict in (("balanced", right("label", 0.96)), ("disjoint", by_camera))
        ),
    ]  # fmt: skip
    return plain + rest


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


@pytest.fixture(scope="session")
def paper_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of every table of the paper on one model, with probes; not to be changed."""
    location = tmp_path_factory.mktemp("paper") / "run"
    return fabricate_run(
        location, {"paper": paper_cells()}, bottles_per_label=20, paper="Tables I to VI", examples=True
    )


@pytest.fixture
def demo_run(demo_original: Path, tmp_path: Path) -> Run:
    """A copy of it."""
    return Run(str(shutil.copytree(demo_original, tmp_path / "run")))


@pytest.fixture(scope="session")
def demo_report(demo_original: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Its report, written beside a copy; not to be changed."""
    return make_report(str(shutil.copytree(demo_original, tmp_path_factory.mktemp("report") / "run")))


@pytest.fixture
def make() -> SimpleNamespace:
    """What tests make runs up with: pytest's importlib mode keeps them from importing this file."""
    return SimpleNamespace(
        run=fabricate_run,
        cell=Cell,
        right=right,
        by_camera=by_camera,
        demo=demo_studies,
        perturbed=perturbed,
        cropped=cropped,
    )
