"""Fitting the networks by which cues are named to datasets of drawn cameras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from camerabias.analysis.cues.naming import NamingModel, describe_cameras, neighbour_distances, profile
from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.datasets.cues.names import CUES
from camerabias.datasets.pixels.registry import STATISTICS
from camerabias.sweeps.calibration.cue_datasets import MOST_CAMERAS, CueDataset

NETWORKS = 5
"""Each is fitted without a fifth of the bases, which calibrate it."""

SEEN, INNER, JOINT = 96, 64, 64
"""Widths of the layers."""

STEPS, BATCH, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 2000, 256, 2e-3, 1e-2, 0.1

HIDDEN = 0.1
"""Share of statistics that a network does not see of a dataset, so that it relies on none alone."""

QUANTILE = 0.99
"""Of the distances of drawn cameras, beyond which others are strange."""

KEPT = 2000
"""Datasets of drawn cameras that the model keeps."""


class CueNetwork(nn.Module):
    """Log odds of every cue and of any, from a set of described cameras."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.camera, self.inner = nn.Linear(width, SEEN), nn.Linear(SEEN, INNER)
        self.set, self.out = nn.Linear(2 * INNER, JOINT), nn.Linear(JOINT, len(CUES) + 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, cameras: Tensor, present: Tensor) -> Tensor:
        """From cameras, (n, c, width), and which of them there are, (n, c, 1), to (n, cues + 1)."""
        inner = torch.relu(self.inner(self.dropout(torch.relu(self.camera(cameras)))))
        mean = (inner * present).sum(dim=1) / present.sum(dim=1)
        pooled = torch.cat([mean, (inner * present).amax(dim=1)], dim=1)  # ReLU: nothing is below 0
        out: Tensor = self.out(self.dropout(torch.relu(self.set(pooled))))
        return out


def describe_datasets(datasets: Sequence[CueDataset]) -> tuple[Floats, Floats]:
    """Described cameras, (n, c, width), NaN where there are fewer; whether each cue is planted, (n, cues + 1)."""
    width = 3 * len(STATISTICS) + 1
    described = np.full((len(datasets), MOST_CAMERAS + 3, width), np.nan)
    for n, one in enumerate(datasets):
        cameras = describe_cameras(one.values, one.label, one.camera)
        described[n, : len(cameras)] = cameras
    planted = [[*(cue in one.planted for cue in CUES), bool(one.planted)] for one in datasets]
    return described, np.array(planted, dtype=float)


def fit_naming(described: Floats, planted: Floats, bases: npt.NDArray[np.int64]) -> NamingModel:
    """Fit the model.

    Args:
        described: (n, c, width), as `describe_datasets` returns them.
        planted: (n, cues + 1).
        bases: The base of each dataset, (n,).
    """
    present = ~np.isnan(described[:, :, :1])
    cameras = torch.tensor(np.nan_to_num(described), dtype=torch.float32)
    there, truth = torch.tensor(present, dtype=torch.float32), torch.tensor(planted, dtype=torch.float32)
    fold = np.unique(bases, return_inverse=True)[1] * 7919 % NETWORKS
    unseen, networks = np.empty_like(planted), []
    for k in range(NETWORKS):
        tested = torch.tensor(fold == k)
        network = _train(cameras[~tested], there[~tested], truth[~tested], k)
        with torch.no_grad():
            unseen[fold == k] = torch.sigmoid(network(cameras[tested], there[tested])).numpy()
        networks.append(network)
    slopes, intercepts = _calibrate(logit(np.clip(unseen, 1e-6, 1 - 1e-6)), planted)
    profiles = np.stack([profile(one[known[:, 0]]) for one, known in zip(described, present, strict=True)])
    kept = profiles[np.random.default_rng(0).permutation(len(profiles))[:KEPT]]
    farthest = float(np.quantile(neighbour_distances(kept, kept, own=True), QUANTILE))
    return NamingModel(
        statistics=tuple(STATISTICS),
        cues=tuple(CUES),
        **_layers(networks),
        slopes=slopes,
        intercepts=intercepts,
        known=kept,
        farthest=farthest,
    )


def write_model(model: NamingModel, path: Path) -> None:
    """Write a model as `load_model` reads it, in half precision."""
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in vars(model).items()}
    halved = {name: one.astype(np.float16) for name, one in arrays.items() if one.dtype == float and one.ndim}
    np.savez_compressed(path, **(arrays | halved))


def _train(cameras: Tensor, there: Tensor, truth: Tensor, seed: int) -> CueNetwork:
    torch.manual_seed(seed)
    network = CueNetwork(cameras.shape[2])
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=STEPS)
    m = (cameras.shape[2] - 1) // 3
    for _ in range(STEPS):
        rows = torch.randint(len(cameras), (BATCH,))
        seen = (torch.rand(BATCH, 1, m) >= HIDDEN).float()
        batch = cameras[rows] * torch.cat([seen, seen, seen, torch.ones(BATCH, 1, 1)], dim=2)
        loss = nn.functional.binary_cross_entropy_with_logits(network(batch, there[rows]), truth[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return network.eval()


def _layers(networks: Sequence[CueNetwork]) -> dict[str, Any]:
    """Weights and biases of the networks' layers, stacked, as `NamingModel` names them."""
    found = {}
    for layer in ("camera", "inner", "set", "out"):
        linear = [getattr(network, layer) for network in networks]
        found[f"{layer}_weights"] = np.stack([one.weight.detach().numpy().T for one in linear]).astype(float)
        found[f"{layer}_biases"] = np.stack([one.bias.detach().numpy() for one in linear]).astype(float)
    return found


def _calibrate(logits: Floats, planted: Floats) -> tuple[Floats, Floats]:
    """Slope and intercept of every output (Platt 1999), (cues + 1,) each."""
    fitted = [
        LogisticRegression(C=np.inf).fit(logits[:, [cue]], planted[:, cue]) for cue in range(planted.shape[1])
    ]
    return np.array([one.coef_[0, 0] for one in fitted]), np.array([one.intercept_[0] for one in fitted])
