"""Tables of predictions as people have them."""

import numpy as np
import pandas as pd
import pytest

from camerabias.datasets.predictions.columns import PredictionColumns
from camerabias.datasets.predictions.table import read_predictions, read_training
from camerabias.datasets.schema import CamerabiasError

AS_USUAL = PredictionColumns()


def frame(n=12, **columns):
    """Predictions of two labels by two cameras."""
    rows = {
        "label": np.resize(["cat", "dog"], n),
        "prediction": np.resize(["cat", "dog", "dog"], n),
        "camera": np.resize(["A", "A", "B", "B"], n),
    }
    return pd.DataFrame(rows | columns)


def test_columns_of_usual_names_are_found_and_said():
    names = {"label": "y_true", "prediction": "Y Pred", "camera": "Device"}
    read = read_predictions(frame().rename(columns=names), AS_USUAL)
    assert read.rows[[*names]].to_dict("list") == frame().to_dict("list")
    assert read.notes == (
        "By the names of columns, 'y_true' is the label, 'Y Pred' is the prediction, 'Device' is the camera; "
        "--label, --prediction, --camera would name others.",
    )


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".jsonl", ".json", "-of-pandas.json"])
def test_any_table_that_photos_are_imported_from_is_read(tmp_path, ending):
    rows, path = frame(prob_cat=0.25, prob_dog=0.75), tmp_path / f"predictions{ending}"
    write = {
        ".csv": lambda: rows.to_csv(path, index=False),
        ".tsv": lambda: rows.to_csv(path, index=False, sep="\t"),
        ".parquet": lambda: rows.to_parquet(path),
        ".jsonl": lambda: rows.to_json(path, orient="records", lines=True),
        ".json": lambda: rows.to_json(path, orient="records"),
        "-of-pandas.json": lambda: rows.to_json(path),
    }
    write[ending]()
    read = read_predictions(path, AS_USUAL)
    assert read.rows["prediction"].tolist() == rows["prediction"].tolist()
    assert read.scores.equals(rows[["prob_cat", "prob_dog"]])


def test_options_name_columns_before_usual_names_do():
    rows = frame(truth=["dog"] * 12, score=0.5, confidence=0.75)
    read = read_predictions(rows, PredictionColumns(label="truth", scores="confidence"))
    assert set(read.rows["label"]) == {"dog"}
    assert read.scores.columns.tolist() == ["confidence"]


def test_whole_numbers_are_the_same_words_however_they_are_written():
    rows = frame(label=np.resize(["0", "1"], 12), prediction=np.resize([1.0, 0.0], 12))
    read = read_predictions(rows, AS_USUAL)
    assert set(read.rows["prediction"]) == set(read.rows["label"]) == {"0", "1"}


@pytest.mark.parametrize("options", [{}, {"scores": "prediction"}, {"scores": "pred"}])
@pytest.mark.parametrize(("labels", "second"), [([0, 1], "1"), ([False, True], "True")])
def test_the_only_score_of_two_labels_predicts_the_second_from_a_half_on(options, labels, second):
    scores = np.linspace(0, 1, 11)
    rows = frame(11, label=np.resize(labels, 11), prediction=scores)
    if options.get("scores") == "pred":
        rows = rows.rename(columns={"prediction": "pred"})
    read = read_predictions(rows, PredictionColumns(**options))
    assert (read.rows["prediction"] == second).tolist() == (scores >= 0.5).tolist()
    assert read.scores.iloc[:, 0].tolist() == scores.tolist()
    assert f"holds scores of '{second}', which counts as predicted from 0.5 on" in read.notes[-1]


def test_the_advice_for_scores_of_named_labels_works():
    rows = frame(prediction=np.linspace(0.1, 0.9, 12))
    rows["predicted"] = np.where(rows["prediction"] >= 0.5, "dog", "cat")
    read = read_predictions(rows, PredictionColumns(prediction="predicted", scores="prediction"))
    assert read.rows["prediction"].tolist() == ["cat"] * 6 + ["dog"] * 6
    assert read.scores["prediction"].equals(rows["prediction"])


def test_sets_of_labels_are_judged_one_against_the_rest():
    rows = frame(label=np.resize(["cat|dog", "dog", "owl"], 12), prediction=np.resize(["cat", "owl"], 12))
    rows = rows.assign(prob_cat=0.1, prob_dog=0.2, prob_owl=0.3)
    read = read_predictions(rows, AS_USUAL, "cat")
    assert read.rows["label"].tolist() == ["cat", "not cat", "not cat"] * 4
    assert read.rows["prediction"].tolist() == ["cat", "not cat"] * 6
    assert read.scores.columns.tolist() == ["prob_cat"]


