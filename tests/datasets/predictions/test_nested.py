"""Scores of all classes in one cell."""

import json

import numpy as np
import pandas as pd
import pytest

from camerabias.datasets.predictions.columns import PredictionColumns
from camerabias.datasets.predictions.table import read_predictions
from camerabias.datasets.schema import CamerabiasError

SCORES = [{"cat": 0.9, "dog": 0.1}, {"cat": 0.25, "dog": 0.75}] * 3

SHAPES = {
    "pipeline": lambda scores: [{"label": label, "score": score} for label, score in scores.items()],
    "batch of one": lambda scores: [[{"label": label, "score": score} for label, score in scores.items()]],
    "object": lambda scores: scores,
    "JSON": json.dumps,
    "Python": lambda scores: str([{"label": label, "score": score} for label, score in scores.items()]),
}


def rows(cells, column):
    return pd.DataFrame({"label": ["cat", "dog"] * 3, "camera": ["A", "B", "B"] * 2, column: cells})


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("column", ["prediction", "output"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "frame"])
def test_the_label_with_the_highest_score_is_predicted_and_that_is_said(tmp_path, shape, column, ending):
    table, path = rows([SHAPES[shape](one) for one in SCORES], column), tmp_path / f"t.{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    elif ending == "jsonl":
        table.to_json(path, orient="records", lines=True)
    read = read_predictions(table if ending == "frame" else path, PredictionColumns())
    assert [*read.rows["prediction"]] == ["cat", "dog"] * 3
    assert read.scores.to_dict("list") == {"score_cat": [0.9, 0.25] * 3, "score_dog": [0.1, 0.75] * 3}
    assert f"{column!r} holds scores by label; the label with the highest one is predicted." in read.notes


@pytest.mark.parametrize("beside", [{}, {"prediction": "dog"}])
def test_a_column_of_all_scores_predicts_where_no_other_does(beside):
    table = rows(SCORES, "probs").assign(**beside)
    for columns in (PredictionColumns(), PredictionColumns(scores="probs")):
        read = read_predictions(table, columns)
        assert [*read.rows["prediction"]] == (["dog"] * 6 if beside else ["cat", "dog"] * 3)
        assert read.scores.to_dict("list") == {"probs_cat": [0.9, 0.25] * 3, "probs_dog": [0.1, 0.75] * 3}


def test_objects_in_other_columns_are_left_alone():
    table = rows(["cat", "dog"] * 3, "prediction").assign(size=[{"width": 3, "height": 4}] * 6)
    assert read_predictions(table, PredictionColumns()).notes == ()


@pytest.mark.parametrize("one", [{"label": "cat", "score": 0.9}, [{"label": "cat", "score": 0.9}]])
def test_the_best_label_alone_is_a_prediction_without_scores(one):
    other = json.loads(json.dumps(one).replace("cat", "dog"))
    read = read_predictions(rows([one, other] * 3, "prediction"), PredictionColumns())
    assert [*read.rows["prediction"]] == ["cat", "dog"] * 3
    assert read.scores.empty


@pytest.mark.parametrize("cell", [[0.9, 0.1], np.array([0.9, 0.1]), "[0.9, 0.1]"])
def test_scores_without_labels_are_refused_with_what_to_do(cell):
    with pytest.raises(
        CamerabiasError, match=r"of 2 scores in the column 'probs'.*'score_LABEL1', 'score_LABEL2'"
    ):
        read_predictions(rows([cell] * 6, "probs"), PredictionColumns())
