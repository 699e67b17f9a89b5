"""Where predictions depend on the camera, counted by hand."""

import pandas as pd

from camerabias.analysis.effects.given_labels import given_labels

ASSOCIATED = {"A": "cat", "B": "dog", "C": "cat"}


def rows(label, camera, **predictions):
    return pd.DataFrame(
        [
            {"label": label, "camera": camera, "prediction": prediction}
            for prediction, n in predictions.items()
            for _ in range(n)
        ]
    )


def test_cells_are_compared_with_cameras_of_another_associated_label_the_farthest_first():
    frames = [
        rows("dog", "A", cat=6, dog=4),  # 6 of 10
        rows("dog", "C", cat=2, dog=8),  # likewise given cat, so no comparison of A's
        rows("dog", "B", cat=1, dog=19),  # 1 of 20 without such a camera
        rows("cat", "A", cat=5),
        rows("cat", "B", dog=9, cat=1),  # 9 of 10, against 0 of 5
    ]
    found = given_labels(frames, ASSOCIATED)
    assert found.to_numpy().tolist() == [
        ["cat", "B", "dog", 10, 9, 5, 0],
        ["dog", "A", "cat", 10, 6, 20, 1],
        ["dog", "C", "cat", 10, 2, 20, 1],
    ]


def test_labels_and_cameras_that_nothing_compares_with_are_no_rows():
    frames = [rows("dog", "A", cat=3), rows("dog", "C", dog=3), rows("bird", "new", cat=2)]
    assert given_labels(frames, ASSOCIATED).empty
