"""Columns by the names that people give them."""

import re
import shlex

import pandas as pd
import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def read(tmp_path):
    """A function that reads a table of two photos whose column of paths has a name."""
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).touch()

    def run(column, more="", **reading):
        (tmp_path / "t.csv").write_text(f"{column},label,camera{more}\n1.jpg,A,x{more}\n2.jpg,B,x{more}\n")
        return read_source(str(tmp_path / "t.csv"), Reading(**reading))

    return run


@pytest.mark.parametrize(
    "column", ["file_name", "filename", "File Name", "image", "image_id", "img", "filepath", "Path"]
)
def test_usual_names_of_the_column_of_paths_are_understood_and_said(read, column):
    source = read(column)
    assert [photo.path for photo in source.photos] == ["1.jpg", "2.jpg"]
    assert source.notes == (f"Paths are taken from the column {column!r}; --path names another.",)


def test_any_other_name_can_be_given(read):
    assert read("where", path="where").photos[0].path == "1.jpg"
    with pytest.raises(
        CamerabiasError, match=r"no column 'path'; it has where, label, camera. Name it with --path"
    ):
        read("where")
    with pytest.raises(CamerabiasError, match="no column 'image'"):
        read("path", path="image")


def test_path_itself_goes_before_other_names(read):
    source = read("path", ",file_name")
    assert source.photos[0].path == "1.jpg"
    assert source.notes == ()


def test_columns_that_are_named_as_our_own_are_kept_under_other_names(read):
    source = read("path", ",fold")
    assert source.photos[0].others == {"given_fold": "fold"}
    assert "fold as given_fold" in source.notes[0]


@pytest.mark.parametrize("spelled", ["Image Index", "image-index", "IMAGE_NAME", "img_filename"])
def test_names_are_compared_without_case_and_signs(tmp_path, spelled):
    (tmp_path / "1.jpg").touch()
    (tmp_path / "t.csv").write_text(f"{spelled},Label,CAMERA\n1.jpg,A,x\n1.jpg,B,y\n")
    source = read_source(str(tmp_path / "t.csv"))
    assert [(photo.path, photo.label, photo.camera) for photo in source.photos] == [
        ("1.jpg", "A", "x"),
        ("1.jpg", "B", "y"),
    ]


@pytest.mark.parametrize(
    ("columns", "taken"),
    [
        (
            {"img_id": "7", "img_filename": "1.jpg", "place_filename": "2.jpg"},
            "img_filename",
        ),  # names before ids
        ({"image_id": "2", "file_name": "lost.jpg"}, "image_id"),  # what is there before what is not
        ({"image_id": "2", "mask_file": "1.jpg"}, "image_id"),  # names of photos before others
        ({"id": "7", "image_name": "lost.jpg"}, "image_name"),
    ],
)
def test_of_several_columns_one_whose_photos_are_there_is_taken(tmp_path, columns, taken):
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).touch()
    rows = [
        ",".join([*columns, "label", "camera"]),
        *[",".join([*columns.values(), label, "x"]) for label in "AB"],
    ]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    if "lost.jpg" in columns[taken]:
        with pytest.raises(
            CamerabiasError, match=f"paths in the column '{taken}' lead to no photo.*--path names"
        ):
            read_source(str(tmp_path / "t.csv"))
    else:
        assert f"from the column {taken!r}" in read_source(str(tmp_path / "t.csv")).notes[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["MEL,NV,UNK", "1.0,0.0,0.0", "0.0,1.0,0.0"], r"one label: .*\[\['MEL', 'NV', 'UNK'\]\].idxmax"),
        (["MEL,NV,UNK,aged", "1,0,0,2.5", "0,1,0,3.5"], r"one label: .*\[\['MEL', 'NV', 'UNK'\]\].idxmax"),
        (["MEL,NV", "1,1", "0,1"], "MEL holds 0 and 1: --label MEL asks about that one"),
    ],
)
def test_columns_that_are_one_label_together_are_named_with_how_to_join_them(tmp_path, rows, said):
    content = [f"{'image' if n == 0 else f'{n}.jpg'},{row}" for n, row in enumerate(rows)]
    (tmp_path / "t.csv").write_text("\n".join(content))
    with pytest.raises(CamerabiasError, match=said):
        read_source(str(tmp_path / "t.csv"), Reading(camera_from="exif"))


@pytest.mark.parametrize("column", ["Patient ID", "patient_id", "subject", "Session", "person"])
def test_a_column_of_people_that_is_no_group_is_named_with_the_option(tmp_path, column):
    rows = [f"{number}.jpg,{'AB'[number % 2]},x,p{number // 3}" for number in range(6)]
    for number in range(6):
        (tmp_path / f"{number}.jpg").touch()
    (tmp_path / "t.csv").write_text("\n".join([f"path,label,camera,{column}", *rows]))
    (note,) = read_source(str(tmp_path / "t.csv")).notes
    assert f"The column {column!r} has 2 values for 6 photos" in note
    assert f"--group {shlex.quote(column)} keeps" in note
    assert read_source(str(tmp_path / "t.csv"), Reading(group=column)).notes == ()


def test_one_person_or_one_per_photo_needs_no_group(read, tmp_path):
    assert read("path", ",patient").notes == ()  # a single one
    (tmp_path / "t.csv").write_text("path,label,camera,patient\n1.jpg,A,x,1\n2.jpg,B,x,2\n")
    assert read_source(str(tmp_path / "t.csv")).notes == ()


def test_the_printed_line_of_pandas_makes_a_label_of_columns_whose_header_has_blanks(tmp_path):
    (tmp_path / "t.csv").write_text("path, Rust, Scab\n1.jpg, 0, 1\n2.jpg, 1, 0\n")
    with pytest.raises(CamerabiasError) as caught:
        read_source(str(tmp_path / "t.csv"))
    scope = {"table": pd.read_csv(tmp_path / "t.csv")}
    exec(re.search(r"in pandas, (.*?\))\. --label", str(caught.value))[1], scope)
    assert [*scope["table"]["label"]] == ["Scab", "Rust"]


def test_columns_with_usual_names_are_offered(tmp_path):
    pd.DataFrame({"file": ["a.jpg"], "y_true": ["x"], "camera model": ["c"]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    with pytest.raises(CamerabiasError, match="--label y_true and --camera 'camera model', or take"):
        read_source(str(tmp_path / "t.csv"), Reading())
