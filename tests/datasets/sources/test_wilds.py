"""WILDS on disk, with photos of our own in its places."""

import shutil

import pandas as pd
import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


def test_camelyon17_is_tumor_by_centre(photos, tmp_path):
    root = tmp_path / "camelyon17_v1.0"
    rows = []
    for n, (file, label, camera) in enumerate(photos):
        path = f"patches/patient_{n // 2:03}_node_4/patch_patient_{n // 2:03}_node_4_x_{n}_y_96.png"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / path)
        tumor, center = int(label == "dog"), "xy".index(camera)
        rows.append((f"{n // 2:03}", 4, n, 96, tumor, 20, center, 0))
    columns = ["patient", "node", "x_coord", "y_coord", "tumor", "slide", "center", "split"]
    pd.DataFrame(rows, columns=columns).to_csv(root / "metadata.csv")  # with the index that theirs has
    source = read_source(str(root), Reading())
    assert [(photo.label, photo.camera) for photo in source.photos[:4]] == [
        ("normal", "center 0"), ("normal", "center 1"), ("tumor", "center 0"), ("tumor", "center 1"),
    ]  # fmt: skip
    assert source.photos[3].group == "patient 001"
    assert source.photos[3].split is None
    assert source.photos[3].others["given_split"] == "0"
    assert all(source.root.exists(photo.path) for photo in source.photos)
    assert source.notes[0].startswith("This is Camelyon17 of WILDS")


def test_iwildcam_is_species_by_place(photos, tmp_path):
    root = tmp_path / "iwildcam_v2.0"
    (root / "train").mkdir(parents=True)
    rows = []
    for n, (file, label, camera) in enumerate(photos):
        shutil.copy(file, root / "train" / file.name)
        rows.append(
            (["train", "id_test"][n % 2], file.name, ["cat", "dog"].index(label), "xy".index(camera), n // 4)
        )
    columns = ["split", "filename", "y", "location_remapped", "sequence_remapped"]
    pd.DataFrame(rows, columns=columns).to_csv(root / "metadata.csv", index=False)
    pd.DataFrame({"y": [0, 1], "category_id": [5, 9], "name": ["empty", "motacilla flava"]}).to_csv(
        root / "categories.csv"
    )
    first, *_, last = read_source(str(root), Reading()).photos
    assert (first.path, first.label, first.camera, first.group) == (
        "train/0.jpg",
        "empty",
        "location 0",
        "sequence 0",
    )
    assert (last.label, last.camera, last.group) == ("motacilla flava", "location 1", "sequence 1")


def test_other_folders_with_metadata_are_not_of_wilds(make_photos):
    root = make_photos("A/x/1.jpg", "B/x/2.jpg")
    (root / "metadata.csv").write_text("file_name,label\n1.jpg,A\n")
    assert read_source(str(root)).kind == "folder"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"path\0,label\n", b'"patient\n' + b"1\n" * 200_000])
def test_a_damaged_table_beside_photos_is_no_bug(make_photos, content):
    root = make_photos("A/x/1.jpg", "B/x/2.jpg")
    (root / "metadata.csv").write_bytes(content)
    assert read_source(str(root)).kind == "folder"


def test_metadata_of_wilds_that_is_cut_short_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "metadata.csv").write_text("patient,node,x_coord,y_coord,tumor,center\n1,2,3,4,5,6,7\n")
    with pytest.raises(CamerabiasError, match=r"Cannot read the table .*metadata.csv: line 2 has 7 cells"):
        read_source(str(tmp_path))
