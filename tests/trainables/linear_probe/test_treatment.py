"""Balancing the cells of a linear probe's training images."""

import numpy as np
import pytest

from camerabias.trainables.linear_probe.head import TrainingSet, regress
from camerabias.trainables.linear_probe.treatment import fit_balanced

CELLS = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [90, 10, 10, 90], axis=0)


@pytest.fixture(scope="module")
def examples():
    """The label shows a little in the first feature, and the camera, which goes with it, clearly in the second."""
    noise = np.random.default_rng(0).normal(size=(200, 4))
    features = noise + CELLS[:, [0]] * [1.5, 0, 0, 0] + CELLS[:, [1]] * [0, 4, 0, 0]
    return TrainingSet(features.astype(np.float32), CELLS[:, 0], 2, np.arange(200), np.ones(200))


def conflicting(head, examples):
    wrong = CELLS[:, 0] != CELLS[:, 1]
    return (head.logits(examples.features).argmax(axis=1) == CELLS[:, 0])[wrong].mean()


def test_reweighted_head_is_that_of_the_cells_made_even_by_copies(examples):
    head = fit_balanced(examples, CELLS, "reweight", seed=0)
    copies = np.repeat(np.arange(200), np.where(CELLS[:, 0] == CELLS[:, 1], 1, 9))
    even = TrainingSet(examples.features[copies], examples.classes[copies], 2, copies, np.ones(len(copies)))
    components = head.projection.apply(examples.features)
    expected = regress(head.projection.apply(even.features), even, head.penalty)
    np.testing.assert_allclose(head.logits(examples.features), expected.logits(components), atol=0.05)


@pytest.mark.parametrize("balancing", ["reweight", "resample", "group_dro"])
def test_balanced_head_follows_the_camera_less(examples, balancing):
    before, after = (fit_balanced(examples, CELLS, how, seed=0) for how in (None, balancing))
    assert conflicting(after, examples) > conflicting(before, examples) + 0.1


def test_what_is_resampled_depends_on_the_seed_alone(examples):
    first, again, other = (fit_balanced(examples, CELLS, "resample", seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.regression.coefficients, again.regression.coefficients)
    assert not np.allclose(first.regression.intercepts, other.regression.intercepts)
