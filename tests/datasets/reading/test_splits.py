"""Columns that say which photos train, and which test."""

import pandas as pd
import pytest

from camerabias.datasets.predictions.columns import PredictionColumns
from camerabias.datasets.predictions.table import read_predictions
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def read(tmp_path):
    """A function that reads photos with one more column: the side of each, and notes."""

    def run(name, cells, ending="csv", **reading):
        rows = [(f"{n}.jpg", "AB"[n % 2], "x", cell) for n, cell in enumerate(cells)]
        for path, *_ in rows:
            (tmp_path / path).touch()
        table = pd.DataFrame(rows, columns=["path", "label", "camera", name])
        path = tmp_path / f"t.{ending}"
        table.to_csv(path, index=False) if ending == "csv" else table.to_json(path, orient="records")
        source = read_source(str(path), Reading(**reading))
        return [photo.split for photo in source.photos], source.notes

    return run


@pytest.mark.parametrize("ending", ["csv", "json"])
@pytest.mark.parametrize(
    ("name", "train", "held"),
    [
        ("is_valid", False, True),
        ("is_test", 0, 1),
        ("Is Train", "yes", "no"),
        ("train", True, False),
        ("subset", "Training", "Validation"),
        ("Usage", "Training", "PublicTest"),
        ("part", "train", "hold-out"),
        ("fold", "train", "test"),
        ("what I do with it", "train", "test"),
    ],
)
def test_columns_that_divide_photos_are_splits_and_that_is_said(read, name, train, held, ending):
    sides, notes = read(name, [train, train, held, train], ending)
    assert sides == ["train", "train", "test", "train"]
    assert f"The column {name!r} says which photos train and which test; rename it to use folds." in notes


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("is_valid", [True, True, True, False]),  # most photos are good, more likely
        ("is_valid", [True] * 4),
        ("flash", [True, False, False, False]),
        ("fold", [0, 1, 2, 3]),
        ("subset", ["train", "test", "other", "train"]),
        ("subset", ["train", "test", None, "train"]),
        ("subset", ["train"] * 4),
        ("subset", ["val", "test"] * 2),
    ],
)
def test_other_columns_are_none(read, name, cells):
    sides, notes = read(name, cells)
    assert sides == [None] * 4
    assert not any("which photos train" in note for note in notes)


def test_more_photos_may_be_for_test_than_for_training(read):
    assert read("is_test", [1, 1, 0, 1])[0] == ["test", "test", "train", "test"]


def test_a_column_that_is_the_label_or_a_group_divides_nothing(read):
    assert read("state", ["train", "test"] * 2, label="state")[0] == [None] * 4
    assert read("state", ["train", "test"] * 2, group="state")[0] == [None] * 4


def test_predictions_are_divided_likewise():
    rows = pd.DataFrame(
        {"label": ["a", "b"] * 4, "prediction": "a", "camera": "x", "is_test": [0, 1, 0, 0] * 2}
    )
    read = read_predictions(rows, PredictionColumns())
    assert [*read.rows["split"]] == ["train", "test", "train", "train"] * 2
    assert "'is_test' is the split" in read.notes[0]


def test_cameras_that_are_named_as_sides_are_pointed_at(make_photos):
    source = read_source(str(make_photos("images/train/1.jpg", "images/val/2.jpg")))
    assert any("All cameras are named as sides of a split (train, val)." in note for note in source.notes)
