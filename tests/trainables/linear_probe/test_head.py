"""Heads: what scikit-learn makes of the same, and that groups stay on one side of the cross-validation."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from camerabias.trainables.linear_probe.head import COMPONENTS, TrainingSet, fit_head, regress


def make_examples(n=240, d=20, n_classes=3, seed=0, per_group=1, spread=1.0):
    generator = np.random.default_rng(seed)
    classes = np.repeat(np.arange(n // per_group) % n_classes, per_group)
    features = (
        generator.normal(size=(n, d)) * np.geomspace(5, 0.2, d) + spread * np.eye(n_classes, d)[classes]
    )
    groups = np.repeat(np.arange(n // per_group), per_group)
    return TrainingSet(features.astype(np.float32), classes, n_classes, groups, np.ones(n))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_head_is_what_a_pipeline_of_scikit_learn_comes_to(n_classes):
    examples = make_examples(n_classes=n_classes)
    head = fit_head(examples)
    k = head.projection.matrix.shape[1]
    assert k == min(*COMPONENTS, 19)
    expected = make_pipeline(
        StandardScaler(), PCA(k), LogisticRegression(C=1 / (head.penalty * 240), tol=1e-6, max_iter=5000)
    ).fit(examples.features.astype(float), examples.classes)
    new = make_examples(seed=1).features
    np.testing.assert_allclose(
        softmax(head.logits(new), axis=1), expected.predict_proba(new.astype(float)), atol=0.01
    )


def test_warm_start_comes_to_the_same():
    examples = make_examples()
    components = examples.features.astype(float)
    cold = regress(components, examples, 0.01)
    other = regress(components, make_examples(seed=3), 0.01)
    warm = regress(components, examples, 0.01, start=other)
    np.testing.assert_allclose(warm.logits(components), cold.logits(components), atol=0.1)
    two = make_examples(n_classes=2)
    cold = regress(components, two, 0.01)
    np.testing.assert_allclose(
        regress(components, two, 0.01, start=cold).logits(components), cold.logits(components), atol=0.05
    )


def test_groups_never_validate_what_their_own_images_trained():
    """Images of a group are copies and classes are noise: whoever sees one of them knows the others."""
    generator = np.random.default_rng(0)
    features = np.repeat(generator.normal(size=(60, 30)), 4, axis=0).astype(np.float32)
    classes = np.repeat(generator.integers(2, size=60), 4)
    groups = np.repeat(np.arange(60), 4)
    right = [
        (fit_head(TrainingSet(features, classes, 2, given, np.ones(240))).validated == classes).mean()
        for given in (groups, np.arange(240))
    ]
    assert right[0] < 0.7
    assert right[1] > 0.9, "the copies give it away where every image is a group of its own"


def test_weights_count_as_copies_do():
    examples = make_examples(60)
    twice = np.r_[np.arange(60), np.arange(30)]
    copied = TrainingSet(examples.features[twice], examples.classes[twice], 3, twice, np.ones(90))
    weights = np.where(np.arange(60) < 30, 2.0, 1.0)
    weighted = TrainingSet(examples.features, examples.classes, 3, examples.groups, weights * 60 / 90)
    found = [regress(one.features.astype(float), one, 0.1) for one in (copied, weighted)]
    np.testing.assert_allclose(found[0].coefficients, found[1].coefficients, atol=0.01)


def test_class_without_an_image_is_never_predicted():
    examples = make_examples(n_classes=3)
    there = examples.classes != 1
    head = fit_head(
        TrainingSet(examples.features[there], examples.classes[there], 3, np.arange(160), np.ones(160))
    )
    assert set(head.logits(examples.features).argmax(axis=1)) == {0, 2}


def test_one_class_alone_is_always_predicted():
    examples = make_examples(30)
    head = fit_head(
        TrainingSet(examples.features, np.ones(30, dtype=np.int64), 3, np.arange(30), np.ones(30))
    )
    assert (head.logits(examples.features).argmax(axis=1) == 1).all()
