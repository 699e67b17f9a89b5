"""Does `judge` agree with the truth? A plain PyTorch classifier on three layouts of simulated photos.

Its predictions are exported as a table and judged; then every test object is taken again by every camera, and the
same classifier says whether its predictions follow the camera: `python -m benchmarks judged_truth [PHOTOS]`.
"""

from __future__ import annotations

import tempfile

import numpy as np
import pandas as pd
import torch
from torch import nn

import camerabias
from camerabias.analysis.effects.shortcut_effect import counterfactual
from camerabias.datasets.dataset import Dataset
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import parse_cues, preset_spec
from camerabias.trainables.probes.counterfactual import with_every_camera

PHOTOS = 800
LAYOUTS = {
    "associated, cameras of other colours": ("none,white_balance=2,colour_matrix=2", 0.8),
    "associated, cameras alike": ("none", 0.8),
    "not associated, cameras of other colours": ("none,white_balance=2,colour_matrix=2", 0.0),
}
EPOCHS, BATCH = 12, 32


def main(arguments: list[str]) -> None:
    """Print a row per layout."""
    n_photos = int(arguments[0]) if arguments else PHOTOS
    rows = []
    for name, (cues, correlation) in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as scratch:
            spec = preset_spec("demo", n_photos, 64, parse_cues(cues), seed=7, correlation=correlation)
            dataset = simulate_dataset(spec, Folder(scratch).child("dataset"), LocalExecutor())
            rows.append({"layout": name, **compare(dataset)})
            print(pd.DataFrame(rows).to_string(index=False), flush=True)


def compare(dataset: Dataset) -> dict[str, object]:
    """What `judge` says of a classifier, and what becomes of its predictions when the camera changes."""
    photos = dict(pair for part in dataset.manifest.parts for pair in dataset.read_images(part.name))
    images = dataset.index[["image_id", "label", "camera", "group", "fold"]]
    tested, trained = images[images["fold"] < 5], images[images["fold"] >= 5]
    classes = sorted(images["label"].unique())
    network = train(
        _inputs([photos[name] for name in trained["image_id"]]), _codes(trained["label"], classes)
    )
    table = tested.assign(prediction=_predict(network, [photos[n] for n in tested["image_id"]], classes))
    judged = camerabias.judge(table, training=trained)
    shot, again = with_every_camera(dataset, tested)
    shot["image_id"] = shot["group"] + "/" + shot["camera"]
    shot["prediction"] = _classify(network, _stack(again), classes)
    associated = _associated(trained)
    truth = counterfactual([shot], associated) if associated else None
    return {
        "accuracy": round(float((table["prediction"] == table["label"]).mean()), 3),
        "judge": judged.verdict,
        "risk difference": judged.numbers.get("shortcut_effect.risk_difference"),
        "p": judged.numbers.get("shortcut_effect.p"),
        "counterfactual, directed": truth.directed.mean if truth else None,
        "its p": truth.p if truth else None,
    }


def train(inputs: torch.Tensor, codes: torch.Tensor) -> nn.Module:
    """A small network, as anybody would write it."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 64, 3, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, int(codes.max()) + 1),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(inputs)).split(BATCH):
            loss = nn.functional.cross_entropy(network(inputs[chosen]), codes[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return network.eval()


def _associated(trained: pd.DataFrame) -> dict[str, str]:
    from camerabias.analysis.statistics.association import associate, associated_labels
    from camerabias.analysis.statistics.permutation import LEVEL

    table = pd.crosstab(trained["label"], trained["camera"])
    return associated_labels(table) if associate(trained).p <= LEVEL else {}


def _codes(labels: pd.Series[str], classes: list[str]) -> torch.Tensor:
    return torch.from_numpy(pd.Categorical(labels, categories=classes).codes.astype(np.int64))


def _inputs(contents: list[bytes]) -> torch.Tensor:
    return _stack([decode(content) for content in contents])


def _stack(pixels: list[np.ndarray]) -> torch.Tensor:  # type: ignore[type-arg]
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _predict(network: nn.Module, contents: list[bytes], classes: list[str]) -> list[str]:
    return _classify(network, _inputs(contents), classes)


@torch.inference_mode()
def _classify(network: nn.Module, inputs: torch.Tensor, classes: list[str]) -> list[str]:
    codes = torch.cat([network(some).argmax(dim=1) for some in inputs.split(256)])
    return [classes[code] for code in codes]
