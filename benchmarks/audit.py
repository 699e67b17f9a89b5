"""Seconds of an audit of 1,000 photos of 128 × 128 from a table, from the command's start to its verdict and page.

    python -m benchmarks audit [SUITE ...]

SUITE is one or more of `check`, `first`, `probe`, `quick` and `default`: the check of the design, the audit with a
linear probe until it says its verdict (aims: 10 and 30 s), the same to its end, cues moved (aim: a minute), and the
suites that train (aims: 6 and 20 minutes). Photos are simulated; their cameras go with their labels, so that every
experiment is run. Seconds of processors stand beside those of the wall.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import Cost, run_command
from camerabias.datasets.dataset import open_dataset

AIMS = {"check": 10, "first": 30, "probe": 60, "quick": 6 * 60, "default": 20 * 60}
"""Seconds, on two cores."""

TRAINED = ["--model", "small_cnn", "--weights", "none"]
OPTIONS = {"check": [], "probe": [], "quick": ["--quick", *TRAINED], "default": TRAINED}


def main(arguments: list[str]) -> None:
    for suite in arguments or AIMS:
        with tempfile.TemporaryDirectory() as scratch:  # anew, as if nobody had audited these photos before
            if suite == "first":
                seconds = time_first_verdict(Path(scratch))
                print(json.dumps({"figure": "audit first", "wall": round(seconds, 3)}))
                print(f"first (aim {AIMS[suite]} s): {seconds:.1f} s.", flush=True)
            else:
                cost = time_suite(suite, Path(scratch))
                cost.tell(f"audit {suite}", f"{suite} (aim {AIMS[suite]} s)")


def time_first_verdict(scratch: Path) -> float:
    """Seconds from the command's start to the line with its verdict, before cues are moved."""
    words = ["audit", write_photos(scratch), "--run", scratch / "run"]
    command = [str(Path(sys.executable).with_name("camerabias")), *map(str, words)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as audit:
        assert audit.stdout is not None, "it is a pipe"
        said = [(line, time.perf_counter() - began) for line in audit.stdout]
    return next(seconds for line, seconds in said if line.startswith("So far"))


def time_suite(suite: str, scratch: Path) -> Cost:
    """What a suite costs, photos not counted."""
    table = write_photos(scratch)
    run = ["check"] if suite == "check" else ["audit"]
    into = [] if suite == "check" else ["--run", scratch / "run"]
    return run_command("camerabias", *run, table, *into, *OPTIONS[suite])


def write_photos(scratch: Path) -> Path:
    """Simulated photos as files, and a table of them."""
    cues = ["--cues", "none,white_balance=2,colour_matrix=2", "--correlation", "0.8", "--executor", "local"]
    run_command("camerabias", "data", "simulate", scratch / "simulated", *cues)
    photos = scratch / "photos"
    photos.mkdir()
    dataset = open_dataset(str(scratch / "simulated"))
    for part in dataset.index["part"].unique():
        for image_id, content in dataset.read_images(part):
            (photos / f"{image_id}.jpg").write_bytes(content)
    index = dataset.index.assign(photo=dataset.index["image_id"] + ".jpg")
    index[["photo", "label", "camera", "group"]].to_csv(photos / "photos.csv", index=False)
    return photos / "photos.csv"
