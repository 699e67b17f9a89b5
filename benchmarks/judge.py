"""How long `camerabias judge` takes from the command's start, and its peak memory, by number of predictions.

`python benchmarks/judge.py [N ...]` makes up tables as Kaggle's are (file name, true and predicted label, camera, and
a probability per label) of ten labels and eight cameras, where the camera decides one prediction in fifty, and runs
the command on each.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

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


def main(sizes: list[int]) -> None:
    """Print a line per size."""
    command = str(Path(sys.executable).with_name("camerabias"))
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            path = Path(folder) / f"{n}.csv"
            make_table(n, path)
            began = time.perf_counter()
            child = os.posix_spawn(
                command,
                [command, "judge", str(path)],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
            )
            _, status, used = os.wait4(child, 0)
            seconds = time.perf_counter() - began
            assert os.waitstatus_to_exitcode(status) == 0
            print(
                f"{n:>9,} predictions: {seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processors, "
                f"{used.ru_maxrss / 2**20:.2f} GiB"
            )


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [10_000, 1_000_000])
