import json

import pandas as pd
import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source

ROWS = [
    {"path": "a/1.jpg", "label": "01", "camera": "NA", "photographer": "Žofie"},
    {"path": "2.jpg", "label": "null", "camera": "Redmi, 7", "photographer": None},
]

WRITE = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
}


@pytest.fixture(autouse=True)
def _photos(tmp_path):
    """Files where tables say that photos are; what is in them does not matter here."""
    for path in ("1.jpg", "2.jpg", "a/1.jpg"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()


@pytest.fixture
def write(tmp_path):
    """A function that writes rows as a table and returns its path."""

    def write(rows=ROWS, ending="csv"):
        path = tmp_path / f"photos.{ending}"
        WRITE[ending](pd.DataFrame(rows), path)
        return str(path)

    return write


def refusal(location, *arguments):
    with pytest.raises(CamerabiasError) as caught:
        read_source(str(location), *arguments)
    return str(caught.value)


# --- tables ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", sorted(WRITE))
def test_every_kind_of_table_says_the_same(write, tmp_path, ending):
    source = read_source(write(ending=ending))
    assert (source.kind, source.root.path) == ("table", str(tmp_path))
    first, second = source.photos
    assert (first.path, first.label, first.camera) == ("a/1.jpg", "01", "NA")
    assert (second.path, second.label, second.camera) == ("2.jpg", "null", "Redmi, 7")
    assert (first.group, first.split) == (None, None)
    assert (first.others, second.others) == ({"photographer": "Žofie"}, {"photographer": None})


def test_columns_can_be_named(write):
    rows = [{"path": "1.jpg", "brand": "A", "device": "x", "bottle": 7, "shop": "s"}]
    (photo,) = read_source(write(rows), Reading(label="brand", camera="device", group="bottle")).photos
    assert (photo.label, photo.camera, photo.group, photo.others) == ("A", "x", "7", {"shop": "s"})


def test_group_and_split_are_found_by_their_names(write):
    rows = [{**ROWS[0], "group": "g", "split": "train"}]
    (photo,) = read_source(write(rows)).photos
    assert (photo.group, photo.split) == ("g", "train")


def test_with_the_camera_from_exif_a_table_needs_none(write):
    (photo,) = read_source(write([{"path": "1.jpg", "label": "A"}]), Reading(camera_from="exif")).photos
    assert photo.camera is None


@pytest.mark.parametrize("ending", sorted(WRITE))
def test_numbers_become_words(write, ending):
    rows = [{"path": "1.jpg", "label": 1, "camera": 20}, {"path": "2.jpg", "label": 2, "camera": 20}]
    photos = read_source(write(rows, ending)).photos
    assert [(photo.label, photo.camera) for photo in photos] == [("1", "20"), ("2", "20")]


def test_other_columns_can_travel_as_json_whatever_they_hold(write):
    rows = [{**ROWS[0], "iso": 100, "flash": True}, {**ROWS[1], "iso": 200, "flash": False}]
    photos = read_source(write(rows, "parquet")).photos
    assert json.loads(json.dumps(photos[1].others)) == {"photographer": None, "iso": 200, "flash": False}


def test_values_in_json_lines_stay_as_they_were_written(tmp_path):
    lines = [{**ROWS[0], "date": "2020-01-31", "iso": 100}, {**ROWS[1], "iso": None}]
    (tmp_path / "t.jsonl").write_text("\n\n".join(map(json.dumps, lines)))
    first, second = read_source(str(tmp_path / "t.jsonl")).photos
    assert (first.others["date"], repr(first.others["iso"])) == ("2020-01-31", "100")
    assert (second.others["date"], second.others["iso"]) == (None, None)


def test_a_byte_order_mark_of_excel_is_no_part_of_a_name(tmp_path):
    pd.DataFrame(ROWS).to_csv(tmp_path / "photos.csv", index=False, encoding="utf-8-sig")
    assert read_source(str(tmp_path / "photos.csv")).photos[0].path == "a/1.jpg"


def test_a_comma_at_the_end_of_every_row_does_not_shift_the_columns(tmp_path):
    (tmp_path / "photos.csv").write_text("path,label,camera\n1.jpg,A,x,\n2.jpg,B,y,\n")
    photos = read_source(str(tmp_path / "photos.csv")).photos
    assert [(photo.path, photo.label, photo.camera) for photo in photos] == [
        ("1.jpg", "A", "x"), ("2.jpg", "B", "y"),
    ]  # fmt: skip


def test_an_index_that_pandas_wrote_into_parquet_is_a_column(tmp_path):
    pd.DataFrame(ROWS).set_index("path").to_parquet(tmp_path / "photos.parquet")
    assert read_source(str(tmp_path / "photos.parquet")).photos[1].path == "2.jpg"


def test_a_missing_column_is_named_with_those_that_there_are(write):
    message = refusal(write([{"path": "1.jpg", "brand": "A", "camera": "x"}]))
    assert "has no column 'label'; it has path, brand, camera" in message
    assert "--label" in message


def test_a_missing_camera_points_to_exif(write):
    assert "--camera-from exif" in refusal(write([{"path": "1.jpg", "label": "A"}]))


def test_a_named_group_must_be_there(write):
    assert "no column 'bottle'" in refusal(write(), Reading(group="bottle"))


@pytest.mark.parametrize("column", ["path", "label", "camera", "group", "split"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_gap_is_counted_and_its_first_row_named(write, column, ending):
    whole = {**ROWS[0], "group": "g", "split": "train"}
    message = refusal(write([whole, {**whole, column: None}, {**whole, column: None}], ending))
    assert f"has no {column} in 2 of 3 rows (first: data row 2)" in message


def test_a_gap_is_found_in_a_parquet_table_whose_index_is_words(tmp_path):
    frame = pd.DataFrame([ROWS[0], {**ROWS[1], "label": None}], index=["k1", "k2"])
    frame.to_parquet(tmp_path / "photos.parquet")
    assert "first: data row 2" in refusal(tmp_path / "photos.parquet")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "Cannot read the table"),
        ("t.csv", b"path,label,camera\n", "lists no photos"),
        ("t.csv", b"PK\x03\x04xl", "is an Excel workbook or a zip archive; save it as CSV (UTF-8)"),
        ("t.csv", b"path\0,label\n", "it holds NUL bytes"),
        (
            "t.csv",
            b"path,label,camera\n1.jpg,A,x\n2.jpg,A,B,x\n",
            "line 3 has 4 cells where the header has 3",
        ),
        ("t.csv", b'path,label,camera\n1.jpg,"A,x\n' + b"2.jpg,B,y\n" * 20_000, "is a quote not closed?"),
        ("t.csv", b"path,label,camera,label\n1.jpg,A,x,B\n", "two columns 'label'; rename one"),
        ("t.csv", b"1.jpg,A,x\n2.jpg,B,y\n", "has no header: its first line is 1.jpg, A, x"),
        (
            "t.csv",
            b"path,MEL,NV,camera\n1.jpg,0,1,x\n2.jpg,1,0,x\n",
            "MEL, NV hold 0 and 1, a single 1 in every row",
        ),
        ("t.jsonl", b'{"path": "1.jpg"}\nnull\n', "row 2 is null; a row is an object"),
        ("t.json", b'{"path": "1.jpg",\n "label": }', "line 1 is no JSON"),
        (
            "t.json",
            b'[{"path": "1.jpg", "label": ["cat", "pet"], "camera": "x"}]',
            "as label of data row 1, where one word belongs. A photo has one label and one camera; choose one, "
            "or ask about a member of these sets: --one-vs-rest 'cat'.",
        ),
        (
            "t.json",
            b'[{"path": "1.jpg", "label": {"id": 3}, "camera": "x"}]',
            "as label of data row 1, where one word belongs. A photo has one label and one camera; choose one.",
        ),
        ("t.parquet", b"no parquet", "Cannot read"),
        ("t.jsonl", b'{"path":', "Cannot read the table"),
        (
            "t.csv.gz",
            b"packed",
            "is of no format that can be read (an archive: unpack it); give a table (.csv, ",
        ),
        (
            "t.xlsx",
            b"no table",
            "read (an Excel workbook: save the sheet as CSV (UTF-8)); give a table (.csv, ",
        ),
    ],
)
def test_tables_that_cannot_be_read_are_refused_in_a_sentence(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    found = refusal(tmp_path / name)
    assert message in found
    assert name in found


def test_what_is_not_there_is_said_to_be_missing(tmp_path):
    assert "There is no table" in refusal(tmp_path / "none.csv")
    assert "There is nothing at" in refusal(tmp_path / "none")


# --- folders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (None, ("A", "x")),
        ("label/camera", ("A", "x")),
        ("camera/label", ("x", "A")),
    ],
)
def test_the_levels_of_a_folder_are_label_and_camera(make_photos, layout, expected):
    root = make_photos("A/x/1.jpg")
    (photo,) = read_source(str(root), Reading(layout=layout)).photos
    label, camera = expected
    assert (photo.label, photo.camera, photo.path) == (label, camera, "A/x/1.jpg")


