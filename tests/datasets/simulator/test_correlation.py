"""Datasets in which label and camera hang together."""

from itertools import product

import numpy as np
import pytest

from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.simulator import CAMERAS, LABELS, photo_numbers, preset_spec, simulate

OWN = {
    ("manufacturer 1", "iPhone"),
    ("manufacturer 1", "Samsung"),
    ("manufacturer 2", "Huawei"),
    ("manufacturer 2", "Redmi"),
}


def cells(spec):
    """(label, camera) of every photo, from the meaning of its number."""
    return [(LABELS[n // len(CAMERAS) % 2], list(CAMERAS)[n % len(CAMERAS)]) for n in photo_numbers(spec)]


@pytest.mark.parametrize(("correlation", "agreeing"), [(0.0, 100), (0.4, 140), (0.8, 180), (1.0, 200)])
def test_counts_of_cells_are_exact(correlation, agreeing):
    found = cells(preset_spec("demo", images=200, size=64, correlation=correlation))
    assert sum(cell in OWN for cell in found) == agreeing
    counts = [found.count(cell) for cell in product(LABELS, ("iPhone", "Samsung", "Huawei", "Redmi"))]
    assert sum(counts) == 200, "the fifth camera takes no photo"
    assert {n for n in counts if n} == {agreeing // 4, (200 - agreeing) // 4} - {0}


def test_every_bottle_is_photographed_once_and_photographers_stay_independent():
    spec = preset_spec("demo", images=400, size=64, correlation=0.8)
    numbers = photo_numbers(spec)
    assert (numbers // len(CAMERAS)).tolist() == list(range(400))
    photographer, camera = numbers // len(CAMERAS) // 2 % 4, numbers % len(CAMERAS)
    table = np.array([[np.sum((photographer == p) & (camera == c)) for c in range(4)] for p in range(4)])
    assert table.min() > 10, "no camera is one photographer's"


def test_another_seed_deals_other_cameras_and_the_same_seed_the_same():
    one, same, other = (preset_spec("demo", images=100, size=64, seed=s, correlation=0.5) for s in (1, 1, 2))
    assert photo_numbers(one).tolist() == photo_numbers(same).tolist() != photo_numbers(other).tolist()


def test_photos_that_the_design_leaves_out_can_be_shot_and_are_those_of_the_whole_design():
    whole = preset_spec("demo", images=50, size=64)
    dealt = preset_spec("demo", images=10, size=64, correlation=1.0)
    assert simulate(dealt, 49).jpeg == simulate(whole, 49).jpeg
    with pytest.raises(CamerabiasError, match="photos 0 to 49"):
        simulate(dealt, 50)


def test_dataset_holds_the_dealt_photos_and_opens_again(tmp_path):
    spec = preset_spec("demo", images=20, size=64, correlation=0.6)
    dataset = simulate_dataset(spec, Folder(tmp_path / "d"), LocalExecutor())
    found = dataset.index[["label", "camera"]].itertuples(index=False, name=None)
    assert list(found) == cells(spec)
    assert dataset.index["group"].nunique() == 20
    again = simulate_dataset(spec, Folder(tmp_path / "d"), LocalExecutor())
    assert again.manifest == dataset.manifest


@pytest.mark.parametrize(
    ("correlation", "allowed"), [(-0.1, "greater than or equal to 0"), (1.5, "less than or equal to 1")]
)
def test_impossible_correlation_is_refused(correlation, allowed):
    with pytest.raises(CamerabiasError, match=f"correlation {correlation}: Input should be {allowed}"):
        preset_spec("demo", correlation=correlation)
