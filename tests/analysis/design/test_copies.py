import pandas as pd
import pytest

from camerabias.analysis.design.copies import describe_copies, find_copies


@pytest.fixture
def photos():
    """A function from (picture, label, camera, group) to the rows of an index."""

    def rows(*given):
        frame = pd.DataFrame(given, columns=["picture", "label", "camera", "group"])
        again = frame.groupby("picture").cumcount()
        frame["image_id"] = frame["picture"].str.ljust(20, "0") + again.map(lambda n: f"-{n}" if n else "")
        return frame.assign(path=[f"{n}.jpg" for n in range(len(frame))])

    return rows


def said(frame):
    return list(describe_copies(find_copies(frame)))


def test_photos_that_differ_need_no_word(photos):
    assert said(photos(("a", "x", "A", "1"), ("b", "y", "A", "2"))) == []


def test_contradictions_are_counted_and_named_first(photos):
    frame = photos(
        ("c", "x", "A", "5"),
        ("c", "x", "A", "6"),
        ("b", "x", "A", "3"),
        ("b", "x", "B", "4"),
        ("a", "x", "A", "1"),
        ("a", "x", "A", "1"),
        ("a", "y", "A", "2"),
    )
    labels, cameras, others = said(frame)
    assert labels.startswith(
        "1 picture has two labels, byte for byte the same in 3 photos: 4.jpg ('x') and 6.jpg"
    )
    assert cameras.startswith(
        "1 picture has two cameras, byte for byte the same in 2 photos: 2.jpg ('A') and 3"
    )
    assert others.startswith(
        "1 picture is there more than once with one label and camera, as 2 photos: 0.jpg and 1"
    )


def test_a_path_that_is_listed_twice_is_named_once(photos):
    frame = photos(("a", "x", "A", "1"), ("a", "x", "A", "1")).assign(path="one.jpg")
    assert "as 2 photos: one.jpg (listed twice)." in said(frame)[0]


def test_a_placeholder_is_named_with_the_advice_to_remove_it(photos):
    often = [("gone", "x", "A", str(n)) for n in range(6)]
    (sentence,) = said(photos(*often))
    assert "6 photos in 6 groups" in sentence
    assert "Remove those photos" in sentence
    assert "no longer available" not in said(photos(*often[:5]))[0]


def test_many_pictures_are_counted_and_few_named(photos):
    frame = photos(*[(f"p{n:03}", label, "A", "1") for n in range(300) for label in "xy"])
    found = find_copies(frame).two_labels
    assert (found.pictures, found.photos, len(found.named)) == (300, 600, 100)
    assert said(frame)[0].count(" and ") == 3