def test_deeper_folders_and_odd_names_are_fine(make_photos):
    root = make_photos("läbel 1/cam era/2024/żółć 1.JPG")
    (photo,) = read_source(str(root)).photos
    assert (photo.label, photo.camera) == ("läbel 1", "cam era")


def test_with_the_camera_from_exif_one_level_is_enough(make_photos):
    root = make_photos("A/1.jpg", "B/deeper/2.jpg")
    photos = read_source(str(root), Reading(camera_from="exif")).photos
    assert [(photo.label, photo.camera) for photo in photos] == [("A", None), ("B", None)]


def test_photos_come_sorted_and_other_files_are_passed_over(make_photos):
    root = make_photos("B/x/2.jpg", "A/x/1.PNG", "A/x/._1.PNG", ".trash/x/3.jpg")
    (root / "A/x/notes.txt").write_text("no photo")
    assert [photo.path for photo in read_source(str(root)).photos] == ["A/x/1.PNG", "B/x/2.jpg"]


def test_photos_that_pillow_cannot_read_are_not_passed_over(make_photos):
    root = make_photos("A/x/1.jpg", "A/y/2.HEIC")
    assert len(read_source(str(root)).photos) == 2


@pytest.mark.parametrize(
    ("layout", "from_exif", "message"),
    [
        ("label", False, "'label' does not name the camera"),
        ("label/camera", True, "'label/camera' already names the camera"),
    ],
)
def test_the_camera_comes_from_one_place(make_photos, layout, from_exif, message):
    root = make_photos("A/x/1.jpg")
    assert message in refusal(root, Reading(layout=layout, camera_from="exif" if from_exif else None))


