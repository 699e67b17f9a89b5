"""How far label and camera can be predicted without a pixel: from the camera's name, or from headers.

What a baseline finds is a floor: a network that sees the pixels sees traces of size, format and compression as well.
"""

from __future__ import annotations

from math import nan
from typing import Literal, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.association import permutation_units, permuted_counts
from camerabias.analysis.statistics.bootstrap import Estimate, Floats
from camerabias.analysis.statistics.permutation import LEVEL, Codes, holm, p_value
from camerabias.datasets.schema import N_FOLDS, Target

Feature = Literal["camera", "size", "format", "tables", "exif", "pages", "all headers"]

NONE = "none"
"""Tables of what is no JPEG, EXIF of a file without."""


class MetadataBaseline(BaseModel):
    """How well label or camera is predicted from a feature of the metadata.

    Attributes:
        target: What is predicted.
        feature: What it is predicted from.
        values: How many values the feature takes; of one nothing can be predicted.
        accuracy: Share of photos that are predicted right, out of fold.
        majority_baseline: The share of the commonest class.
        p: Share of permutations of classes between whole groups that come to as much; NaN of a single value.
        p_holm: Corrected for all baselines of the same target.
    """

    model_config = ConfigDict(frozen=True)

    target: Target
    feature: Feature
    values: int
    accuracy: Estimate
    majority_baseline: float
    p: float
    p_holm: float

    @property
    def works(self) -> bool:
        """Whether the feature predicts the target: significantly, and by more than naming the commonest class."""
        return self.p_holm <= LEVEL and self.accuracy.mean > self.majority_baseline


def metadata_baselines(facts: pd.DataFrame) -> list[MetadataBaseline]:
    """Predict the label and the camera from every feature.

    Args:
        facts: As `datasets.facts.gather_facts` gives them.

    Returns:
        A baseline per target and feature.
    """
    features = _features(facts)
    found = []
    for target in get_args(Target):
        baselines = [
            _baseline(facts, target, feature, values)
            for feature, values in features.items()
            if feature != target
        ]
        corrected = holm([one.p for one in baselines])
        found += [one.model_copy(update={"p_holm": p}) for one, p in zip(baselines, corrected, strict=True)]
    return found


def _features(facts: pd.DataFrame) -> dict[Feature, pd.Series[str]]:
    headers: dict[Feature, pd.Series[str]] = {
        "size": _sizes(facts),
        "format": facts["format"].astype(str),
        "tables": facts["tables"].fillna(NONE).astype(str),
        "exif": facts["exif"].fillna(NONE).astype(str),
    }
    if "pages" in facts:  # those of earlier runs do not have them
        headers["pages"] = facts["pages"].fillna(1).astype(int).astype(str)
    together = pd.Series([*map(" | ".join, zip(*headers.values(), strict=True))], facts.index)
    return {"camera": facts["camera"].astype(str), **headers, "all headers": together}


def _sizes(facts: pd.DataFrame) -> pd.Series[str]:
    """Sizes that at least as many groups have as there are folds are values of their own, the others by steps of √2.

    So many, since a rarer size is unknown in some fold; √2, since a size that is cut by hand says no more than how
    large an object looked.
    """
    exact = facts["width"].astype(str) + " × " + facts["height"].astype(str)
    common = facts["group"].groupby(exact).transform("nunique") >= N_FOLDS
    steps = (2 * np.log2(facts[["width", "height"]])).round() / 2
    about = (2**steps).round().astype(int).astype(str)
    return exact.where(common, "about " + about["width"] + " × " + about["height"])


def _baseline(
    facts: pd.DataFrame, target: Target, feature: Feature, values: pd.Series[str]
) -> MetadataBaseline:
    codes, names = pd.factorize(values)
    classes = pd.factorize(facts[target], sort=True)[0]
    cells = facts["fold"].to_numpy() * len(names) + codes
    counts = np.zeros((N_FOLDS * len(names), classes.max() + 1))
    np.add.at(counts, (cells, classes), 1)
    predicted = best_predictions(counts)[cells]
    rows = pd.DataFrame({"group": facts["group"], "prediction": predicted, "truth": classes})
    p = nan
    if len(names) > 1 and classes.max() > 0:
        units = permutation_units(pd.factorize(facts["group"])[0], codes, classes)
        permuted = permuted_counts(cells, len(counts), classes, units)
        p = p_value(float(_right(counts)), np.concatenate([_right(some) for some in permuted]))
    return MetadataBaseline(
        target=target,
        feature=feature,
        values=len(names),
        accuracy=accuracy([rows]),
        majority_baseline=float(np.bincount(classes).max() / len(classes)),
        p=p,
        p_holm=p,
    )


def best_predictions(counts: Floats) -> Codes:
    """The class that a feature suggests in each fold: the commonest with the feature's value in the other folds.

    Args:
        counts: (..., `N_FOLDS` × values, classes).

    Returns:
        Numbers of classes, (..., `N_FOLDS` × values). Ties go to the class that is commoner over all values, and so
        does a value that the other folds lack.
    """
    by_fold = counts.reshape(*counts.shape[:-2], N_FOLDS, -1, counts.shape[-1])
    others = by_fold.sum(axis=-3, keepdims=True) - by_fold
    overall = others.sum(axis=-2, keepdims=True)
    others += overall / (
        1 + overall.sum(axis=-1, keepdims=True)
    )  # below 1, the smallest difference of counts
    return np.asarray(others.argmax(axis=-1).reshape(counts.shape[:-1]))


def _right(counts: Floats) -> Floats:
    """How many predictions are right, or would be by naming the commonest class: less than that is no finding."""
    hits = np.take_along_axis(counts, best_predictions(counts)[..., None], axis=-1).sum(axis=(-2, -1))
    return np.asarray(np.maximum(hits, counts.sum(axis=-2).max(axis=-1)))
