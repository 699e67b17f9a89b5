"""Scores of all classes in one cell: lists or objects of labels and scores, as pipelines of Hugging Face give."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from camerabias.datasets.predictions.columns import USUAL_NAMES, PredictionColumns
from camerabias.datasets.reading.words import plainly
from camerabias.datasets.schema import CamerabiasError

SCORE_NAMES = {
    *(
        "score",
        "scores",
        "prob",
        "probs",
        "proba",
        "probability",
        "probabilities",
        "logit",
        "logits",
        "softmax",
    ),
}
"""What people call a column of all scores."""


def unfold_scores(table: pd.DataFrame, asked: PredictionColumns, name: str) -> tuple[pd.DataFrame, list[str]]:
    """A table whose cells of scores by label are columns of their own, and what was done, in sentences.

    Of a column of predictions, the label with the highest score stays. Of one of scores, it becomes the prediction,
    where there is no other. The scores themselves stay where every row has the same labels.

    Args:
        table: The table.
        asked: Names of its columns that were given.
        name: What errors call it.

    Raises:
        CamerabiasError: A column holds scores without their labels.
    """
    notes = []
    for column in map(str, table.columns):
        predicts = column == asked.prediction or plainly(column) in map(plainly, USUAL_NAMES["prediction"])
        if not (predicts or column == asked.scores or plainly(column) in SCORE_NAMES):
            continue
        scores = [_scores(cell) for cell in table[column]] if _is_nested(table[column]) else []
        if scores and all(isinstance(one, dict) and one for one in scores):
            table = _unfolded(table, column, pd.DataFrame(scores, index=table.index), predicts)
            notes.append(f"{column!r} holds scores by label; the label with the highest one is predicted.")
        elif scores and all(isinstance(one, list) and len(one) > 1 for one in scores):
            raise _unnamed(column, len(scores[0] or ()), name)
    return table, notes


def _unfolded(table: pd.DataFrame, column: str, scores: pd.DataFrame, predicts: bool) -> pd.DataFrame:
    best, whole = scores.idxmax(axis=1), scores.notna().all(axis=None) and scores.shape[1] > 1
    table = table.drop(columns=column)
    there = {plainly(name) for name in table.columns} & {*map(plainly, USUAL_NAMES["prediction"])}
    if predicts or not there:
        table = table.assign(**{column if predicts else "prediction": best})
    named = scores.add_prefix("score_" if predicts else f"{column}_")
    return table.assign(**{str(one): named[one] for one in named if whole and one not in table})


def _is_nested(column: pd.Series[Any]) -> bool:
    first = next((cell for cell in column if not isinstance(cell, float)), None)
    return isinstance(first, (list, dict, np.ndarray)) or (
        isinstance(first, str) and first.lstrip()[:1] in ("[", "{")
    )


def _scores(cell: Any) -> dict[str, float] | list[float] | None:
    """Scores by label, or without labels; None where it is neither."""
    cell = _parsed(cell)
    while isinstance(cell, list) and len(cell) == 1:
        cell = cell[0]  # of a batch of one
    if isinstance(cell, dict):
        cell = (
            [cell]
            if {"label", "score"} <= cell.keys()
            else [{"label": k, "score": v} for k, v in cell.items()]
        )
    if not isinstance(cell, list):
        return None
    if all(isinstance(one, Mapping) and _is_number(one.get("score")) and "label" in one for one in cell):
        return {str(one["label"]): float(one["score"]) for one in cell}
    return cell if all(map(_is_number, cell)) else None


def _parsed(cell: Any) -> Any:
    """A cell of text as the JSON, or the Python, that it is."""
    if not isinstance(cell, str):
        return cell.tolist() if isinstance(cell, np.ndarray) else cell
    try:
        return json.loads(cell)
    except ValueError:
        pass
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        return cell


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unnamed(column: str, n: int, name: str) -> CamerabiasError:
    wanted = ", ".join(f"'score_LABEL{number}'" for number in range(1, min(n, 3) + 1))
    more = ", ..." if n > 3 else ""
    return CamerabiasError(
        f"{name} has lists of {n} scores in the column {column!r}, and nothing says of which labels. Give each a "
        f"column (in pandas: table[[{wanted}{more}]] = table.pop({column!r}).tolist()), with your labels in order."
    )