def test_a_photo_too_high_up_is_named(make_photos):
    message = refusal(make_photos("A/x/1.jpg", "A/2.jpg"))
    assert "does not read as LABEL/CAMERA/photo: A/2.jpg lies too high up" in message
    assert "--camera-from exif" in message


def test_a_folder_without_photos_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    assert "holds no photos" in refusal(tmp_path / "empty")


def test_sides_of_a_split_above_the_labels_are_sides(make_photos):
    root = make_photos("Train/A/x/1.jpg", "Train/B/y/2.jpg", "valid/A/x/3.jpg", "test/B/y/4.jpg")
    source = read_source(str(root))
    assert [(photo.label, photo.camera, photo.split) for photo in source.photos] == [
        ("A", "x", "train"), ("B", "y", "train"), ("B", "y", "test"), ("A", "x", "val"),
    ]  # fmt: skip
    assert "The folders Train, test, valid are the sides of a split." in source.notes


def test_without_a_test_side_validation_is_it(make_photos):
    source = read_source(str(make_photos("train/A/1.jpg", "val/A/2.jpg")), Reading(camera_from="exif"))
    assert [photo.split for photo in source.photos] == ["train", "test"]
    assert "No photos are for test, so the validation photos are." in source.notes


def test_sides_beside_other_folders_are_refused(make_photos):
    message = refusal(make_photos("train/A/1.jpg", "test/A/2.jpg", "extra/A/3.jpg"))
    assert "train look like sides of a split, but extra lies beside them" in message


def test_a_label_may_be_called_train(make_photos):
    photos = read_source(str(make_photos("train/x/1.jpg", "car/x/2.jpg"))).photos
    assert [(photo.label, photo.split) for photo in photos] == [("car", None), ("train", None)]


