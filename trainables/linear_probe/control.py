"""What a head would be without the association: a control head, its cells weighted to independence, and sham heads.

How much larger the risk difference of the head itself (*exposed*) is than the control's says what comes from the
association of label and camera in training, and not from cameras that are simply harder. Shams have the control's
weights in another order: what weighting alone does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.linear_probe.head import ClassCodes, Matrix, Regression, regress
from camerabias.trainables.linear_probe.subject import LinearSubject
from camerabias.trainables.records.record import ProbeArrays
from camerabias.trainables.training.balancing import CellNumbers

SHAMS = 199
"""Sham heads: the smallest p is 0.005."""

LEAST_EFFECTIVE = 0.5
"""Share of the training images below which a weighted sample is too small to compare with."""


def control_predictions(subject: LinearSubject) -> ProbeArrays:
    """Classes that the control head and the sham heads give to the test images.

    Returns:
        `effective`, the effective share of the training images; `control`, (n,) codes of classes; `shams`,
        (`SHAMS`, n). Of a training set that cannot be weighted, no more than `why`.
    """
    examples, cells = subject.training, subject.cells
    try:
        weights = independent_weights(cells)
    except CamerabiasError as error:
        return {"why": np.array(str(error))}
    head, generator = subject.head, np.random.default_rng([subject.data.config.seed, 0x5AA])
    with threadpool_limits(1):
        train = head.projection.apply(examples.features)
        test = head.projection.apply(subject.features("test")[0, subject.data.parts.test])
        control = regress(train, replace(examples, weights=weights), head.penalty)
        units = weight_units(examples.groups, cells[:, 0])
        shams = []
        for _ in range(SHAMS):
            sham = replace(examples, weights=permute_weights(weights, units, cells[:, 0], generator))
            shams.append(_classes(regress(train, sham, head.penalty, start=control), test))
    return {
        "effective": np.array(effective_share(weights)),
        "control": _classes(control, test),
        "shams": np.stack(shams).astype(np.int16),
    }


def independent_weights(cells: CellNumbers) -> Matrix:
    """Weights of images under which label and camera are independent, each as frequent as before; of mean 1.

    Args:
        cells: int64 (n, 2), codes of label and camera.

    Raises:
        CamerabiasError: A camera has no photo of a label, or so few that less than half of the sample is left.
    """
    counts = pd.crosstab(cells[:, 0], cells[:, 1]).to_numpy(float)
    if not counts.all():
        raise CamerabiasError("some cameras have no training photo of some labels")
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    labels, cameras = (np.unique(codes, return_inverse=True)[1] for codes in cells.T)
    weights: Matrix = (expected / counts)[labels, cameras]
    if effective_share(weights) < LEAST_EFFECTIVE:
        raise CamerabiasError(
            f"weighted to independence, the training photos count as {effective_share(weights):.0%} of them"
        )
    return weights


def effective_share(weights: Matrix) -> float:
    """Kish's effective sample size over the number of images."""
    return float(weights.sum() ** 2 / (weights**2).sum() / len(weights))


def weight_units(groups: ClassCodes, labels: ClassCodes) -> ClassCodes:
    """Numbers of what keeps together when weights are permuted: the images of a group with one label."""
    units: ClassCodes = pd.factorize(pd.Series(list(zip(groups, labels, strict=True))))[0].astype(np.int64)
    return units


def permute_weights(
    weights: Matrix, units: ClassCodes, labels: ClassCodes, generator: np.random.Generator
) -> Matrix:
    """The mean weights of units, dealt out anew among the units of each label; of mean 1."""
    means = np.bincount(units, weights) / np.bincount(units)
    label_of = np.zeros(len(means), dtype=np.int64)
    label_of[units] = labels
    dealt = np.empty_like(means)
    for label in np.unique(label_of):
        members = np.flatnonzero(label_of == label)
        dealt[members] = means[generator.permutation(members)]
    permuted = dealt[units]
    return np.asarray(permuted / permuted.mean())


def _classes(regression: Regression, components: Matrix) -> ClassCodes:
    found: ClassCodes = regression.logits(components).argmax(axis=1)
    return found
