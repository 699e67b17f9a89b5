"""Tables as people have them, read through `read_source`: a table says the same, however it was saved."""

import json

import pytest

from camerabias.datasets.sources.registry import read_source

ROWS = [("1.jpg", "Blüte", "x100"), ("2.jpg", "Blatt; jung", "z 50")]


@pytest.fixture
def read(tmp_path):
    """A function that writes a table beside its photos and reads it: (path, label, camera) of each, and notes."""
    for path, *_ in ROWS:
        (tmp_path / path).touch()

    def run(content, name="t.csv"):
        (tmp_path / name).write_bytes(content)
        source = read_source(str(tmp_path / name))
        return [(photo.path, photo.label, photo.camera) for photo in source.photos], source.notes

    return run


def text(separator=",", end="\n", header=("path", "label", "camera")):
    """The table as text; a cell that holds the separator is in quotes."""
    quoted = [[f'"{cell}"' if separator in cell else cell for cell in row] for row in (header, *ROWS)]
    return "".join(separator.join(row) + end for row in quoted)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_separator_and_line_end_says_the_same(read, separator, end):
    rows, notes = read(text(separator, end).encode())
    assert rows == ROWS
    assert bool(notes) == (separator != ",")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_encoding_says_the_same(read, encoding):
    rows, notes = read(text(";").encode(encoding))
    assert rows == ROWS
    assert any("Windows-1252" in note for note in notes) == (encoding == "cp1252")


def test_comments_blank_lines_and_blanks_around_cells_are_no_content(read):
    lines = text().splitlines()
    rows, notes = read(
        "\n".join(["# by hand", "", " path , label,camera ", lines[1] + " ", "#", lines[2], ""]).encode()
    )
    assert rows == ROWS
    assert notes == (
        "1 comment lines (they begin with #) are skipped.",
        "Blanks around cells are removed, in 1 rows.",
    )


def test_a_photo_whose_name_begins_like_a_comment_is_one(read, tmp_path):
    (tmp_path / "#1.jpg").touch()
    rows, _ = read(b"path,label,camera\n#1.jpg,A,x\n2.jpg,B,x\n")
    assert rows == [("#1.jpg", "A", "x"), ("2.jpg", "B", "x")]


def test_separators_in_quotes_and_lines_in_cells_are_content(read):
    rows, _ = read(b'path,label,camera\n1.jpg,"A, very\nlong",x\n2.jpg,B,x\n')
    assert rows[0] == ("1.jpg", "A, very\\nlong", "x")  # a line end is shown as an escape


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
@pytest.mark.parametrize("shape", ["array", "lines", "pretty", "columns"])
def test_any_shape_of_json_says_the_same(read, name, shape):
    rows = [dict(zip(("path", "label", "camera"), row, strict=True)) for row in ROWS]
    content = {
        "array": json.dumps(rows),
        "lines": "\n".join(map(json.dumps, rows)),
        "pretty": json.dumps(rows, indent=2),
        "columns": json.dumps({key: [row[key] for row in rows] for key in rows[0]}),
    }[shape]
    assert read(content.encode(), name)[0] == ROWS