@pytest.mark.parametrize("side", ["train", "Test", "validation"])
def test_a_lone_side_of_a_split_is_no_label(make_photos, side):
    source = read_source(str(make_photos(f"{side}/cat/x/1.jpg", f"{side}/dog/y/2.jpg")))
    assert [(photo.label, photo.camera, photo.split) for photo in source.photos] == [
        ("cat", "x", None), ("dog", "y", None),
    ]  # fmt: skip
    assert any(side in note for note in source.notes)
    with pytest.raises(CamerabiasError, match="lies too high up"):
        read_source(str(make_photos("train/x/1.jpg", "train/y/2.jpg", root="shallow")))


def test_what_programs_leave_and_camerabias_makes_is_passed_over_and_said(make_photos):
    root = make_photos(
        "A/x/1.jpg",
        "A/x/@eaDir/1.jpg/THUMB.jpg",
        "__MACOSX/A/x/1.jpg",
        "runs/mine/pictures/1.jpg",
        "data/a/b/c.jpg",
    )
    (root / "runs/mine/run.json").write_text("{}")
    (root / "data/dataset.json").write_text("{}")
    source = read_source(str(root))
    assert [photo.path for photo in source.photos] == ["A/x/1.jpg"]
    assert "Folders passed over, left by other programs: 2." in source.notes
    assert "Folders passed over, made by camerabias: 2." in source.notes


def test_links_in_circles_are_followed_once(make_photos):
    root = make_photos("A/x/1.jpg")
    (root / "A/x/again").symlink_to(root, target_is_directory=True)
    (root / "B").symlink_to(make_photos("x/2.jpg", root="elsewhere"), target_is_directory=True)
    source = read_source(str(root))
    assert [photo.path for photo in source.photos] == ["A/x/1.jpg", "B/x/2.jpg"]
    assert "Folders passed over, links in circles: 1." in source.notes


def test_files_that_are_not_taken_are_counted_with_what_to_do(make_photos):
    root = make_photos("A/x/1.jpg")
    for name in ("A/x/2.nii", "A/x/3.NII", "A/x/4.CR2", "notes"):
        (root / name).touch()
    note, _ = read_source(str(root)).notes
    assert note.startswith("Files not taken: 2 .nii (NIfTI: save slices as PNG")
    assert "1 .cr2 (raw: develop as JPEG or TIFF" in note
    assert "1 no ending" in note
    assert "2 .nii" in refusal(make_photos("y.txt", "A/1.nii", "A/2.nii", root="none"))


EXIF = Reading(camera_from="exif")


def test_folders_doubled_by_a_zip_and_sides_with_more_in_their_names_are_read(make_photos):
    sides = {"seg_train": "train", "seg_test": "test"}
    root = make_photos(
        *[f"{side}/{side}/{label}/{side}{label}.jpg" for side in sides for label in ("sea", "forest")]
    )
    make_photos("seg_pred/seg_pred/1.jpg", "seg_pred/seg_pred/2.jpg", root=root.name)
    source = read_source(str(root), EXIF)
    assert [(photo.label, photo.split) for photo in source.photos] == [
        ("forest", "test"), ("sea", "test"), ("forest", "train"), ("sea", "train"),
    ]  # fmt: skip
    assert (
        "Folders that hold one of their own name count as one with it: seg_pred, seg_test, seg_train."
        in source.notes
    )
    assert "Photos that lie in no folder of a label are passed over: 2 in seg_pred." in source.notes


def test_a_test_side_without_labels_leaves_no_split(make_photos):
    source = read_source(str(make_photos("train/A/1.jpg", "train/B/2.jpg", "test/3.jpg")), EXIF)
    assert [(photo.label, photo.split) for photo in source.photos] == [("A", None), ("B", None)]
    assert "Photos that lie in no folder of a label are passed over: 1 in test." in source.notes


def test_labels_that_hold_such_words_are_labels(make_photos):
    source = read_source(str(make_photos("train_station/1.jpg", "test_tube/2.jpg", "A/A/3.jpg")), EXIF)
    assert {photo.label for photo in source.photos} == {"train_station", "test_tube", "A"}


def test_labels_below_what_is_read_as_labels_are_pointed_at(make_photos):
    two = make_photos(
        *[f"{part}/{label}/{part}{label}.jpg" for part in ("p1", "p2") for label in ("cat", "dog")]
    )
    assert (
        "The folders p1, p2 are read as labels, and each holds cat, dog."
        in read_source(str(two), EXIF).notes[0]
    )


