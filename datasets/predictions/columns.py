"""Which columns of a table of predictions say what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

import pandas as pd

from camerabias.datasets.near_names import near_names
from camerabias.datasets.reading.columns import CAMERA_NAMES, LABEL_NAMES, PATH_NAMES
from camerabias.datasets.reading.splits import find_split
from camerabias.datasets.reading.words import plainly
from camerabias.datasets.schema import CamerabiasError

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "label": LABEL_NAMES,
    "prediction": (
        "prediction", "predicted", "y_pred", "pred", "predicted_label", "pred_label", "predicted_class", "pred_class",
        "y_hat", "output", "predictions", "outputs",
    ),
    "camera": CAMERA_NAMES,
    "predicted_camera": (
        "predicted_camera", "camera_prediction", "camera_pred", "pred_camera", "predicted_device", "device_pred",
    ),
    "group": ("group", "group_id", "patient_id", "patient", "subject_id", "subject", "lesion_id", "object_id"),
    "split": ("split", "subset", "partition"),
    "seed": ("seed",),
    "fold": ("fold",),
    "image": PATH_NAMES,
}  # fmt: skip
"""What people call each column, the surest first; case, blanks, `-` and `_` do not matter."""

SCORE_PREFIXES = ("prob", "proba", "probability", "score", "logit", "softmax", "p", "y_prob", "y_score")
"""What names of columns of scores begin with, and a class follows; the one score of two classes is named so alone."""

REQUIRED = ("label", "camera")
"""The prediction may be the label with the highest score."""


@dataclass(frozen=True)
class PredictionColumns:
    """Names of a table's columns; None takes the usual names of such a column.

    Attributes:
        label: What is true.
        prediction: What the classifier has predicted.
        camera: The device that took the photo.
        scores: The beginning of the names of the columns of scores, or the name of the only one.
        group: What belongs together, such as a patient.
        split: `train` or `test`; training rows tell which label each camera is associated with.
        seed: Which of several trained models has predicted.
        fold: In cross-validation, which part was tested.
        image: The photo's path or name.
        predicted_camera: What a classifier of the camera has predicted.
    """

    label: str | None = None
    prediction: str | None = None
    camera: str | None = None
    scores: str | None = None
    group: str | None = None
    split: str | None = None
    seed: str | None = None
    fold: str | None = None
    image: str | None = None
    predicted_camera: str | None = None


def find_prediction_columns(
    table: pd.DataFrame, asked: PredictionColumns, name: str
) -> tuple[dict[str, str], list[str]]:
    """Our name and the table's of each column but scores, and what was assumed.

    Args:
        table: The table.
        asked: Names that were given.
        name: What errors call the table.

    Raises:
        CamerabiasError: A column is missing, or there are two of its name.
    """
    given = {one.name: getattr(asked, one.name) for one in fields(asked) if one.name != "scores"}
    plain = {plainly(column): str(column) for column in reversed(table.columns)}
    found = {}
    for ours, theirs in given.items():
        usual = next((plain[key] for key in map(plainly, USUAL_NAMES[ours]) if key in plain), None)
        if ours == "prediction" and asked.scores and asked.scores == (theirs or usual):
            continue  # the only score of two classes
        if theirs or usual:
            found[ours] = theirs or str(usual)
    if "split" not in found and (split := find_split(table, found.values())):
        found["split"] = split
    _refuse(table, given, found, name)
    assumed = {
        ours: theirs
        for ours, theirs in found.items()
        if not given[ours] and theirs != ours and ours != "image"  # of which nothing but identity is taken
    }
    if not assumed:
        return found, []
    said = ", ".join(f"{theirs!r} is the {ours.replace('_', ' ')}" for ours, theirs in assumed.items())
    options = ", ".join(f"--{ours.replace('_', '-')}" for ours in assumed)
    return found, [f"By the names of columns, {said}; {options} would name others."]


def no_column(table: pd.DataFrame, ours: str, name: str, otherwise: str = "") -> CamerabiasError:
    """The error of a column that is missing.

    Args:
        table: The table.
        ours: Our name of the column.
        name: What the error calls the table.
        otherwise: What could be done beside naming it, from a comma on.
    """
    return CamerabiasError(
        f"{name} has no column of the {ours}, by any name such as {', '.join(USUAL_NAMES[ours][:4])}; it has "
        f"{', '.join(map(str, table.columns))}. Name it with --{ours}{otherwise}."
    )


def _refuse(
    table: pd.DataFrame,
    given: Mapping[str, str | None],
    found: Mapping[str, str],
    name: str,
) -> None:
    has = ", ".join(map(str, table.columns))
    for ours in (ours for ours in REQUIRED if ours not in found):
        raise no_column(table, ours, name)
    for ours, theirs in found.items():
        if theirs not in table:
            raise CamerabiasError(
                f"{name} has no column {theirs!r}, which --{ours.replace('_', '-')} names"
                f"{near_names(theirs, map(str, table.columns))}; it has {has}."
            )
        if f"{theirs} (2)" in table:
            raise CamerabiasError(f"{name} has two columns {theirs!r}; rename one of them.")
    if found.get("label") is not None and found["label"] == found.get("prediction"):
        raise CamerabiasError(
            f"{name}: the column {found.get('label')!r} cannot be both the true label and the prediction; name the "
            "other one with --label or --prediction."
        )


def find_score_columns(table: pd.DataFrame, asked: str | None, taken: set[str], name: str) -> list[str]:
    """Columns of scores: those asked for, or those with a usual name.

    Raises:
        CamerabiasError: None is as was asked for.
    """
    free = [str(column) for column in table.columns if column not in taken]
    if asked is not None:
        exact = [column for column in free if column == asked]
        found = exact or [column for column in free if column.startswith(asked)]
        if not found:
            raise CamerabiasError(
                f"{name} has no column that is, or begins with, {asked!r}, as --scores names it; it has "
                f"{', '.join(map(str, table.columns))}."
            )
        return found
    for prefix in SCORE_PREFIXES:
        if found := [column for column in free if _begins(column, prefix)]:
            return found
    return []


def _begins(column: str, prefix: str) -> bool:
    """Whether a column is named PREFIX, or PREFIX, a sign that separates words, and more."""
    return re.fullmatch(rf"{prefix.replace('_', '[_ ]?')}s?([\W_].*)?", column, re.IGNORECASE) is not None
