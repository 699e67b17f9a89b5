"""Labels and cameras: spelled one way, and pointed at where they look like a mistake."""

import unicodedata

import pytest

from camerabias.datasets.reading.words import as_text, look_at_words
from camerabias.datasets.schema import CamerabiasError


def test_what_a_person_cannot_tell_apart_is_one_word(read):
    labels = ["élan", unicodedata.normalize("NFD", "élan"), " élan "]
    assert set(read(labels)[0]) == {unicodedata.normalize("NFC", "élan")}


@pytest.mark.parametrize(("content", "text"), [("Živa".encode(), "Živa"), (b"caf\xe9", "café")])
@pytest.mark.parametrize("locale", ["ascii", "utf-8"])
def test_names_of_files_mean_the_same_in_any_locale(content, text, locale):
    assert as_text(content.decode(locale, "surrogateescape")) == text


def test_characters_that_a_terminal_would_obey_are_escapes(read):
    assert set(read(["A\x1b[2J", "B\u202eC"])[0]) == {r"A\x1b[2J", r"B\u202eC"}
    assert set(read(["می‌خواهم", "B"])[0]) == {"می‌خواهم", "B"}  # a joiner belongs to the word


def test_words_that_differ_in_case_or_punctuation_alone_are_pointed_at(read):
    labels, notes = read(["Healthy", "healthy", "rust"], ["Redmi-7", "redmi 7", "z"])
    assert set(labels) == {"Healthy", "healthy", "rust"}
    assert (
        "Some labels differ in case or punctuation alone, and count as different: 'Healthy' (3) and 'healthy' (3)."
        in notes
    )
    assert any("cameras differ" in note and "'Redmi-7' (3) and 'redmi 7' (3)" in note for note in notes)


def test_words_that_often_mean_none_are_pointed_at(read):
    _, notes = read(["A", "NaN"])
    assert notes == ("The label 'NaN' (3 photos) counts as a label; exclude those photos if it means none.",)


def test_a_label_per_photo_is_nothing_to_learn(read):
    with pytest.raises(CamerabiasError, match=r"12 of 12 photos have a label of their own .* --label"):
        read([f"photo {n}" for n in range(12)], each=1)


def test_signs_and_points_of_numbers_are_no_punctuation():
    assert look_at_words(["-1.0", "1.0", "10"], [], 3) == []


@pytest.mark.parametrize(
    ("labels", "cameras", "said"),
    [
        (["Canon EOS 5D", "iPhone_12"], ["cat", "dog"], True),
        (["phone", "scanner"], ["1", "2"], True),
        (["phone", "laptop"], ["A", "B"], False),  # some are things
        (["Canon", "Nikon"], ["Pixel 6", "B"], False),
        (["scampi", "telephone"], ["A", "B"], False),
    ],
)
def test_labels_that_are_cameras_are_pointed_at(labels, cameras, said):
    notes = look_at_words(labels * 9, cameras * 9, 18)
    assert any(note.startswith(f"Labels look like cameras ({labels[0]!r}") for note in notes) == said
    assert any("--layout camera/label for folders, or --label and --camera" in note for note in notes) == said


def test_numbers_that_are_written_in_several_ways_are_pointed_at():
    (note,) = look_at_words(["1", "1.0", "01", "2"], [], 4)
    assert "'1' (1) and '1.0' (1) and '01' (1)" in note


@pytest.mark.parametrize(
    ("labels", "n"),
    [
        (["-1", "0", "1"], 1),
        (["-1.0", "0.0"], 1),
        (["-1", "0", "-2"], 0),
        (["-1", "0", "a"], 0),
        (["-1", "1"], 0),
    ],
)
def test_a_single_number_below_zero_may_mean_none(labels, n):
    notes = look_at_words(labels * 3, [], 3 * len(labels))
    assert sum("exclude those photos if it means none" in note for note in notes) == n
