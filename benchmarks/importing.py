"""Importing photos and building their variant against bare loops of the same work. Aims: at least 0.8 of their speed.

    python -m benchmarks importing [SIDE [ROUNDS [IMAGES]]]

1,000 simulated photos of 128 × 128, or of another SIDE as many as have their pixels, as JPEG files by label and
camera. Bare: read and decode each file and write its bytes as Parquet; decode, scale to 128 × 128 and write pixels.
Seconds of processors of one process.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.common import take_turns
from camerabias.datasets.dataset import Dataset, open_dataset, read_images
from camerabias.datasets.ingest.create import import_dataset, simulate_dataset
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.sources.registry import read_source
from camerabias.datasets.views.build import build_variants
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant

ROUNDS, IMAGES, SIDE = 5, 1000, 128
PLAINLY = {"compression": "none", "use_dictionary": False, "write_statistics": False}


def main(arguments: list[str]) -> None:
    side, n_rounds, n = [*map(int, arguments), *(SIDE, ROUNDS, IMAGES)[len(arguments) :]]
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder, numbers = Path(scratch), count()
        photos = write_photos(folder, max(20, n * SIDE**2 // side**2 // 10 * 10), side)

        def imported() -> None:
            import_dataset(read_source(str(photos)), Folder(folder / f"{next(numbers)}"), LocalExecutor())

        rounds = take_turns(
            n_rounds, lambda: computing(imported), lambda: computing(lambda: bare_import(photos))
        )
        rounds.tell(
            "importing",
            "Import {ours} s, decoding and writing {against} s; ratio of speeds {ratio}.",
            side=side,
        )
        dataset = open_dataset(str(folder / "0"))
        rounds = take_turns(
            n_rounds,
            lambda: computing(lambda: build(dataset)),
            lambda: computing(lambda: bare_build(dataset, folder)),
        )
        rounds.tell(
            "building", "Variant {ours} s, bare loop {against} s; ratio of speeds {ratio}.", side=side
        )


def computing(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def write_photos(folder: Path, n: int, side: int) -> Path:
    simulated = simulate_dataset(
        preset_spec("demo", images=n, size=side), Folder(folder / "made"), LocalExecutor()
    )
    cells = simulated.index.set_index("image_id")
    for part in simulated.manifest.parts:
        for image_id, content in read_images(simulated.folder, part.name):
            into = folder / "photos" / cells.at[image_id, "label"] / cells.at[image_id, "camera"]
            into.mkdir(parents=True, exist_ok=True)
            (into / f"{image_id}.jpg").write_bytes(content)
    return folder / "photos"


def bare_import(photos: Path) -> None:
    contents = []
    for path in sorted(photos.rglob("*.jpg")):
        contents.append(path.read_bytes())
        decode(contents[-1])
    pq.write_table(pa.table({"image": contents}), photos.parent / "bare.parquet", **PLAINLY)


def rgb() -> Variant:
    return Variant(view=View.model_validate("rgb"), size=SIDE, fit="resize")


def build(dataset: Dataset) -> None:
    """Build the variant anew."""
    for name in dataset.folder.child(f"variants/{rgb().folder}").names():
        dataset.folder.child(f"variants/{rgb().folder}").delete(name)
    build_variants(dataset, [rgb()], LocalExecutor())


def bare_build(dataset: Dataset, folder: Path) -> None:
    for part in dataset.manifest.parts:
        pixels = [
            rgb().render(decode(content)).tobytes() for _, content in read_images(dataset.folder, part.name)
        ]
        pq.write_table(pa.table({"pixels": pixels}), folder / "bare.parquet", **PLAINLY)
