"""Columns by the names that people give them."""

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
