"""The numbers that the paper prints, and how sure they can be."""

from __future__ import annotations

from functools import cache
from importlib import resources
from math import nan

import pandas as pd

from camerabias.analysis.statistics.bootstrap import Estimate, exact_interval

TEST_PHOTOS = 309
"""10 % of 3,090 (paper, section III)."""

SEEDS = 4

DOWNSAMPLED = ("alexnet", "vgg16")
"""The models that see 224 of 1024 pixels (paper, section IV-B)."""


def printed_numbers() -> pd.DataFrame:
    """Tables I to VI of "Camera Bias in a Fine Grained Classification Task", a row per number.

    Jittered training (Table IV) is entered as tested on plain photos; the paper does not say.

    Returns:
        Columns table, target, setting, train_view, test_view, model, accuracy.
    """
    with (resources.files("camerabias.analysis.paper") / "results.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream)


@cache
def _by_key() -> dict[tuple[str, ...], float]:
    frame = printed_numbers()
    keys = frame.drop(columns="accuracy").itertuples(index=False, name=None)
    return dict(zip(keys, frame["accuracy"], strict=True))


def printed_accuracy(
    target: str, setting: str, train_view: str, test_view: str, model: str, *, table: str | None
) -> float:
    """The number that a table of the paper prints; NaN where it prints none."""
    return _by_key().get((table or "", target, setting, train_view, test_view, model), nan)


def printed_range(
    target: str, setting: str, train_view: str, test_view: str, *, table: str | None
) -> tuple[float, float]:
    """The lowest and the highest number that a table of the paper prints for its models; NaN where it prints none."""
    asked = (table or "", target, setting, train_view, test_view)
    found = [accuracy for key, accuracy in _by_key().items() if key[:-1] == asked]
    return (min(found), max(found)) if found else (nan, nan)


def printed_estimate(accuracy: float) -> Estimate:
    """A printed accuracy with the 95 % interval that 309 photos allow.

    The exact one, with as many right photos as the mean over four seeds comes to: the seeds test the same
    photos, so that they are not four times as many.
    """
    return Estimate(accuracy, *exact_interval(accuracy * TEST_PHOTOS, TEST_PHOTOS), SEEDS, TEST_PHOTOS)
