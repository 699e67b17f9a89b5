import io

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.analysis.design import duplicates as module
from camerabias.analysis.design.duplicates import NEAR_ALONE, near_duplicates
from camerabias.datasets.inspection.metadata import COMPUTED, tell


@pytest.fixture
def photos():
    """300 photos in groups of two, of which some hashes are others with bits turned; without details, as once."""
    generator = np.random.default_rng(0)
    hashes = [int(value) for value in generator.integers(0, 2**63, 300)]
    for place in range(100, 200):
        turned = generator.choice(64, generator.integers(0, 2 * NEAR_ALONE), replace=False)
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
        (a, b)
        for i, a in enumerate(rows)
        for b in rows[i + 1 :]
        if (a.hash ^ b.hash).bit_count() <= NEAR_ALONE
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


def pictures(pairs):
    """Photos that pairs join, directly or through others."""
    joined = []
    for pair in pairs:
        names = {row.image_id for row in pair}
        touching = [one for one in joined if one & names]
        joined = [one for one in joined if one not in touching] + [names.union(*touching)]
    return joined


def test_pairs_are_joined_to_pictures(photos):
    expected = pictures(brute_force(photos))
    found = near_duplicates(photos)
    assert (found.n_pictures, found.most) == (len(expected), max(map(len, expected)))


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


def scene(seed):
    """A code at a random place and angle on a backdrop that all scenes have."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:128, :128] / 128
    luma = 140 + 60 * np.cos(2 * x + y) + generator.normal(0, 2, (128, 128))
    printed = np.zeros((128, 128), np.uint8)
    code = "".join(generator.choice(list("ABCDEFGHKLMNPRSTUVXYZ2345678"), 6))
    cv2.putText(printed, code, (30, 70), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 100, 2)
    place = cv2.getRotationMatrix2D((64, 64), generator.uniform(0, 360), 1)
    place[:, 2] += generator.uniform(-30, 30, 2)
    luma -= cv2.warpAffine(printed, place, (128, 128))
    return Image.fromarray(luma.clip(0, 255).astype(np.uint8)).convert("RGB")


def saved(photo, quality=92):
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def facts_of(contents):
    facts = pd.DataFrame([tell(content) for content in contents]).astype(COMPUTED)
    names = [f"i{n}" for n in range(len(facts))]
    return facts.assign(image_id=names, group=names, fold=0, split=None, label="a")


def test_scenes_that_look_alike_are_no_duplicates():
    facts = facts_of([saved(scene(seed)) for seed in range(200)])
    assert near_duplicates(facts.drop(columns="detail")).n_photos > 20, "by the hash alone many are"
    assert near_duplicates(facts).n_photos <= 1


@pytest.mark.parametrize(
    "change",
    [
        lambda photo: saved(photo, 40),
        lambda photo: saved(photo, 95),
        lambda photo: saved(photo.resize((64, 64), Image.Resampling.LANCZOS)),
        lambda photo: saved(photo.resize((90, 90), Image.Resampling.BICUBIC)),
        lambda photo: saved(photo.resize((256, 256), Image.Resampling.BICUBIC)),
        lambda photo: saved(Image.eval(photo, lambda value: value * 4 // 5)),
        lambda photo: saved(Image.eval(photo, lambda value: min(255, value * 6 // 5))),
    ],
)
def test_copies_are_found_among_scenes_that_look_alike(change):
    scenes = [scene(seed) for seed in range(40)]
    found = near_duplicates(facts_of([*map(saved, scenes), *map(change, scenes)]))
    assert found.n_photos >= 0.95 * 80


def test_photos_with_the_same_bytes_are_left_to_the_copies():
    facts = facts_of([saved(scene(0)), saved(scene(0))]).assign(image_id=["0" * 20, "0" * 20 + "-1"])
    assert near_duplicates(facts).n_pairs == 0


def test_photos_without_detail_can_be_compared():
    contents = [saved(Image.new("RGB", (64, 64), (shade, shade, shade))) for shade in (0, 90, 255)]
    assert near_duplicates(facts_of(contents)).n_compared == 3
