"""How long `camerabias judge` takes from the command's start, and its peak memory, by number of predictions.

`python -m benchmarks judge [N ...]` makes up tables as Kaggle's are (file name, true and predicted label, camera, and
a probability per label) of ten labels and eight cameras, where the camera decides one prediction in fifty, and runs
the command on each.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import run_command

N_LABELS, N_CAMERAS = 10, 8


def make_table(n: int, path: Path) -> None:
    """Write predictions of n photos, each a group of its own."""
    generator = np.random.default_rng(0)
    label = generator.integers(N_LABELS, size=n)
    by_label = generator.random(n) < 0.4
    camera = np.where(by_label, label % N_CAMERAS, generator.integers(N_CAMERAS, size=n))
    predicted = np.where(generator.random(n) < 0.9, label, generator.integers(N_LABELS, size=n))
    predicted = np.where(generator.random(n) < 0.02, camera, predicted)
    logits = generator.normal(size=(n, N_LABELS))
    logits[np.arange(n), predicted] += 4
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rows = {
        "filename": [f"img_{number:07d}.jpg" for number in range(n)],
        "y_true": [f"label {number}" for number in label],
        "y_pred": [f"label {number}" for number in predicted],
        "device": [f"camera {number}" for number in camera],
    }
    scores = {f"prob_label {number}": probabilities[:, number].round(5) for number in range(N_LABELS)}
    pd.DataFrame(rows | scores).to_csv(path, index=False)


def main(arguments: list[str]) -> None:
    """Print a line of JSON and a sentence per size."""
    sizes = [int(argument) for argument in arguments] or [10_000, 1_000_000]
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            path = Path(folder) / f"{n}.csv"
            make_table(n, path)
            run_command("camerabias", "judge", path).tell(f"judge {n}", f"{n:,} predictions")