def test_seeds_and_folds_are_models_and_images_are_recognised_across_them():
    rows = frame(
        image=np.repeat(["x", "y", "z"], 4), seed=np.resize([7, 8], 12), fold=np.resize([0, 0, 1, 1], 12)
    )
    read = read_predictions(rows, AS_USUAL).rows
    assert read["seed"].nunique() == 4
    assert read.groupby("image_id")["image"].unique().map(list).tolist() == [["x"], ["y"], ["z"]]
    assert read["group"].equals(read["image_id"])


def test_rows_of_one_photo_are_a_group():
    read = read_predictions(frame(image=np.repeat(["x", "y", "z"], 4)), AS_USUAL)
    assert read.rows["image_id"].is_unique
    assert read.rows["group"].tolist() == np.repeat([0, 1, 2], 4).tolist()
    assert "Rows with the same image count as one group." in read.notes[-1]


def test_a_photo_without_a_group_is_one_of_its_own():
    read = read_predictions(frame(4, patient_id=["p", None, "p", None]), AS_USUAL).rows["group"]
    assert read[0] == read[2]
    assert read.nunique() == 3


def test_sides_of_a_split_have_our_names():
    rows = frame(split=np.resize(["Training", "valid"], 12))
    assert read_predictions(rows, AS_USUAL).rows["split"].tolist() == ["train", "test"] * 6


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (frame().drop(columns="label"), {}, "no column of the label, by any name such as label, y_true.*--label"),
        (frame(), {"camera": "phone"}, "no column 'phone', which --camera names; it has label, prediction, camera"),
        (frame(), {"label": "prediction"}, "cannot be both the true label and the prediction"),
        (frame(prediction=["cat", None] * 6), {}, "no prediction in 6 of 12 rows .first: data row 2."),
        (frame(prediction=["cat", np.nan] * 6), {}, "no prediction in 6 of 12 rows"),
        (frame(camera=["A", None] * 6), {}, "no camera in 6 of 12 rows"),
        (frame(prediction=["Katze", "Hund"] * 6), {}, "12 of 12 predictions are no label.*'Hund', 'Katze'"),
        (frame(prediction=np.linspace(0.1, 0.9, 12)), {}, "give --prediction predicted --scores 'prediction'"),
        (frame(prediction=np.linspace(0.1, 0.9, 12)), {"scores": "prediction"}, "--prediction predicted --scores"),
        (frame(label=["a", "b", "c"] * 4, prediction=0.3), {}, "If these are scores, give one of every label"),
        (frame(prediction=["0", "1"] * 6), {}, "If numbers are indices of classes.* class_indices"),
        (frame(prediction=["LABEL_0", "LABEL_1"] * 6), {}, "write names, as in the model's id2label"),
        (frame(prediction=np.linspace(10, 90.5, 12), label=[0, 1] * 6), {}, "scores in percent, divide them by 100"),
        (frame(prediction="tensor(1, device='cuda:0')"), {}, "printed tensors or arrays.* .item"),
        (frame(prob_cat=["0.5", "high"] * 6), {}, "has 'high' as prob_cat in data row 2 .6 such rows., where scores"),
        (frame(prob_cat=[0.5, np.inf] * 6), {}, "has 'inf' as prob_cat in data row 2"),
        (frame(), {"scores": "logit"}, "no column that is, or begins with, 'logit', as --scores names it"),
        (frame(split="train"), {}, "has no test rows: its column 'split' holds 'train'"),
        (frame(split=["public", "private"] * 6), {}, "has no test rows: its column 'split' holds 'public'"),
        (frame().head(0), {}, "has no rows"),
        (frame(label=[["cat"], ["dog"]] * 6), {}, "holds lists or objects"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(rows, options, said):
    with pytest.raises(CamerabiasError, match=said):
        read_predictions(rows, PredictionColumns(**options))


def test_two_columns_of_a_name_are_refused(tmp_path):
    (tmp_path / "p.csv").write_text("label,prediction,camera,label\ncat,cat,A,dog\n")
    with pytest.raises(CamerabiasError, match="two columns 'label'"):
        read_predictions(tmp_path / "p.csv", AS_USUAL)


def test_a_few_predictions_of_other_labels_are_wrong_and_said():
    read = read_predictions(frame(prediction=["cat"] * 11 + ["owl"]), AS_USUAL)
    assert "1 of 12 predictions are no label of the column 'label' and count as wrong" in read.notes[-1]


def test_predictions_in_another_case_are_the_labels_that_they_spell():
    read = read_predictions(frame(prediction=["Cat", "DOG "] * 6), AS_USUAL)
    assert read.rows["prediction"].tolist() == ["cat", "dog"] * 6
    assert "Predictions that differ from a label in case alone ('Cat', 'DOG') are that label." in read.notes
    labels = np.resize(["cat", "Cat", "dog"], 12)
    read = read_predictions(frame(label=labels, prediction=np.resize(["cat", "Cat", "Dog"], 12)), AS_USUAL)
    assert read.rows["prediction"].tolist()[:3] == ["cat", "Cat", "Dog"], "labels that differ so are labels"


def test_a_score_of_whatever_is_predicted_is_no_class_s_and_that_is_said():
    read = read_predictions(frame(score=0.8), AS_USUAL)
    assert read.scores.empty
    assert "'score' is never below 0.5, whatever is predicted" in read.notes[-1]
    read = read_predictions(frame(score=np.resize([0.2, 0.9, 0.7], 12)), AS_USUAL)
    assert [*read.scores] == ["score"]


def test_training_is_read_by_the_same_names_or_usual_ones():
    trained = pd.DataFrame({"target": ["1.0", "0"], "device": ["A", "B"], "patient": ["p", "p"]})
    rows, notes = read_training(trained, PredictionColumns(label="y", camera="device"))
    assert rows.to_dict("list") == {"label": ["1", "0"], "camera": ["A", "B"], "group": [0, 0]}
    assert notes[0].startswith("Of the training table: By the names of columns, 'target' is the label")
    with pytest.raises(CamerabiasError, match="no column of the camera"):
        read_training(trained.drop(columns="device"), AS_USUAL)


def test_decimal_commas_are_read_and_said(tmp_path):
    rows = frame(prob_cat="0,25", prob_dog="0,75")
    rows.to_csv(tmp_path / "t.csv", index=False, sep=";")
    read = read_predictions(tmp_path / "t.csv", AS_USUAL)
    assert read.scores.equals(frame(prob_cat=0.25, prob_dog=0.75)[["prob_cat", "prob_dog"]])
    assert "Commas are read as decimal points in 'prob_cat', 'prob_dog'." in read.notes
    alone = frame(n=4, label=["0", "1", "0", "1"], prediction=["0,2", "0,9", "0,6", "0,4"])
    assert [*read_predictions(alone, AS_USUAL).rows["prediction"]] == ["0", "1", "1", "0"]
    with pytest.raises(CamerabiasError, match="has '1,234,5' as prob_cat"):
        read_predictions(frame(prob_cat="1,234,5"), AS_USUAL)


def test_columns_named_as_labels_beside_predictions_are_no_scores_and_that_is_said():
    read = read_predictions(frame(cat=0.5, dog=0.5), AS_USUAL)
    assert read.scores.empty
    assert "rename 'cat' to 'prob_cat'" in read.notes[0]


def test_a_workbook_is_named_as_one(tmp_path):
    with pytest.raises(CamerabiasError, match="an Excel workbook: save the sheet as CSV"):
        read_predictions(tmp_path / "p.xlsx", AS_USUAL)


@pytest.mark.parametrize(
    ("cat", "dog"), [("25%", "75%"), ("25,0 %", "75.0%"), ("0.25", "75%"), (0.25, "75 %")]
)
def test_percents_are_parts_of_one_and_that_is_said(cat, dog):
    read = read_predictions(frame(prob_cat=cat, prob_dog=dog).drop(columns="prediction"), AS_USUAL)
    assert read.scores.equals(frame(prob_cat=0.25, prob_dog=0.75)[["prob_cat", "prob_dog"]])
    assert {*read.rows["prediction"]} == {"dog"}
    assert any("Percents are read as parts of 1 in" in note for note in read.notes)


def test_a_percent_predicts_the_second_label_from_a_half_on():
    read = read_predictions(
        frame(4, label=["0", "1"] * 2, prediction=["49.9%", "50%", "3 %", "100%"]), AS_USUAL
    )
    assert [*read.rows["prediction"]] == ["0", "1", "0", "1"]
