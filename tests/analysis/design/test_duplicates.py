import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.design import duplicates as module
from camerabias.analysis.design.duplicates import NEAR, near_duplicates


@pytest.fixture
def photos():
    """300 photos in groups of two, in which some hashes are others with a few bits turned."""
    generator = np.random.default_rng(0)
    hashes = [int(value) for value in generator.integers(0, 2**63, 300)]
    for place in range(100, 200):
        turned = generator.choice(64, generator.integers(0, 2 * NEAR), replace=False)
        hashes[place] = hashes[int(generator.integers(100))] ^ sum(1 << int(bit) for bit in turned)
    return pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in range(300)],
            "group": [f"g{i // 2}" for i in range(300)],
            "label": generator.choice(["a", "b"], 300),
            "fold": np.arange(300) // 2 % 10,
            "split": None,
            "hash": np.array(hashes, dtype=np.uint64),
        }
    )


def brute_force(photos):
    rows = list(photos.itertuples())
    pairs = [
        (a, b) for i, a in enumerate(rows) for b in rows[i + 1 :] if (a.hash ^ b.hash).bit_count() <= NEAR
    ]
    return [(a, b) for a, b in pairs if a.group != b.group]


@pytest.mark.parametrize("block", [2**24, 1000])
def test_pairs_are_those_of_comparing_all_with_all(photos, monkeypatch, block):
    monkeypatch.setattr(module, "BLOCK", block)
    found, pairs = near_duplicates(photos), brute_force(photos)
    assert len(pairs) > 30
    assert {(p.first, p.second, p.bits) for p in found.pairs} == {
        (a.image_id, b.image_id, (a.hash ^ b.hash).bit_count()) for a, b in pairs
    }
    assert found.n_pairs == len(pairs)
    assert found.n_photos == len({row.image_id for pair in pairs for row in pair})
    assert found.n_labels == sum(a.label != b.label for a, b in pairs)
    assert found.n_crossing == sum(a.fold != b.fold for a, b in pairs)


def test_a_split_takes_the_place_of_folds(photos):
    photos["split"] = np.where(np.arange(300) < 100, "test", np.where(np.arange(300) < 150, "val", "train"))
    crossing = [(a.split == "test") != (b.split == "test") for a, b in brute_force(photos)]
    assert near_duplicates(photos).n_crossing == sum(crossing)


def test_many_copies_are_counted_and_few_named(photos, monkeypatch):
    photos["hash"] = np.uint64(0)
    found = near_duplicates(photos)
    assert found.n_pairs == 300 * 298 / 2
    assert len(found.pairs) == module.MAX_KEPT
    monkeypatch.setattr(module, "MAX_COMPARED", 120)
    assert near_duplicates(photos).n_compared == 100


def test_pairs_have_paths_where_there_are_some(photos):
    found = near_duplicates(photos.assign(path="folder/" + photos["image_id"]))
    assert found.pairs[0].first.startswith("folder/i")
