"""Tables as people have them, read through `read_source`: a table says the same, however it was saved."""

import json

import pytest

from camerabias.datasets.schema import CamerabiasError
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


LANGUAGES = {
    "gb18030": ["健康", "患病", "华为", "拍摄于清晨"],
    "big5": ["健康", "患病", "華為", "拍攝於清晨"],
    "shift_jis": ["健康", "病気", "ニコン", "朝に撮影"],
    "euc_jp": ["健康", "病気", "ニコン", "朝に撮影"],
    "euc_kr": ["건강", "질병", "삼성", "아침에 찍은 사진"],
    "cp1251": ["здоров", "болен", "Зенит", "снято утром"],
    "cp1252": ["santé", "malade", "Caméra", "prise le matin, à l'hôpital"],
    "cp1253": ["υγιής", "άρρωστος", "Κάμερα", "φωτογραφία το πρωί"],
    "cp1255": ["בריא", "חולה", "מצלמה", "צולם בבוקר"],
}


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_what_spreadsheets_of_other_countries_save_is_read_and_said(read, encoding):
    labels, camera, note = LANGUAGES[encoding][:2], *LANGUAGES[encoding][2:]
    lines = [f'{1 + n % 2}.jpg,{labels[n // 2 % 2]},{camera},"{note} {n}"' for n in range(24)]
    rows, notes = read("\r\n".join(["path,label,camera,note", *lines]).encode(encoding))
    assert rows == [(f"{1 + n % 2}.jpg", labels[n // 2 % 2], camera) for n in range(24)]
    assert "The table is not UTF-8" in notes[0]
    assert "if names look wrong, save it as UTF-8" in notes[0]


def test_excels_line_that_names_the_separator_is_used(read):
    for first in ("sep=;", '"sep=;"', "SEP=;"):
        rows, notes = read(f"\ufeff{first}\r\n{text(';', chr(13) + chr(10))}".encode())
        assert (rows, notes) == (ROWS, ("Columns are separated by semicolons.",))
    with pytest.raises(CamerabiasError, match="line 3 has 4 cells where the header has 3"):
        read(b"sep=;\npath;label;camera\n1.jpg;A;x;9\n")


def with_remarks(remarks):
    """A table of 20 rows whose last cells are `ok` but for those given, by line."""
    return "\n".join(
        ["path,label,camera,remark", *(f"{n % 2 + 1}.jpg,A,x,{remarks.get(n, 'ok')}" for n in range(2, 22))]
    ).encode()


@pytest.mark.parametrize(
    ("remarks", "last"),
    [
        ({5: '"5 inch', 9: 'a 7" tablet'}, 9),  # closes in the midst of a cell
        ({5: '"5 inch', 9: 'note"'}, 9),  # closes as a quote should
        ({5: '"5 inch', 6: 'note"'}, 6),  # one row is swallowed
        ({5: '"5 inch'}, 21),  # never closes
    ],
)
def test_a_lone_quote_that_swallows_rows_is_refused_by_its_lines(read, remarks, last):
    with pytest.raises(CamerabiasError, match=rf"opens in line 5 closes in line {last} or not at all"):
        read(with_remarks(remarks))


def test_a_lone_quote_that_joins_cells_of_two_rows_is_refused_by_its_lines(read):
    with pytest.raises(CamerabiasError, match="opens in line 2 closes in line 3"):
        read(b'path,label,camera,remark\n1.jpg,A,x,"5 inch\n2.jpg,a "big" one,x,ok\n1.jpg,B,x,ok\n')


def test_lines_and_commas_within_quotes_are_prose_and_counted(read):
    rows, notes = read(with_remarks({5: '"red, green, blue\nand, what is more, blurred, a bit"'}))
    assert len(rows) == 20
    assert notes == ("1 rows have line breaks within quotes (first: lines 5 to 6).",)


def test_comments_blank_lines_and_blanks_around_cells_are_no_content(read):
    lines = text().splitlines()
    rows, notes = read(
        "\n".join(["# by hand", "", " path , label,camera ", lines[1] + " ", "#", lines[2], ""]).encode()
    )
    assert rows == ROWS
    assert notes == (
        "2 comment lines (they begin with #) are skipped.",
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
@pytest.mark.parametrize(
    "shape", ["array", "lines", "pretty", "columns", "pandas", "split", "index", "by path", "wrapped"]
)
def test_any_shape_of_json_says_the_same(read, name, shape):
    rows = [dict(zip(("path", "label", "camera"), row, strict=True)) for row in ROWS]
    content = {
        "array": json.dumps(rows),
        "lines": "\n".join(map(json.dumps, rows)),
        "pretty": json.dumps(rows, indent=2),
        "columns": json.dumps({key: [row[key] for row in rows] for key in rows[0]}),
        "pandas": json.dumps({key: {str(n): row[key] for n, row in enumerate(rows)} for key in rows[0]}),
        "split": json.dumps(
            {"columns": [*rows[0]], "index": [0, 1], "data": [[*row.values()] for row in rows]}
        ),
        "index": json.dumps({str(n): row for n, row in enumerate(rows)}),
        "by path": json.dumps({row.pop("path"): row for row in map(dict, rows)}),
        "wrapped": json.dumps({"version": 1, "tags": ["a"], "data": rows}),
    }[shape]
    assert read(content.encode(), name)[0] == ROWS


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("first", ["", "# by hand\n", "sep=,\n"])
def test_tables_that_were_joined_as_files_are_one(read, mark, end, first):
    if not mark and not end:
        return  # the last row and the header are one line
    head, *rows = text().splitlines()
    rows, notes = read((end or "").join(f"{mark}{first}{head}\n{row}" for row in rows).encode())
    assert rows == ROWS
    assert any(
        "lines repeat the header, as where files are joined, and are skipped." in note for note in notes
    )


@pytest.mark.parametrize("header", ["label,path,camera", "path,label,device", "PATH,Label,camera,note"])
def test_the_header_of_another_table_is_no_row(read, header):
    with pytest.raises(
        CamerabiasError, match=f"line 4 is the header of another table .{header.replace(',', ', ')}"
    ):
        read(f"{text()}{header}\n1.jpg,A,x\n".encode())


def test_rows_of_a_table_without_a_header_are_no_headers(read):
    with pytest.raises(CamerabiasError, match="has no header: its first line is img_0"):
        read(b"img_0.jpg,cat,A\nimg_1.jpg,dog,A\nimg_2.jpg,cat,A\n")


def test_blanks_that_nobody_sees_are_no_part_of_a_word(read):
    assert read("path,label,camera\n\ufeff1.jpg,\u200bA,x\ufeff\n2.jpg, A,x\u2060\n".encode())[0] == [
        ("1.jpg", "A", "x"), ("2.jpg", "A", "x"),
    ]  # fmt: skip


def test_columns_may_be_separated_by_blanks_where_nothing_else_separates_them(read):
    assert read(b"path label camera\n1.jpg A x\n2.jpg B x\n", "t.txt")[0] == [
        ("1.jpg", "A", "x"),
        ("2.jpg", "B", "x"),
    ]
    assert read(b"path,label,camera\n1.jpg,A,x 100\n2.jpg,B,x 100\n")[0][0] == ("1.jpg", "A", "x 100")
    with pytest.raises(CamerabiasError, match=r"has no header: its first line is 1\.jpg, 0"):
        read(b"1.jpg 0\n2.jpg 1\n", "t.txt")
