"""Mitigations of a linear probe that balance label × camera cells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

from camerabias.trainables.linear_probe.head import ClassCodes, Head, Matrix, TrainingSet, fit_head, regress
from camerabias.trainables.training.balancing import CellNumbers, even_weights, number_cells

ROUNDS, STEP = 20, 0.5
"""Of group DRO: fits, and how fast the weights of cells grow with their loss."""


def fit_balanced(examples: TrainingSet, cells: CellNumbers, balancing: str | None, seed: int) -> Head:
    """Fit a head with cells balanced as a mitigation has it.

    Args:
        examples: What is fitted to.
        cells: int64 (n, 2), codes of label and camera.
        balancing: `reweight`, `resample`, `group_dro`, or None for the images as they are.
        seed: Of what `resample` draws.
    """
    if balancing is None:
        return fit_head(examples)
    if balancing == "resample":
        return fit_head(_resampled(examples, even_weights(cells), seed))
    head = fit_head(replace(examples, weights=even_weights(cells)))
    return head if balancing == "reweight" else _group_dro(head, examples, cells)


def _resampled(examples: TrainingSet, weights: Matrix, seed: int) -> TrainingSet:
    """As many images, drawn with replacement such that cells come up as often."""
    n = len(weights)
    rows = np.random.default_rng([seed, 0x2E5A]).choice(n, n, p=weights / weights.sum())
    return replace(
        examples,
        features=examples.features[rows],
        classes=examples.classes[rows],
        groups=examples.groups[rows],
        weights=examples.weights[rows],
    )


def _group_dro(head: Head, examples: TrainingSet, cells: CellNumbers) -> Head:
    """Raise the weights of the cells with the highest losses, fit by fit (Sagawa et al. 2020, their Algorithm 1)."""
    numbers, n_cells = number_cells(cells)
    counts = np.bincount(numbers)
    components = head.projection.apply(examples.features)
    regression, logarithms = head.regression, np.zeros(n_cells)
    for _ in range(ROUNDS):
        losses = _losses(regression.logits(components), examples.classes)
        logarithms += STEP * np.bincount(numbers, losses) / counts
        weights = softmax(logarithms)[numbers] / counts[numbers] * len(numbers)
        regression = regress(components, replace(examples, weights=weights), head.penalty)
    return replace(head, regression=regression)


def _losses(logits: Matrix, classes: ClassCodes) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = logsumexp(logits, axis=1) - logits[np.arange(len(classes)), classes]
    return found
