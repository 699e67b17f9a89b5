import numpy as np
import pandas as pd
import pytest
from scipy.stats.contingency import association, expected_freq
from sklearn.metrics import mutual_info_score

from camerabias.analysis.statistics import association as module
from camerabias.analysis.statistics.association import (
    associate,
    associated_labels,
    information_share,
    permutation_units,
    squared_v,
)

WEAK = np.outer([0.5, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1])
TIED = np.array([[0.3, 0.05, 0.03, 0.02], [0.02, 0.2, 0.06, 0.02], [0.03, 0.05, 0.02, 0.2]])


@pytest.fixture
def few_exchanges(monkeypatch):
    """For simulations: a smallest p of 0.01 is enough."""
    monkeypatch.setattr(module, "PERMUTATIONS", 99)


def drawn(shares, n_groups, seed, most=5):
    """Groups of one to `most` photos with one label and camera each."""
    generator = np.random.default_rng(seed)
    cells = generator.choice(shares.size, n_groups, p=shares.ravel())
    camera, label = np.unravel_index(
        np.repeat(cells, generator.integers(1, most + 1, n_groups)), shares.shape
    )
    sizes = np.random.default_rng(seed)
    sizes.choice(shares.size, n_groups, p=shares.ravel())
    group = np.repeat(np.arange(n_groups), sizes.integers(1, most + 1, n_groups))
    return pd.DataFrame({"label": label, "camera": camera, "group": group}).astype(str)


@pytest.mark.parametrize(
    "counts", [[[20, 5], [3, 40]], [[10, 0, 7], [4, 9, 1]], [[8, 0], [0, 8]], [[5, 5], [5, 5]]]
)
def test_measures_are_those_of_scipy_and_scikit_learn(counts):
    counts = np.array(counts, dtype=float)
    assert squared_v(counts) == pytest.approx(association(counts.astype(int), method="cramer") ** 2)
    entropies = [
        -(p * np.log(p)).sum() for p in (counts.sum(axis=0) / counts.sum(), counts.sum(axis=1) / counts.sum())
    ]
    expected = mutual_info_score(None, None, contingency=counts) / min(entropies)
    assert information_share(counts) == pytest.approx(expected, abs=1e-12)


def test_empty_rows_and_columns_change_nothing():
    bare, holed = np.array([[20.0, 5], [3, 40]]), np.array([[20.0, 0, 5], [0, 0, 0], [3, 0, 40]])
    assert squared_v(holed) == squared_v(bare)
    assert information_share(holed) == information_share(bare)


@pytest.mark.parametrize(("shares", "least"), [(WEAK, 0.95), (0.5 * WEAK + 0.5 * TIED, 0.85)])
@pytest.mark.usefixtures("few_exchanges")
def test_intervals_hold_the_truth(shares, least):
    """Forty times; 0.95 would be right, and 0.85 is three standard errors less."""
    v = np.sqrt(squared_v(shares * 1e6))
    bits = mutual_info_score(None, None, contingency=shares * 1e6) / np.log(2)
    found = [associate(drawn(shares, 100, seed)) for seed in range(40)]
    assert np.mean([a.cramers_v.low - 1e-9 <= v <= a.cramers_v.high + 1e-9 for a in found]) >= least
    assert np.mean([a.information.low - 1e-9 <= bits <= a.information.high + 1e-9 for a in found]) >= least
    assert np.mean([a.cramers_v.mean for a in found]) == pytest.approx(v, abs=0.07)


@pytest.mark.usefixtures("few_exchanges")
def test_p_is_uniform_when_label_and_camera_are_independent():
    p = np.array([associate(drawn(WEAK, 60, seed)).p for seed in range(40)])
    assert 0.3 < p.mean() < 0.7
    assert (p <= 0.05).mean() <= 0.15


def test_photos_of_one_group_do_not_pass_for_many():
    """Ten groups of a hundred photos, by two cameras: nothing is known of independence, whatever a χ² test says."""
    frame = drawn(np.array([[0.25, 0.25], [0.25, 0.25]]), 10, 3)
    many = pd.concat([frame] * 100)
    assert associate(many).p == pytest.approx(associate(frame).p, abs=0.1)


def test_an_association_within_groups_is_seen():
    """Two sites, each with every label and camera: exchanging whole sites would show nothing."""
    rows = [(label, label, f"site {site}") for site in range(12) for label in "ab"]
    found = associate(pd.DataFrame(rows, columns=["label", "camera", "group"]))
    assert found.cramers_v.mean == pytest.approx(1)
    assert found.p == 0.001


def test_units_are_groups_unless_both_differ_within():
    groups = np.array([0, 0, 1, 1, 2, 2, 2])
    cameras = np.array([0, 1, 0, 0, 0, 1, 1])
    labels = np.array([0, 0, 0, 1, 0, 1, 1])
    assert permutation_units(groups, cameras, labels).tolist() == [0, 0, 1, 1, 2, 3, 3]


def test_one_gives_the_other_and_nothing_to_tell():
    told = associate(drawn(np.diag([0.5, 0.5]), 40, 0))
    assert (told.cramers_v.mean, told.cramers_v.high) == (1, 1)
    assert told.cramers_v.low > 0.8
    alone = associate(
        pd.DataFrame({"label": ["a", "b"] * 10, "camera": "x", "group": [f"{i}" for i in range(20)]})
    )
    assert np.isnan(alone.cramers_v.mean)
    assert np.isnan(alone.p)
    assert alone.entropy == pytest.approx(1)


@pytest.mark.parametrize(
    ("n", "labels", "cameras", "least"),
    [
        (360, 120, 12, 0.99),
        (32, 6, 5, 0),
        (60, 60, 3, 0),
        (60, 57, 3, 0),
        (40, 4, 20, 0.99),
        (12, 2, 2, 0.99),
    ],
)
@pytest.mark.usefixtures("few_exchanges")
def test_an_interval_holds_its_estimate_however_many_labels_there_are(n, labels, cameras, least):
    """In the first, chance alone comes to more than half of what there can be: twice that once left nothing."""
    number = np.arange(n)
    images = pd.DataFrame({"label": number % labels, "camera": number % cameras, "group": number}).astype(str)
    found = associate(images)
    top = np.log2(min(labels, cameras))
    for measure, most in ((found.cramers_v, 1), (found.information, top)):
        assert 0 <= measure.low <= measure.mean <= measure.high <= most + 1e-9
        assert measure.mean >= least * most


def test_a_camera_implies_the_label_that_is_most_clearly_more_frequent():
    table = pd.DataFrame(
        {"x": [60, 30, 0], "y": [20, 10, 0], "z": [30, 0, 2], "none": [0, 0, 0]}, index=list("abc")
    )
    assert associated_labels(table) == {"x": "b", "y": "b", "z": "c"}
    assert associated_labels(pd.DataFrame({"x": [3, 6], "y": [10, 20], "z": [1, 2]}, index=list("ab"))) == {}
    # a photo each of rare labels: four times as many as by luck, and yet fewer than the many
    rare = pd.DataFrame({"x": [90, 10, 1, 0], "y": [90, 10, 0, 0], "z": [10, 90, 0, 1]}, index=list("abcd"))
    residuals = (rare - expected_freq(rare)) / np.sqrt(expected_freq(rare))
    assert associated_labels(rare) == residuals.idxmax().to_dict() == {"x": "a", "y": "a", "z": "b"}
