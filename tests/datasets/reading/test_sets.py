"""Labels that are sets of several."""

import pandas as pd
import pytest

from camerabias.datasets.predictions.columns import PredictionColumns
from camerabias.datasets.predictions.table import read_predictions
from camerabias.datasets.reading.words import look_at_words
from camerabias.datasets.schema import CamerabiasError

PLANTS = [
    "healthy",
    "scab",
    "scab frog_eye",
    "frog_eye",
    "rust",
    "rust frog_eye",
    "frog_eye complex",
    "complex",
]


def test_sets_are_recognised(read):
    _, notes = read(["Edema|Mass", "Mass", "Edema|Nodule", "Nodule|Mass", "Edema|Mass|Nodule"])
    assert "Labels look like sets: 5 labels are combinations of 3 words, joined by '|'." in notes[0]
    assert "--one-vs-rest 'Edema'" in notes[0]
    assert read(["yes/no", "A"])[1] == ()


@pytest.mark.parametrize(
    ("labels", "separator", "several"),
    [
        (["deer", "fox", "deer|fox", "empty"], "|", 3),
        (["deer|hare", "fox"], "|", 3),
        (["a", "b", "b; a"], ";", 3),
    ],
)
def test_a_single_set_is_recognised_by_its_members_or_its_bar(read, labels, separator, several):
    (note,) = read(labels)[1]
    assert f"joined by '{separator}'" in note
    assert f"{several} photos have several" in note


def test_sets_and_measurements_are_said_where_nothing_can_be_learned(read):
    with pytest.raises(CamerabiasError, match=r"Labels look like sets.*--one-vs-rest"):
        read([f"Mass|{n}" for n in range(12)], each=1)
    numbers = [str(n) for n in range(5, 50)]
    with pytest.raises(CamerabiasError, match=r"^30 of 60 photos .*45 different numbers from 5 to 49.*bins"):
        read([*numbers, *numbers[:15]], each=1)
    assert "Labels are 25 different numbers from 0 to 24" in read([str(n) for n in range(25)])[1][0]
    assert read([str(n) for n in range(10)])[1] == ()


def test_one_member_of_a_set_can_be_the_question(read):
    labels, _ = read(["Edema|Mass", "Mass", "Nodule"], one_vs_rest="Mass")
    assert labels == ["Mass", "Mass", "not Mass"] * 3
    with pytest.raises(CamerabiasError, match=r"No photo has the label 'Tumor' .* labels hold"):
        read(["Edema|Mass", "Mass"], one_vs_rest="Tumor")
    with pytest.raises(CamerabiasError, match="Every photo"):
        read(["Edema|Mass", "Mass"], one_vs_rest="Mass")


def test_lists_can_be_asked_about_one_member_too(read):
    assert read([["a", "b"], ["b"], ["c"]], one_vs_rest="a")[0] == ["a", "not a", "not a"] * 3


def test_the_separator_of_sets_may_be_any_also_a_blank(read):
    for separator in ("|", ";", ",", "+", "&", "/", " "):
        labels = [label.replace(" ", separator) for label in PLANTS]
        (note,) = read(labels)[1]
        assert note.startswith("Labels look like sets: 8 labels are combinations of 5 words, joined by")
        found, _ = read(labels, one_vs_rest="scab")
        assert found.count("scab") == 6
    assert "joined by blanks" in note


@pytest.mark.parametrize(
    "labels",
    [
        ["clear", "clear primary", "haze primary", "haze"],
        [
            "clear primary",
            "clear primary road",
            "haze road",
            "haze primary road",
            "haze primary",
            "clear road",
        ],
        ["3", "3 17", "17", "17 3 5", "5"],
    ],
)
def test_words_that_recur_make_sets(labels):
    assert "joined by blanks" in look_at_words(labels * 3, (), 3 * len(labels))[0]


@pytest.mark.parametrize(
    "labels",
    [
        ["bear", "brown bear", "polar bear"],
        ["red apple", "green apple", "red pear", "green pear"],
        ["Golden Retriever", "Labrador Retriever", "Siamese"],
        ["stage 1 a", "stage 1 b", "stage 2 a", "stage 2 b", "stage 3 a", "stage 3 b"],
        ["left eye", "right eye"],
    ],
)
def test_names_of_several_words_are_no_sets(labels):
    assert look_at_words(labels * 3, (), 3 * len(labels)) == []


def test_a_word_of_a_name_is_no_member_of_it(read):
    found, _ = read(["bear", "brown bear", "fox"], one_vs_rest="bear")
    assert found == ["bear", "not bear", "not bear"] * 3


def test_predictions_are_asked_about_a_member_likewise():
    rows = pd.DataFrame({"label": PLANTS * 2, "prediction": "scab frog_eye", "camera": "x"})
    read = read_predictions(rows, PredictionColumns(), "scab").rows
    assert [*read["label"]].count("scab") == 4
    assert {*read["prediction"]} == {"scab"}


def test_lists_as_text_are_lists_and_those_of_one_its_word(read):
    labels = ["['cat']", "['dog']", '["cat", "dog"]', "[no list]"]
    with pytest.raises(CamerabiasError, match=r"--one-vs-rest 'cat'"):
        read(labels)
    assert read(labels, one_vs_rest="dog")[0] == ["not dog", "dog", "dog", "not dog"] * 3
    assert {*read(["['cat']", ["dog"], "owl"])[0]} == {"cat", "dog", "owl"}
    with pytest.raises(CamerabiasError, match="where one word belongs"):
        read(["{'NORM': 100.0}", "A"])
