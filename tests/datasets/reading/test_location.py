"""Photos that do not lie where a table says."""

import json
import unicodedata

import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def read(tmp_path):
    """A function that reads a table of paths; `files` are there."""

    def run(paths, files, **reading):
        for name in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        rows = [f"{path},{'AB'[number % 2]},x" for number, path in enumerate(paths)]
        (tmp_path / "t.csv").write_text("\n".join(["path,label,camera", *rows]))
        if "images" in reading:
            reading["images"] = str(tmp_path / reading["images"])
        source = read_source(str(tmp_path / "t.csv"), Reading(**reading))
        return [photo.path for photo in source.photos], source.notes

    return run


def refusal(read, *arguments, **reading):
    with pytest.raises(CamerabiasError) as caught:
        read(*arguments, **reading)
    return str(caught.value)


def test_paths_that_lead_somewhere_stay_as_they_are(read):
    assert read(["a/1.jpg", "./2.JPG"], ["a/1.jpg", "2.JPG"]) == (["a/1.jpg", "./2.JPG"], ())


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (["ISIC_1", "ISIC_2"], ["ISIC_1.jpg", "ISIC_2.PNG", "ISIC_2.txt"]),
        (["a\\1.jpg", "a\\b\\2.jpg"], ["a/1.jpg", "a/b/2.jpg"]),
        (["IMG_1.JPG", "img_2.jpg"], ["img_1.jpg", "img_2.jpg"]),
        (
            [unicodedata.normalize("NFC", "é1.jpg"), "2.jpg"],
            [unicodedata.normalize("NFD", "é1.jpg"), "2.jpg"],
        ),
    ],
)
def test_ids_windows_paths_and_other_spellings_are_completed_and_said(read, paths, files):
    found, notes = read(paths, files)
    assert found == [file for file in files if not file.endswith(".txt")]
    assert "paths were completed (first: " in notes[0]
    assert ("there in another Unicode form" in notes[0]) == paths[0].startswith("é")


@pytest.mark.parametrize(
    ("path", "file", "said"),
    [
        ("12", "00012.jpg", "leading zeros, which spreadsheets drop, were put back"),
        ("'p/1.png'", "p/1.png", "quotes around the name were dropped"),
        ("p/0.png", "p/000.png", "leading zeros, which spreadsheets drop, were put back"),
        ("p/IMG%20%C3%89.jpg", "p/IMG É.jpg", "the name was decoded from an address"),
        ("/data/local-files/?d=p/a%201.jpg", "p/a 1.jpg", "the name was decoded from an address"),
        (
            "0a1b2c3d-a_1.jpg",
            "a_1.jpg",
            "the 8 characters that Label Studio writes before a name were dropped",
        ),
    ],
)
def test_names_that_programs_changed_are_undone_and_said(read, path, file, said):
    other = "there.jpg"
    paths, notes = read([path, other], [file, other])
    assert paths == [file, other]
    assert [*notes] == [f"1 of 2 paths were completed (first: {path} is {file}).", f"In 1 of 2 paths {said}."]


@pytest.mark.parametrize("files", [["012.jpg", "0012.jpg"], ["x/012.jpg", "y/012.jpg"]])
def test_leading_zeros_are_not_guessed(read, files):
    assert "1 of 1 names fit several photos" in refusal(read, ["12"], files, images=".")


def test_a_name_as_it_is_comes_before_what_it_may_stand_for(read):
    names = ["12", "a%20b.jpg", "0a1b2c3d-a.jpg"]
    files = ["12.jpg", "012.jpg", "a%20b.jpg", "a b.jpg", "0a1b2c3d-a.jpg", "a.jpg"]
    assert read(names, files)[0] == ["12.jpg", "a%20b.jpg", "0a1b2c3d-a.jpg"]


def test_where_photos_lie_in_the_folder_of_images_two_are_named(read):
    message = refusal(read, ["x", "y"], ["all/1.jpg", "all/2.jpg", "all/3.jpg"], images="all")
    assert "such as 1.jpg and 2.jpg: give names like these." in message
    assert "--images" not in message


def test_an_id_that_two_photos_have_is_not_guessed(read):
    assert "2 of 2 paths lead to no photo" in refusal(read, ["1", "2"], ["1.jpg", "1.png", "2.jpg", "2.png"])


def test_photos_elsewhere_are_looked_for_and_the_option_is_named(read, tmp_path):
    message = refusal(read, ["1.jpg", "2.jpg"], ["train/1.jpg", "train/2.jpg"])
    assert f"2 of these names are in {tmp_path}/train: give --images {tmp_path}/train." in message
    message = refusal(read, ["i1", "i2"], ["part_1/i1.jpg", "part_2/i2.jpg"])
    assert f"part_1, {tmp_path}/part_2: give --images {tmp_path}." in message


def test_with_a_folder_of_images_names_are_found_at_any_depth(read):
    assert read(["1.jpg", "i2"], ["all/a/1.jpg", "all/b/i2.png"], images="all")[0] == ["a/1.jpg", "b/i2.png"]
    paths, _ = read(["C:\\Users\\me\\3.jpg", "x/4.jpg"], ["all/3.jpg", "all/4.jpg"], images="all")
    assert paths == ["3.jpg", "4.jpg"]


def test_paths_below_the_folder_of_images_need_no_looking_up(read):
    assert read(["a/1.jpg", "b/1.jpg"], ["all/a/1.jpg", "all/b/1.jpg"], images="all")[0] == [
        "a/1.jpg",
        "b/1.jpg",
    ]


