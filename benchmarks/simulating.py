"""Photos per second and core that the simulator makes. Aims: 60 of 128 × 128, 4 of 1024 × 1024.

    python -m benchmarks simulating [SIZE ...]

Seconds of processors in one process: decoding, encoding and writing the DATASET are part of it.
"""

from __future__ import annotations

import json
import tempfile
import time
from statistics import median

from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec

ROUNDS, IMAGES = 3, {128: 200, 1024: 10}


def main(arguments: list[str]) -> None:
    for size in map(int, arguments or IMAGES):
        n = IMAGES.get(size, 20)
        rates = [n / simulate(n, size) for _ in range(ROUNDS)]
        told = {"size": size, "images": n, "rate": round(median(rates), 2)}
        print(json.dumps({"figure": "simulating", **told, "spread": [round(r, 2) for r in sorted(rates)]}))
        print(f"{size} × {size}: {median(rates):.1f} photos per second and core.", flush=True)


def simulate(n: int, size: int) -> float:
    """Seconds of processors."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        simulate_dataset(preset_spec("demo", images=n, size=size), Folder(folder), LocalExecutor())
        return time.process_time() - began
