"""Photos and what a source says of them, written as other programs would."""

import sys
from pathlib import Path

import pytest

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.sources.registry import read_source

ROOT = Path(__file__).parents[3]
_path = sys.path[:]
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
import datasets  # noqa: E402, F401 - the library, once, before this repository's own folder can hide it

sys.path[:] = _path

CELLS = [("cat", "x"), ("cat", "y"), ("dog", "x"), ("dog", "y")]


@pytest.fixture
def photos(make_photos):
    """Eight photos of four cells: (file, label, camera) of each."""
    root = make_photos(*[f"{n}.jpg" for n in range(8)])
    return [(root / f"{n}.jpg", *CELLS[n % 4]) for n in range(8)]


@pytest.fixture
def imported(tmp_path, photos):
    """A function that imports a location and compares it with the photos: bytes, labels and cameras are the same."""

    def run(location, **reading):
        source = read_source(str(location), Reading(**reading))
        dataset = import_dataset(source, Folder(tmp_path / "imported"), LocalExecutor())
        found = {
            (dataset.read_image(image_id), label, camera)
            for image_id, label, camera in dataset.index[["image_id", "label", "camera"]].itertuples(
                index=False
            )
        }
        assert found == {(file.read_bytes(), label, camera) for file, label, camera in photos}
        return source, dataset

    return run