def test_names_that_are_nowhere_are_said_to_be_so(read):
    assert "Give --images the folder that holds them" in refusal(read, ["1.jpg", "2.jpg"], [])
    assert "at any depth" in refusal(read, ["1.jpg", "2.jpg"], ["all/9.txt"], images="all")


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("https://x.org/1.jpg", "Download these photos"),
        ("s3://b/1.jpg", "Download these photos"),
        ("file:///a/1.jpg", "Write the paths out"),
        ("~/1.jpg", "Write the paths out"),
    ],
)
def test_addresses_are_named_as_such(read, address, advice):
    message = refusal(read, [address, address], [])
    assert f"2 of 2 paths are addresses (first: {address}), which are not followed. {advice}" in message


def test_a_few_missing_photos_are_left_to_the_import_which_names_them(read):
    assert read(["1.jpg", "2.jpg", "3.jpg"], ["1.jpg", "2.jpg"]) == (["1.jpg", "2.jpg", "3.jpg"], ())


def test_a_path_that_no_file_can_have_leads_nowhere(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps([{"path": "1\0.jpg", "label": "A", "camera": "x"}]))
    with pytest.raises(CamerabiasError, match="1 of 1 paths lead to no photo"):
        read_source(str(tmp_path / "t.json"))


def test_names_that_several_photos_have_are_named_with_two_of_them(read):
    files = [f"all/{folder}/{n}.jpg" for folder in "ab" for n in range(4)]
    for reading in ({"images": "all"}, {}):
        message = refusal(read, [f"{n}.jpg" for n in range(4)], files, **reading)
        assert (
            "4 of 4 names fit several photos, and which is meant is not known (first: 0.jpg may be "
            in message
        )
        assert "a/0.jpg or " in message
        assert "b/0.jpg). Write the folder before each name, as in " in message
    paths, notes = read(["a/0.jpg", "a/1.jpg", "2.jpg"], files, images="all")
    assert paths == ["a/0.jpg", "a/1.jpg", "2.jpg"]
    assert notes[0].startswith("1 of 3 names fit several photos")


@pytest.mark.parametrize("cell", [" ".join(["110 7"] * 40), "/9j/" + "4AAQSkZJRg" * 900, "a" * 300])
def test_pictures_as_text_are_no_paths_and_never_printed_in_full(read, tmp_path, cell):
    message = refusal(read, [cell, cell], [])
    assert "holds 2 cells that are no paths, but look like pictures as text" in message
    (tmp_path / "p.csv").write_text(f"label,camera,pixels\nA,x,{cell}\n")
    with pytest.raises(CamerabiasError, match="'pixels' looks like pictures as text") as caught:
        read_source(str(tmp_path / "p.csv"))
    assert max(map(len, (message, str(caught.value)))) < 600


CELLS = [
    f"{label}/{camera}/{n:03}.jpg"
    for label in ("cat", "dog")
    for camera in ("phone", "scan")
    for n in range(3)
]


@pytest.mark.parametrize("images", [None, ".", "photos"])
@pytest.mark.parametrize("folder", ["photos", "photos/deeper/still"])
@pytest.mark.parametrize(
    "front", ["C:\\Users\\anna\\data\\", "/kaggle/input/x/", "\\\\server\\share\\", "d:/x/"]
)
def test_paths_of_another_machine_lead_to_the_photos_whose_folders_are_like_theirs(
    read, front, folder, images
):
    paths = [front + path.replace("/", "\\" if "\\" in front else "/") for path in CELLS]
    found, notes = read(
        paths, [f"{folder}/{path}" for path in CELLS], **({"images": images} if images else {})
    )
    below = folder if images != "photos" else folder.partition("/")[2]
    assert found == [f"{below}/{path}".lstrip("/") for path in CELLS]
    assert notes[0].startswith("12 of 12 paths were completed (first: ")


def test_a_missing_photo_is_not_replaced_by_one_of_another_folder(read):
    paths = [f"/home/anna/photos/{path}" for path in CELLS]
    found, _ = read(paths, [f"photos/{path}" for path in CELLS[1:]])
    assert found == [paths[0], *[f"photos/{path}" for path in CELLS[1:]]]


def test_absolute_paths_that_lead_somewhere_stay(read, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/1.jpg").touch()
    there = str(tmp_path / "elsewhere/1.jpg")
    for reading in ({}, {"images": "photos"}):
        found, _ = read([there, "/home/anna/2.jpg"], ["photos/1.jpg", "photos/2.jpg"], **reading)
        assert found == [there, "2.jpg" if reading else "photos/2.jpg"]


def test_relative_paths_with_folders_of_another_machine_are_advised(read, tmp_path):
    paths = [f"data/mine/{path}" for path in CELLS]
    files = [f"all/{path}" for path in CELLS]
    assert f"12 of these names are in {tmp_path}/all/" in refusal(read, paths, files)
    assert read(paths, files, images=".")[0] == files


def test_folders_that_fit_several_photos_are_not_guessed(read):
    files = [f"{part}/{path}" for part in ("v1", "v2") for path in CELLS]
    message = refusal(read, [f"/home/anna/{path}" for path in CELLS], files)
    assert "12 of 12 names fit several photos" in message
    assert "may be v1/cat/phone/000.jpg or v2/cat/phone/000.jpg" in message


def test_paths_may_begin_with_the_folder_that_they_are_relative_to(read, tmp_path):
    paths, notes = read([f"{tmp_path.name}/{path}" for path in CELLS], CELLS)
    assert paths == CELLS
    assert notes[1] == "In 12 of 12 paths the folder itself was dropped from the front."


@pytest.mark.parametrize("number", ["1.23457E+11", "1,23E+15"])
def test_numbers_that_a_spreadsheet_has_rounded_are_named_as_such(read, number):
    message = refusal(read, [f'"{number}"'] * 2, ["123456789000.jpg"])
    assert f"A spreadsheet has rounded long numbers ({number})" in message
