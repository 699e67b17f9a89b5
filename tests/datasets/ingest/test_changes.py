"""An import that is asked for again, while its photos, or what is said of them, have changed."""

import os

import pandas as pd
import pytest

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def rows(make_photos):
    """A table of eight photos beside them."""
    root = make_photos(*[f"{n}.jpg" for n in range(8)])
    return root, [{"path": f"{n}.jpg", "label": "AB"[n % 2], "camera": "xy"[n // 4]} for n in range(8)]


@pytest.fixture
def do_import(tmp_path):
    """A function that writes a table of photos and imports it, always into the same folder."""

    def run(root, rows, **options):
        pd.DataFrame(rows).to_csv(root / "t.csv", index=False)
        source = read_source(str(root / "t.csv"))
        return import_dataset(source, Folder(tmp_path / "out"), LocalExecutor(), **options)

    return run


def refusal(do_import, *arguments):
    with pytest.raises(CamerabiasError) as caught:
        do_import(*arguments)
    return str(caught.value)


def test_same_photos_are_opened_also_when_their_files_were_touched_or_moved(rows, do_import):
    root, table = rows
    first = do_import(root, table)
    os.utime(root / "1.jpg")
    assert do_import(root, table).manifest == first.manifest
    moved = root.rename(root.parent / "moved")
    assert do_import(moved, table).manifest == first.manifest


def test_a_path_that_is_listed_under_two_labels_is_the_same_when_asked_for_again(rows, do_import):
    root, table = rows
    twice = [*table, {**table[0], "label": "B"}]
    assert do_import(root, twice).manifest == do_import(root, twice).manifest
    assert "1 photos are gone (first: 0.jpg)" in refusal(do_import, root, table)
    table[0]["label"] = "C"
    assert "0.jpg: 'C', was 'A' and 'B'" in refusal(do_import, root, [*table, table[0]])


def test_photos_that_were_edited_in_place_are_noticed(rows, do_import, make_photos):
    root, table = rows
    do_import(root, table)
    make_photos("1.jpg", "5.jpg")
    message = refusal(do_import, root, table)
    assert "2 have other pixels (first: 1.jpg)" in message
    assert "choose another folder" in message


def test_another_folder_with_the_same_names_is_not_taken_for_the_first(rows, do_import, make_photos):
    other = make_photos(
        *[f"{n}.jpg" for n in range(8)], root="other"
    )  # older than the import, and not touched since
    root, table = rows
    do_import(root, table)
    assert "8 have other pixels" in refusal(do_import, other, table)


def test_words_that_were_put_right_are_said_to_differ(rows, do_import):
    root, table = rows
    do_import(root, table)
    table[3] |= {"label": "A"}
    table[5] |= {"label": "A", "camera": "z"}
    message = refusal(do_import, root, table)
    assert "2 have another label (first: 3.jpg: 'A', was 'B')" in message
    assert "1 have another camera (first: 5.jpg: 'z', was 'y')" in message


def test_photos_that_came_or_went_are_counted(rows, do_import):
    root, table = rows
    do_import(root, table[:6])
    message = refusal(do_import, root, table[2:])
    assert "2 photos are new (first: 6.jpg)" in message
    assert "2 photos are gone (first: 0.jpg)" in message


def test_photos_that_were_rejected_are_no_change_until_they_are_mended(rows, do_import, make_photos):
    root, table = rows
    good = (root / "3.jpg").read_bytes()
    (root / "3.jpg").write_bytes(b"no photo")
    first = do_import(root, table, max_rejected=0.2)
    assert do_import(root, table).manifest == first.manifest
    (root / "3.jpg").write_bytes(good)
    message = refusal(do_import, root, table)
    assert "1 photos are other files than those that were rejected (first: 3.jpg)" in message


def test_columns_that_only_go_along_are_another_dataset_too(rows, do_import):
    root, table = rows
    do_import(root, table)
    assert "made from columns, asked for columns" in refusal(
        do_import, root, [row | {"iso": 100} for row in table]
    )
