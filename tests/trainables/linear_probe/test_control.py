"""The control head: weights that make label and camera independent, and shams that do not."""

import numpy as np
import pandas as pd
import pytest

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.linear_probe.control import (
    effective_share,
    independent_weights,
    permute_weights,
    weight_units,
)

CELLS = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [30, 10, 5, 15], axis=0)


def test_weighted_cells_are_independent_and_margins_stay():
    weights = independent_weights(CELLS)
    table = pd.crosstab(CELLS[:, 0], CELLS[:, 1], weights, aggfunc="sum")
    np.testing.assert_allclose(table, np.outer([40, 20], [35, 25]) / 60)
    assert weights.mean() == pytest.approx(1)


def test_effective_share_is_that_of_kish():
    assert effective_share(np.ones(7)) == 1
    assert effective_share(np.array([1.0, 0.0])) == 0.5


@pytest.mark.parametrize(
    ("counts", "why"),
    [([30, 10, 0, 15], "no training photo of some labels"), ([500, 1, 1, 500], "count as")],
)
def test_what_cannot_be_weighted_is_said(counts, why):
    with pytest.raises(CamerabiasError, match=why):
        independent_weights(np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], counts, axis=0))


def test_shams_have_the_same_weights_of_whole_groups_in_another_order():
    weights, labels = independent_weights(CELLS), CELLS[:, 0]
    groups = np.arange(60) // 5
    units = weight_units(groups, labels)
    sham = permute_weights(weights, units, labels, np.random.default_rng(0))
    assert sham.mean() == pytest.approx(1)
    assert (pd.Series(sham).groupby(units).nunique() == 1).all(), "a group keeps together"
    for label in (0, 1):
        np.testing.assert_allclose(
            np.sort(sham[labels == label]) / sham.sum(), np.sort(weights[labels == label]) / weights.sum()
        )
    assert not np.allclose(sham, weights)
