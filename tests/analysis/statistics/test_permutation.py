from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test

from camerabias.analysis.statistics.permutation import (
    by_image,
    camera_effect,
    camera_permutations,
    holm,
    map_uniformity,
)

CAMERAS = ["A", "B", "C"]


def between(*samples):
    return sum(np.sum(sample) ** 2 / len(sample) for sample in samples)


def predictions(right, cameras, groups):
    return pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in range(len(right))],
            "group": groups,
            "label": "x",
            "camera": cameras,
            "truth": "x",
            "prediction": np.where(right, "x", "y"),
        }
    )


def bottles(generator, shares):
    """Thirty bottles, each once per camera, right with a share that depends on bottle and camera."""
    ease = np.repeat(generator.uniform(-0.2, 0.2, 30), 3)
    right = generator.random(90) < np.tile(shares, 30) + ease
    return predictions(right, CAMERAS * 30, np.repeat([f"g{i}" for i in range(30)], 3))


@pytest.mark.parametrize("seed", [0, 1])
def test_within_groups_as_scipy_permutes_paired_samples(seed):
    frame = bottles(np.random.default_rng(seed), [0.5, 0.6, 0.7])
    samples = [frame[frame["camera"] == c].eval("prediction == truth").to_numpy(float) for c in CAMERAS]
    expected = permutation_test(
        samples, between, permutation_type="samples", n_resamples=2000, alternative="greater",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert camera_effect([frame]).p == pytest.approx(expected.pvalue, abs=0.05)


@pytest.mark.parametrize("seed", [0, 1])
def test_photos_alone_as_scipy_permutes_independent_samples(seed):
    generator = np.random.default_rng(seed)
    cameras = generator.choice(CAMERAS, 60)
    frame = predictions(generator.random(60) < 0.7, cameras, [f"g{i}" for i in range(60)])
    samples = [frame[frame["camera"] == c].eval("prediction == truth").to_numpy(float) for c in CAMERAS]
    expected = permutation_test(
        samples, between, permutation_type="independent", n_resamples=2000, alternative="greater",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert camera_effect([frame]).p == pytest.approx(expected.pvalue, abs=0.05)


def test_an_effect_is_found_and_cameras_are_told():
    found = camera_effect([bottles(np.random.default_rng(0), [0.2, 0.5, 0.9])])
    assert found.p == 0.001
    assert list(found.accuracies.index) == CAMERAS
    assert found.accuracies["A"] < found.accuracies["B"] < found.accuracies["C"]


def test_groups_of_one_camera_count_once():
    """Six bottles with 20 photos each, all of a bottle alike, are six observations, not 120."""
    right = np.repeat([True, True, True, False, False, True], 20)
    groups = np.repeat([f"g{i}" for i in range(6)], 20)
    cameras = np.repeat(["A", "A", "A", "B", "B", "B"], 20)
    assert camera_effect([predictions(right, cameras, groups)]).p > 0.2


def test_more_seeds_of_the_same_images_are_no_more_evidence():
    frame = bottles(np.random.default_rng(3), [0.5, 0.6, 0.7])
    assert camera_effect([frame] * 4).p == camera_effect([frame]).p


def test_a_corner_that_differs_is_found():
    generator = np.random.default_rng(0)
    shares = np.full((6, 6), 0.8)
    groups = [f"g{i}" for i in range(40)]
    even = generator.random((40, 6, 6)) < shares
    shares[:2, :2] = 0.3
    assert map_uniformity(generator.random((40, 6, 6)) < shares, groups) == 0.001
    assert map_uniformity(even, groups) > 0.05


def test_uniformity_agrees_with_a_loop_over_rolled_maps():
    generator = np.random.default_rng(4)
    right = generator.random((20, 4, 5)) < generator.uniform(0.6, 0.8, (4, 5))
    groups = np.repeat([f"g{i}" for i in range(10)], 2)
    seen, as_much = right.mean(axis=0).var(), 0
    for _ in range(500):
        shifts = {g: (generator.integers(4), generator.integers(5)) for g in sorted(set(groups))}
        rolled = [np.roll(m, shifts[g], axis=(0, 1)) for m, g in zip(right, groups, strict=True)]
        as_much += np.mean(rolled, axis=0).var() >= seen
    assert map_uniformity(right, groups.tolist()) == pytest.approx(as_much / 500, abs=0.06)


def test_places_that_photos_of_one_bottle_share_are_no_evidence():
    """Each of eight bottles has its own dark places, the same in all of its 30 photos."""
    bottles_of_photos = np.repeat([f"g{i}" for i in range(8)], 30).tolist()
    photos = [f"i{i}" for i in range(240)]
    maps = [(np.random.default_rng(seed).random((8, 5, 5)) < 0.7).repeat(30, axis=0) for seed in range(10)]
    assert np.mean([map_uniformity(right, bottles_of_photos) < 0.05 for right in maps]) <= 0.2
    assert map_uniformity(maps[0], photos) == 0.001  # as if every photo were of a bottle of its own


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_the_closed_test_of_bonferroni(seed):
    """A hypothesis falls at the level at which Bonferroni rejects every intersection that holds it."""
    ps = np.random.default_rng(seed).beta(0.3, 2, 6)
    sets = [subset for size in range(1, 7) for subset in combinations(range(6), size)]
    closed = [max(min(1, len(s) * ps[list(s)].min()) for s in sets if i in s) for i in range(6)]
    assert holm(list(ps)) == pytest.approx(closed)


def test_holm_leaves_out_what_was_not_compared():
    assert holm([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert holm([]) == []
    assert np.isnan(holm([np.nan])).all()


def exchanges(frame):
    images, _ = by_image(frame.assign(seed=0), pd.DataFrame({"one": np.ones(len(frame))}))
    return images, np.concatenate(list(camera_permutations(images, 300)))


def test_exchanges_keep_to_the_group_or_else_to_the_label():
    frame = predictions(
        np.ones(12), ["A", "B", "C"] * 2 + ["A", "A", "B", "B", "B", "A"], list("gggkkkmnopqr")
    )
    frame["label"] = list("xxxyyy") + list("xxxyyy")
    images, codes = exchanges(frame)
    for block in (["g"], ["k"], ["m", "n", "o"], ["p", "q", "r"]):
        inside = images["group"].isin(block).to_numpy()
        as_taken = np.sort(pd.factorize(images["camera"], sort=True)[0][inside])
        assert (np.sort(codes[:, inside], axis=1) == as_taken).all()
        assert (codes[:, inside].std(axis=0) > 0).all()  # each photo gets several cameras


def test_exchanges_keep_groups_whole_and_to_groups_like_them():
    groups = ["single 1", "single 2", *["pair"] * 2, *["burst 1"] * 9, *["burst 2"] * 12]
    cameras = ["A", "B", *"AA", *"A" * 9, *"B" * 12]
    images, codes = exchanges(predictions(np.ones(25), cameras, groups))
    for group in set(groups):
        of_group = codes[:, images["group"] == group]
        assert (of_group == of_group[:, :1]).all()
    bursts = codes[:, images["group"].str.startswith("burst")]
    assert (bursts.min(axis=1) != bursts.max(axis=1)).all()  # always one by A and one by B


def test_exchanges_keep_to_the_seeds_that_tested_an_image():
    frame = predictions(np.ones(4), ["A", "B", "A", "B"], list("ghkl")).assign(seed=[0, 0, 1, 1])
    images, _ = by_image(frame, pd.DataFrame({"one": np.ones(4)}))
    codes = np.concatenate(list(camera_permutations(images, 100)))
    assert (codes[:, :2].sum(axis=1) == 1).all()
    assert 0 < codes[:, 0].mean() < 1
