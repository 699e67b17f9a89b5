"""Seconds of an audit of 1,000 photos of 128 × 128 from a table, from the command's start to its verdict and page.

    python -m benchmarks audit [SUITE ...]

SUITE is one or more of `check`, `probe`, `quick` and `default`: the check of the design, the audit with a linear
probe (aims: 10 and 30 s), and the suites that train (aims: 6 and 20 minutes). Photos are simulated; their cameras
go with their labels, so that every experiment is run. Seconds of processors stand beside those of the wall.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.common import Cost, run_command
from camerabias.datasets.dataset import open_dataset

AIMS = {"check": 10, "probe": 30, "quick": 6 * 60, "default": 20 * 60}
"""Seconds, on two cores."""

TRAINED = ["--model", "small_cnn", "--weights", "none"]
OPTIONS = {"check": [], "probe": [], "quick": ["--quick", *TRAINED], "default": TRAINED}


def main(arguments: list[str]) -> None:
    for suite in arguments or AIMS:
        with tempfile.TemporaryDirectory() as scratch:  # anew, as if nobody had audited these photos before
            cost = time_suite(suite, Path(scratch))
        cost.tell(f"audit {suite}", f"{suite} (aim {AIMS[suite]} s)")


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