@pytest.mark.parametrize("wrapper", ["dataset", "archive/my data/photos", "train"])
@pytest.mark.parametrize("deeper", ["", "2024/"])
def test_folders_that_hold_nothing_but_a_folder_are_passed_over_and_that_is_said(
    make_photos, wrapper, deeper
):
    root = make_photos(
        *[f"{wrapper}/{label}/{camera}/{deeper}{label}{camera}.jpg" for label in "AB" for camera in "xy"]
    )
    (root / "README.txt").touch()
    source = read_source(str(root))
    assert [(photo.label, photo.camera) for photo in source.photos] == [
        ("A", "x"), ("A", "y"), ("B", "x"), ("B", "y"),
    ]  # fmt: skip
    assert f"All photos lie in {wrapper}, so folders count from there on: A, B." in source.notes
    assert {photo.label for photo in read_source(str(root), EXIF).photos} == {"A", "B"}


@pytest.mark.parametrize(
    ("before", "after"), [("", "images/"), ("archive/", "images/cameras/"), ("archive/", "")]
)
def test_they_are_passed_over_above_and_below_the_sides_of_a_split(make_photos, before, after):
    root = make_photos(
        *[
            f"{before}{side}/{after}{label}/x/{side}{label}.jpg"
            for side in ("train", "test")
            for label in "AB"
        ]
    )
    assert [(photo.label, photo.camera, photo.split) for photo in read_source(str(root)).photos] == [
        ("A", "x", "test"), ("B", "x", "test"), ("A", "x", "train"), ("B", "x", "train"),
    ]  # fmt: skip


def test_a_single_label_stays_one(make_photos):
    source = read_source(str(make_photos("A/x/1.jpg", "A/y/2.jpg")))
    assert [(photo.label, photo.camera) for photo in source.photos] == [("A", "x"), ("A", "y")]


def test_what_folders_are_read_as_is_said_where_nobody_has(make_photos):
    root = make_photos(*[f"cat{n}/x/{n}.jpg" for n in range(7)], "cat0/y/8.jpg")
    (note,) = read_source(str(root)).notes
    assert note == (
        "Folders are read as labels (cat0, cat1, cat2, cat3, cat4, ...), and those in them as cameras (x, y); "
        "--layout camera/label reads them the other way round."
    )
    assert read_source(str(root), Reading(layout="label/camera")).notes == ()


def test_hidden_folders_are_counted(make_photos):
    source = read_source(str(make_photos("A/x/1.jpg", "A/x/.ipynb_checkpoints/1.jpg", ".trash/x/2.jpg")))
    assert [photo.path for photo in source.photos] == ["A/x/1.jpg"]
    assert "Folders passed over, hidden (such as .ipynb_checkpoints): 2." in source.notes


def test_hidden_files_named_as_photos_are_counted(make_photos):
    source = read_source(str(make_photos("A/x/1.jpg", "A/x/._1.jpg", "A/y/._2.jpg")))
    assert "Files passed over, hidden, named as photos (macOS leaves such ._ files): 2." in source.notes


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("sides", [("",), ("train/", "test/")])
def test_a_folder_of_images_is_read_by_its_metadata(make_photos, ending, sides):
    for side in sides:
        root = make_photos(f"{side}1.jpg", f"{side}b/2.jpg")
        rows = pd.DataFrame({"file_name": ["1.jpg", "b/2.jpg"], "label": ["A", "B"], "camera": ["x", "y"]})
        path = root / side / f"metadata.{ending}"
        write = {
            "csv": lambda rows=rows, path=path: rows.to_csv(path, index=False),
            "jsonl": lambda rows=rows, path=path: rows.to_json(path, orient="records", lines=True),
            "parquet": lambda rows=rows, path=path: rows.to_parquet(path),
        }
        write[ending]()
    source = read_source(str(root))
    assert [(photo.path, photo.label, photo.camera, photo.split) for photo in source.photos] == [
        (f"{side}{name}", label, camera, side.strip("/") or None)
        for side in sorted(sides)
        for name, label, camera in (("1.jpg", "A", "x"), ("b/2.jpg", "B", "y"))
    ]  # fmt: skip
    assert f"metadata.{ending}" in source.notes[0]
