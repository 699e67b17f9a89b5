"""A linear head: features standardised, their principal components, multinomial logistic regression.

How many components and how much regularisation is chosen by cross-validation over whole groups of the training
images, so that nothing of a tested image, or of its group, has a say. Knows neither torch nor files.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

Matrix = npt.NDArray[np.float64]
ClassCodes = npt.NDArray[np.int64]

COMPONENTS = (32, 128)
"""Principal components to choose from."""

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""L2 penalties to choose from, per training image: scikit-learn's C is 1 / (penalty × images)."""

FOLDS = 4
"""Of the cross-validation."""

TOLERANCE = 1e-3
"""Of the gradient."""

LARGEST_LOSS = float(np.log(1000))
"""Of one image, of a class that did not train for instance: it must not drown all others."""

_PATH = tuple(sorted(PENALTIES, reverse=True))

_ALL = slice(None)


@dataclass(frozen=True)
class Projection:
    """From features to principal components of the training images.

    Attributes:
        mean: (d,), of the features.
        matrix: (d, k), standardises and projects.
    """

    mean: Matrix
    matrix: Matrix

    def apply(self, features: npt.NDArray[np.floating]) -> Matrix:
        """Features (n, d) to components (n, k)."""
        found: Matrix = (features - self.mean) @ self.matrix
        return found


@dataclass(frozen=True)
class Regression:
    """A fitted multinomial logistic regression.

    Attributes:
        coefficients: (k, classes); zeros, with an intercept of minus infinity, for classes that no image trained.
        intercepts: (classes,).
    """

    coefficients: Matrix
    intercepts: Matrix

    def logits(self, components: Matrix) -> Matrix:
        """(n, classes) of components (n, k)."""
        found: Matrix = components @ self.coefficients + self.intercepts
        return found


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Attributes:
        projection: What the regression is laid over.
        penalty: The L2 penalty chosen.
        regression: The regression.
        validated: (n,), the class that cross-validation gave to each training image, by a head that had not seen its
            group; -1 where none was.
    """

    projection: Projection
    penalty: float
    regression: Regression
    validated: ClassCodes

    def logits(self, features: npt.NDArray[np.floating]) -> Matrix:
        """(n, classes) of features (n, d)."""
        with threadpool_limits(1):  # as `fit_head`
            return self.regression.logits(self.projection.apply(features))


@dataclass(frozen=True)
class TrainingSet:
    """What a head is fitted to.

    Attributes:
        features: (n, d).
        classes: int64 (n,), from 0 up.
        n_classes: How many there are, some perhaps without an image.
        groups: int64 (n,); images of one group are never on both sides of the cross-validation.
        weights: (n,), of mean 1, in the loss.
    """

    features: npt.NDArray[np.floating]
    classes: ClassCodes
    n_classes: int
    groups: ClassCodes
    weights: Matrix


def fit_head(examples: TrainingSet) -> Head:
    """Choose components and penalty, and fit a head with them."""
    with threadpool_limits(1):  # the same bits on any number of cores
        projection = _project(examples.features)
        components = projection.apply(examples.features)
        k, penalty, validated = _choose(components, examples)
        regression = regress(components[:, :k], examples, penalty)
    return Head(replace(projection, matrix=projection.matrix[:, :k]), penalty, regression, validated)


def regress(
    components: Matrix,
    examples: TrainingSet,
    penalty: float,
    rows: ClassCodes | slice = _ALL,
    start: Regression | None = None,
) -> Regression:
    """Fit a regression.

    Args:
        components: (n, k), of all examples.
        examples: What it is fitted to.
        penalty: Per image, see `PENALTIES`.
        rows: Which examples.
        start: A regression of much the same, whose coefficients are the first that are tried.
    """
    classes, weights = examples.classes[rows], examples.weights[rows]
    coefficients = np.zeros((components.shape[1], examples.n_classes))
    intercepts = np.full(examples.n_classes, -np.inf)
    found = np.unique(classes)
    if len(found) == 1:  # nothing to distinguish
        intercepts[found] = 0
        return Regression(coefficients, intercepts)
    model = LogisticRegression(C=1 / (penalty * len(classes)), tol=TOLERANCE, max_iter=500)
    if start is not None:
        model.set_params(warm_start=True)
        model.coef_, model.intercept_ = start.coefficients.T[found], start.intercepts[found]
        if len(found) == 2:  # scikit-learn keeps the difference
            model.coef_, model.intercept_ = np.diff(model.coef_, axis=0), np.diff(model.intercept_)
    with warnings.catch_warnings():
        # where classes are all but separable; what it has reached by then is judged like any other
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(components[rows], classes, sample_weight=weights)
    coefficients[:, found], intercepts[found] = _of_every_class(model)
    return Regression(coefficients, intercepts)


def _project(features: npt.NDArray[np.floating]) -> Projection:
    mean, deviation = features.mean(axis=0, dtype=float), features.std(axis=0, dtype=float)
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    k = max(1, min(max(COMPONENTS), *(side - 1 for side in features.shape)))
    # in place: of 70,000 images and 2,560 features it has 1.3 GiB
    standardised = features - mean
    standardised *= scale
    found = PCA(k, copy=False, svd_solver="randomized", random_state=0).fit(standardised)
    return Projection(mean, scale[:, None] * found.components_.T)


def _choose(components: Matrix, examples: TrainingSet) -> tuple[int, float, ClassCodes]:
    """Number of components and penalty with the lowest loss on groups that did not train, and classes given there."""
    folds = _folds(examples)
    best, least, given = (1, PENALTIES[-1]), np.inf, np.full(len(components), -1)
    for k in dict.fromkeys(min(k, components.shape[1]) for k in COMPONENTS):
        losses, classes = _validate(components[:, :k], examples, folds)
        chosen = int(np.argmin(losses))  # the strongest penalty, where all are alike
        if losses[chosen] < least:
            best, least, given = (k, _PATH[chosen]), losses[chosen], classes[chosen]
    return *best, given


def _folds(examples: TrainingSet) -> list[tuple[ClassCodes, ClassCodes]]:
    """Rows that train and rows that validate; none where there is one group."""
    n = min(FOLDS, len(np.unique(examples.groups)))
    if n < 2:
        return []
    splitter = GroupKFold(n, shuffle=True, random_state=0)
    return list(splitter.split(examples.features, examples.classes, examples.groups))


def _validate(
    components: Matrix, examples: TrainingSet, folds: list[tuple[ClassCodes, ClassCodes]]
) -> tuple[Matrix, ClassCodes]:
    """By penalty of `_PATH`: weighted log loss of images that did not train, and the classes that they were given."""
    losses, given = np.zeros(len(_PATH)), np.full((len(_PATH), len(components)), -1)
    for train, validation in folds:
        regression = None  # each penalty begins where the one before it ended
        for number, penalty in enumerate(_PATH):
            regression = regress(components, examples, penalty, train, regression)
            logits = regression.logits(components[validation])
            named = logits[np.arange(len(validation)), examples.classes[validation]]
            each = np.minimum(logsumexp(logits, axis=1) - named, LARGEST_LOSS)
            losses[number] += (each * examples.weights[validation]).sum()
            given[number, validation] = logits.argmax(axis=1)
    return losses, given


def _of_every_class(model: LogisticRegression) -> tuple[Matrix, Matrix]:
    """Coefficients (k, classes) and intercepts; scikit-learn gives one row where there are two classes."""
    coefficients, intercepts = model.coef_, model.intercept_
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    return coefficients.T, intercepts
