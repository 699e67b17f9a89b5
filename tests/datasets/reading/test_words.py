"""Labels and cameras: spelled one way, and pointed at where they look like a mistake."""

import unicodedata

import pandas as pd
import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.reading.words import as_text, look_at_words
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def read(tmp_path):
    """A function that reads photos with given labels (and cameras), as many of each."""

    def run(labels, cameras=("x",), each=3, **reading):
        rows = [(f"{n}.jpg", label, cameras[n % len(cameras)]) for n, label in enumerate([*labels] * each)]
        for path, *_ in rows:
            (tmp_path / path).touch()
        pd.DataFrame(rows, columns=["path", "label", "camera"]).to_json(tmp_path / "t.json", orient="records")
        source = read_source(str(tmp_path / "t.json"), Reading(**reading))
        return [photo.label for photo in source.photos], source.notes

    return run


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


def test_a_label_per_photo_is_nothing_to_learn(read):
    with pytest.raises(CamerabiasError, match=r"12 of 12 photos have a label of their own .* --label"):
        read([f"photo {n}" for n in range(12)], each=1)


def test_signs_and_points_of_numbers_are_no_punctuation():
    assert look_at_words(["-1.0", "1.0", "10"], [], 3) == []
