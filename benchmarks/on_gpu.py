"""What one GPU brings: training, embedding and crop maps against the bare models, and Table II in miniature.

    python -m benchmarks on_gpu FOLDER [--small] [PART ...]

PART is one or more of `PARTS`, by default all, at most ten minutes on one GPU. Without Ray. A part that has ended
leaves FOLDER/PART.done and is not done again; `table2` goes on where it was stopped. `--small` is for machines
without a GPU, to see that every part runs: its numbers say nothing. Both sides train on the same device in the same
precision, images are resident, rounds alternate.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import yaml

from benchmarks import crops
from benchmarks.bare_training import MODEL, Case, bare_loop
from benchmarks.common import take_turns
from benchmarks.embeddings import compare, make_embedding
from benchmarks.training import time_epoch, train_on
from camerabias import report
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import CoresExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.views.registry import View
from camerabias.sweeps.execution.executor import LocalTrialExecutor
from camerabias.sweeps.execution.sweep import Request, run_sweep
from camerabias.sweeps.printing.console_listener import ConsoleListener
from camerabias.trainables.embeddings.build import load_embedder
from camerabias.trainables.spec.recipe import Precision
from camerabias.trainables.training.images import Images

EMBEDDED = "tf_efficientnet_lite0"

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")

CASES = (
    Case("resnet34", 1024, 32),
    Case("resnet101", 1024, 16),
    Case("alexnet", 224, 256),
    Case("vgg16", 224, 64),
    Case("resnet34", 32, 256, view="crop32"),
)
"""What the paper trains, at its sizes; crops are cut from images of 256 × 256."""


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        rounds: Of each comparison.
        steps: Of a training in a round.
        shrunk: Sides and batches are divided by it.
        embedded: Photos.
        images: Photos of Table II, and their side.
        table_steps: Steps of its trials.
    """

    rounds: int = 3
    steps: int = 12
    shrunk: int = 1
    embedded: int = 2000
    images: tuple[int, int] = (3090, 1024)
    table_steps: int = 400


SMALL = Size(rounds=1, steps=1, shrunk=16, embedded=10, images=(100, 64), table_steps=2)


def train(_: Path, size: Size) -> None:
    """The training loop against the bare model, in both precisions."""
    for case in _cases(size):
        _time_training(case, size)


def _time_training(case: Case, size: Size) -> None:
    stored = case.side if case.view == "rgb" else 256
    n_images = min(4 * case.batch, 128)
    pixels = np.random.default_rng(0).integers(0, 256, (n_images, stored, stored, 3), dtype=np.uint8)
    images = Images(pixels, View.model_validate(case.view), torch.device(case.device))
    training = train_on(images, n_images, size.steps, case)
    training.run_epoch()  # both are warm before they count
    bare_loop(size.steps, case)
    rounds = take_turns(size.rounds, lambda: time_epoch(training), lambda: bare_loop(size.steps, case))
    n, what = size.steps * case.batch, f"{case.model} at {case.side} in {case.precision}"
    sentence = (
        f"{what}, {n} images: training loop {{ours}} s, bare model {{against}} s; ratio of speeds {{ratio}}."
    )
    beside = {"model": case.model, "side": case.side, "precision": case.precision, "device": case.device}
    rounds.tell("on_gpu train", sentence, images=n, **beside)


def _cases(size: Size) -> Iterator[Case]:
    for case in CASES:
        side = case.side if case.view != "rgb" else max(64, case.side // size.shrunk)
        batch = max(2, case.batch // size.shrunk)
        for precision in PRECISIONS:
            yield replace(case, side=side, batch=batch, precision=precision, device=_device())


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def embed(_: Path, size: Size) -> None:
    """Embedding against the bare backbone, in both precisions; its weights do not matter, and are none."""
    for precision in PRECISIONS:
        backbone = EMBEDDED if size != SMALL else MODEL
        embedder = load_embedder(make_embedding(backbone, "none", precision), "none")
        compare(embedder, size.rounds, size.embedded, f"on_gpu embed {precision}")


def map_crops(_: Path, size: Size) -> None:
    """The crop map, as `python -m benchmarks crops` has it."""
    crops.main([str(size.rounds)])


def table2(folder: Path, size: Size) -> None:
    """Table II with ResNet34 from scratch: one seed, three settings, capped steps; then its report."""
    os.environ["CAMERABIAS_CACHE"] = str(folder / "cache")
    n, side = size.images
    simulate_dataset(preset_spec("paper", images=n, size=side), Folder(folder / "dataset"), CoresExecutor())
    recipe = {"base": "paper", "max_steps": size.table_steps, "patience_steps": None, "precision": "bfloat16"}
    study = {
        "title": "Which manufacturer, trained with and without label/camera correlation, in capped steps",
        "models": ["resnet34" if size != SMALL else MODEL],
        "seeds": [0],
        "weights": "none",
        "recipe": {**recipe, "evaluate_every": max(1, size.table_steps // 4)},
        "grids": [{"target": "label", "settings": ["balanced", "partial", "disjoint"]}],
    }
    (folder / "table2_capped.yaml").write_text(yaml.safe_dump(study))
    run = str(folder / "run")
    request = Request(str(folder / "dataset"), run, executor=LocalTrialExecutor())
    run_sweep([str(folder / "table2_capped.yaml")], request, ConsoleListener())
    print(f"Its tables: {report(run).index}", flush=True)


PARTS: dict[str, Callable[[Path, Size], None]] = {
    "train": train,
    "embed": embed,
    "crops": map_crops,
    "table2": table2,
}
"""In this order, the longest last."""


def main(arguments: list[str]) -> None:
    folder, *words = arguments
    size = SMALL if "--small" in words else Size()
    into = Path(folder).resolve()
    into.mkdir(parents=True, exist_ok=True)
    for name in [word for word in words if word != "--small"] or PARTS:
        done = into / f"{name}.done"
        if done.exists():
            print(f"{name} is done already ({done}).", file=sys.stderr)
            continue
        PARTS[name](into, size)
        done.touch()
