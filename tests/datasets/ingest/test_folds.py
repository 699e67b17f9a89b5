from collections import Counter, defaultdict

import numpy as np
import pytest

from camerabias.datasets.ingest.folds import deal_folds

LABELS, CAMERAS = ("a", "b"), ("x", "y", "z")


def bottles(n_per_label):
    """Every group photographed once by every camera, as in the simulator: ids, cells, groups."""
    rows = [
        (f"{label}{bottle}{camera}", (label, camera), f"{label}{bottle}")
        for label in LABELS
        for bottle in range(n_per_label)
        for camera in CAMERAS
    ]
    return tuple(map(list, zip(*rows, strict=True)))


def singles(counts):
    """Images without groups, `counts` of each cell."""
    cells = [cell for cell, n in counts.items() for _ in range(n)]
    ids = [f"image{number}" for number in range(len(cells))]
    return ids, cells, ids


def per_fold(folds, keys):
    """Key → how many of its images each of the ten folds holds."""
    counts = defaultdict(lambda: [0] * 10)
    for fold, key in zip(folds, keys, strict=True):
        counts[key][fold] += 1
    return counts


def ragged_groups():
    """Groups of 1 to 9 images in random cells, like bursts of real photos."""
    generator = np.random.default_rng(0)
    rows = [
        (f"{group}-{shot}", (str(generator.choice(LABELS)), str(generator.choice(CAMERAS))), f"g{group}")
        for group in range(300)
        for shot in range(generator.integers(1, 10))
    ]
    return tuple(map(list, zip(*rows, strict=True)))


def test_equal_groups_are_dealt_to_within_one_per_fold_and_kind():
    ids, cells, groups = bottles(23)
    counts = per_fold(deal_folds(ids, cells, groups), cells)
    assert len(counts) == len(LABELS) * len(CAMERAS)
    for dealt in counts.values():
        assert sorted(dealt) == [2] * 7 + [3] * 3  # 23 bottles of a label over ten folds


def test_the_remainders_of_two_labels_go_to_different_folds():
    ids, cells, groups = bottles(23)
    total = np.bincount(deal_folds(ids, cells, groups), minlength=10)
    assert sorted(total) == [12] * 4 + [15] * 6  # three cameras × (2 + 2, or 2 + 3 bottles), never 3 + 3


def test_cells_of_any_size_are_dealt_to_within_one():
    ids, cells, groups = singles({("a", "x"): 57, ("a", "y"): 3, ("b", "x"): 10, ("b", "y"): 101})
    folds = deal_folds(ids, cells, groups)
    for dealt in per_fold(folds, cells).values():
        assert max(dealt) - min(dealt) <= 1
    total = np.bincount(folds, minlength=10)
    assert max(total) - min(total) <= 1


def test_groups_stay_whole_and_cells_nearly_even_where_groups_differ():
    ids, cells, groups = ragged_groups()
    folds = deal_folds(ids, cells, groups)
    assert set(Counter(set(zip(groups, folds.tolist(), strict=True))).values()) == {1}
    assert len(set(zip(groups, folds.tolist(), strict=True))) == len(set(groups))
    for cell, dealt in per_fold(folds, cells).items():
        assert max(dealt) <= 1.25 * sum(dealt) / 10, cell
        assert min(dealt) >= 0.75 * sum(dealt) / 10, cell


@pytest.mark.parametrize("make", [lambda: bottles(17), ragged_groups])
def test_the_order_of_the_rows_does_not_matter(make):
    ids, cells, groups = make()
    folds = dict(zip(ids, deal_folds(ids, cells, groups).tolist(), strict=True))
    order = np.random.default_rng(1).permutation(len(ids))
    shuffled = [[column[row] for row in order] for column in (ids, cells, groups)]
    assert dict(zip(shuffled[0], deal_folds(*shuffled).tolist(), strict=True)) == folds


def test_the_names_of_groups_do_not_matter():
    ids, cells, groups = bottles(17)
    renamed = [group[::-1] for group in groups]
    np.testing.assert_array_equal(deal_folds(ids, cells, groups), deal_folds(ids, cells, renamed))


def test_another_seed_deals_otherwise_and_as_evenly():
    ids, cells, groups = bottles(20)
    first, second = deal_folds(ids, cells, groups), deal_folds(ids, cells, groups, seed=1)
    assert (first != second).any()
    assert {tuple(dealt) for dealt in per_fold(second, cells).values()} == {(2,) * 10}


def test_folds_are_drawn_and_not_counted_off_by_name():
    ids, cells, groups = bottles(20)
    folds = deal_folds(ids, cells, groups)[:60:3]
    assert (folds != np.arange(20) % 10).any()


def test_a_few_images_get_a_fold_each():
    assert len(set(deal_folds(*singles({("a", "x"): 2, ("b", "y"): 3})).tolist())) == 5
