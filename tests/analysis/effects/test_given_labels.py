"""Where predictions depend on the camera, counted by hand."""

import pandas as pd

from camerabias.analysis.effects.given_labels import describe_misled, given_labels, misled_cells

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


def test_photos_that_are_given_it_are_named_the_most_frequent_first_and_once_each():
    seeds = [
        rows("cat", "B", dog=2, cat=1).assign(image_id=["a", "b", "c"]),
        rows("cat", "B", dog=2, cat=1).assign(image_id=["b", "d", "c"]),
        rows("dog", "A", cat=5, dog=1).assign(image_id=[*"efghij"]),
        rows("dog", "B", dog=4).assign(image_id=[*"klmn"]),
        rows("cat", "A", cat=3).assign(image_id=[*"opq"]),
    ]
    first, second = misled_cells(seeds, ASSOCIATED)
    assert (first.label, first.camera, first.prediction, first.image_ids) == ("dog", "A", "cat", (*"efghi",))
    assert (first.given, first.photos, first.given_of_others, first.photos_of_others) == (5, 6, 0, 4)
    assert (second.label, second.camera, second.prediction, second.image_ids) == (
        "cat",
        "B",
        "dog",
        (*"abd",),
    )
    assert second.given == 4, "predictions, where the photos are three"
    assert describe_misled([second, first]) == (
        "5 photos by 'A' are named 'cat', the label that goes with this camera; 3 by others are given theirs"
    )
    assert misled_cells([rows("dog", "A", dog=3).assign(image_id=[*"abc"])], ASSOCIATED) == []
