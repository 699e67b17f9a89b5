"""What photos add to a sum over cameras' associated labels, as they are and after their cameras are permuted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.counts import count_units, counted_sums
from camerabias.analysis.statistics.mixed_groups import CameraScores
from camerabias.analysis.statistics.permutation import Codes, by_image, camera_permutations


def indicators(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """0 or 1 per row and label that some camera is associated with: whether it stands in the column."""
    names = sorted(rows["associated"].dropna().unique())
    return pd.DataFrame({name: rows[column] == name for name in names}, index=rows.index, dtype=float)


def within_label(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """`indicators` minus their means over photos of the same label and seed."""
    given = indicators(rows, column)
    return given - given.groupby([rows["label"], rows["seed"]]).transform("mean")


def permuted_sums(rows: pd.DataFrame, scores: pd.DataFrame, n: int) -> tuple[float, Floats]:
    """The sum of the scores that photos have for their camera's associated label: as it is, and after n permutations.

    Args:
        rows: Predictions with the columns seed and associated.
        scores: As many rows, a column per associated label.
        n: How many permutations.
    """
    images, sums = by_image(rows, scores)
    by_camera = _by_camera(images, sums, associated_of(rows))
    codes = pd.factorize(images["camera"], sort=True)[0]
    blocks = count_units(images, sums.to_numpy(), class_codes(rows, images, sums.columns))
    if blocks is not None:
        return float(by_camera[np.arange(len(images)), codes].sum()), counted_sums(blocks, n)
    first = np.arange(len(images)) * by_camera.shape[1]

    def total(codes: Codes) -> Floats:
        found: Floats = by_camera.take(first + codes).sum(axis=-1)
        return found

    return float(total(codes)), np.concatenate([total(some) for some in camera_permutations(images, n)])


def camera_scores(rows: pd.DataFrame) -> CameraScores:
    """What photos add to the two sums whose ratio is the risk difference, by whichever camera took them.

    What is expected of a photo's label and seeds is taken off, so that also sums over a group are centred.

    Args:
        rows: Predictions with the columns seed and associated.
    """
    associated = associated_of(rows)
    both = {"followed": within_label(rows, "prediction"), "could": within_label(rows, "associated")}
    mean = indicators(rows, "associated") - both["could"]
    expected = pd.DataFrame({name: (scores * mean).sum(axis=1) for name, scores in both.items()})
    images, sums = by_image(rows, pd.concat({**both, "expected": expected}, axis=1))
    followed, could = (
        _by_camera(images, sums[[name]].droplevel(0, axis=1), associated)
        - sums[[("expected", name)]].to_numpy()
        for name in both
    )
    return CameraScores(images, followed, could)


def class_codes(rows: pd.DataFrame, images: pd.DataFrame, names: pd.Index[str]) -> Codes:
    """Which of the names is the associated label of each image's camera; their number of cameras that have none."""
    code: Codes = names.get_indexer(pd.Index(associated_of(rows).loc[images["camera"]].array))
    return np.where(code < 0, len(names), code)


def associated_of(rows: pd.DataFrame) -> pd.Series[str]:
    """Associated label by camera; NaN of those that have none."""
    return rows.drop_duplicates("camera").set_index("camera")["associated"]


def _by_camera(images: pd.DataFrame, sums: pd.DataFrame, associated: pd.Series[str]) -> Floats:
    """Of n images the score that they would have with each camera, n × cameras: 0 without an associated label."""
    cameras = sorted(images["camera"].unique())
    return sums.reindex(columns=associated[cameras]).fillna(0).to_numpy()
