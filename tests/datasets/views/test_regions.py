"""Regions of simulated photos follow the geometry of a view."""

import numpy as np
import pytest

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.simulator import preset_spec, simulate
from camerabias.datasets.views.regions import read_regions
from camerabias.datasets.views.variant import Variant


@pytest.fixture(scope="module")
def truth():
    """Regions of the first three simulated photos."""
    spec = preset_spec("demo", images=100, size=64)
    return np.stack([simulate(spec, index).regions for index in range(3)])


def variant(view, size, fit="resize"):
    return Variant.model_validate({"view": view, "size": size, "fit": fit})


@pytest.mark.parametrize("view", ["rgb", "gray", "binary"])
def test_regions_at_full_size_are_the_simulator_s_own(dataset, truth, view):
    rows = np.array([2, 0, 1])
    np.testing.assert_array_equal(read_regions(dataset, rows, variant(view, 64)), truth[rows])


def test_regions_of_halves_are_halves(dataset, truth):
    rows = np.arange(3)
    np.testing.assert_array_equal(read_regions(dataset, rows, variant("left", 64)), truth[:, :, :32])
    np.testing.assert_array_equal(read_regions(dataset, rows, variant("right", 64)), truth[:, :, 32:])


def test_regions_at_another_size_are_the_commonest_of_the_pixels_they_come_from(dataset, truth):
    small = read_regions(dataset, np.arange(3), variant("rgb", 32))
    blocks = truth.reshape(3, 32, 2, 32, 2)
    counts = np.stack([(blocks == value).sum(axis=(2, 4)) for value in range(3)])
    assert (np.take_along_axis(counts, small[None], axis=0)[0] == counts.max(axis=0)).all()
    stretched = read_regions(dataset, np.arange(3), variant("left", 32, "stretch"))
    assert stretched.shape == (3, 32, 32)


def test_photos_of_somebody_have_no_regions(dataset, tmp_path):
    photos = []
    for row in dataset.index.itertuples():
        (tmp_path / f"{row.image_id}.jpg").write_bytes(dataset.read_image(row.image_id))
        photos.append(Photo(f"{row.image_id}.jpg", row.label, row.camera, row.group, None))
    mine = import_dataset(
        Source("table", Folder(tmp_path), photos), Folder(tmp_path / "mine"), LocalExecutor()
    )
    assert read_regions(mine, np.arange(2), variant("rgb", 64)) is None
