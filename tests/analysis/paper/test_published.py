import numpy as np
import pytest
from scipy.stats import binomtest

from camerabias.analysis.paper.published import (
    printed_accuracy,
    printed_estimate,
    printed_numbers,
    printed_range,
)


def test_all_of_the_papers_fifty_numbers_ship():
    assert len(printed_numbers()) == 50
    crops = printed_accuracy("camera", "balanced", "crop32", "crop32", "inception_v3", table="Table V")
    assert crops == 0.948
    assert printed_accuracy("label", "balanced", "jitter", "rgb", "vgg16", table="Table IV") == 0.972
    assert np.isnan(printed_accuracy("label", "balanced", "jitter", "rgb", "vgg16", table=None))


def test_range_spans_the_five_models_of_a_table():
    assert printed_range("camera", "balanced", "binary", "binary", table="Table III") == (0.186, 0.384)
    assert np.isnan(printed_range("camera", "balanced", "gray", "gray", table="Table IV")).all()


@pytest.mark.parametrize("right", [0, 190, 309])
def test_interval_is_that_of_309_photos(right):
    found = printed_estimate(right / 309)
    exact = binomtest(right, 309).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert found.n_groups == 309
