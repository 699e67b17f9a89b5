"""Features that users bring, and what is wrong with some."""

import numpy as np
import pandas as pd
import pytest

from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.embeddings.own import own_features, own_features_id

IMAGES = pd.DataFrame({"image_id": ["1", "2", "3"], "path": ["a.jpg", "b.jpg", "c.jpg"]})
VALUES = np.arange(6, dtype=np.float32).reshape(3, 2)


@pytest.mark.parametrize("form", ["columns.csv", "lists.parquet", "ids.csv"])
def test_rows_are_matched_by_path_or_id(tmp_path, form):
    columns = pd.DataFrame({"x": VALUES[:, 0], "y": VALUES[:, 1]})
    frames = {
        "columns.csv": columns.assign(path=IMAGES["path"], label="cat"),
        "lists.parquet": pd.DataFrame({"path": IMAGES["path"], "features": list(VALUES)}),
        "ids.csv": columns.assign(image_id=IMAGES["image_id"]),
    }
    shuffled = frames[form].iloc[[2, 0, 1]]
    path = tmp_path / form
    shuffled.to_parquet(path) if form.endswith("parquet") else shuffled.to_csv(path, index=False)
    np.testing.assert_array_equal(own_features(str(path), IMAGES), VALUES[None])
    assert own_features_id(str(path)).startswith("sha256:")


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ({"path": ["a.jpg", "b.jpg"], "x": [1, 2]}, "lacks features of 1 of 3 photos, first path 'c.jpg'"),
        ({"path": ["a.jpg", "a.jpg", "b.jpg", "c.jpg"], "x": [1, 2, 3, 4]}, "several rows of path 'a.jpg'"),
        ({"file": ["a.jpg"], "x": [1]}, "one must be image_id or path"),
        ({"path": ["a.jpg", "b.jpg", "c.jpg"], "x": [1, "two", 3]}, "every column must hold numbers"),
        ({"path": ["a.jpg", "b.jpg", "c.jpg"], "x": [1, None, 3]}, "finite numbers"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, frame, why):
    path = tmp_path / f"{abs(hash(why))}.csv"
    pd.DataFrame(frame).to_csv(path, index=False)
    with pytest.raises(CamerabiasError, match=why):
        own_features(str(path), IMAGES)


def test_table_that_is_not_there_is_named_with_what_it_would_be():
    with pytest.raises(CamerabiasError, match=r"no table of features 'none\.csv'.*a row per photo"):
        own_features_id("none.csv")
