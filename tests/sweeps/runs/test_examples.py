"""What a run takes along to be shown."""

from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest
from pydicom import examples

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sources.registry import read_source
from camerabias.datasets.views.registry import View
from camerabias.sweeps.runs.examples import write_examples
from camerabias.trainables.records.run import Run


@pytest.fixture
def run(tmp_path):
    return Run(str(tmp_path / "run"))


def shown(run):
    """Pixels of every view and draw, as an independent reader decodes them."""
    folder = run.folder.child("examples")
    return {
        (entry["view"], entry["draw"]): cv2.imread(folder.file(entry["file"]), cv2.IMREAD_UNCHANGED)
        for entry in folder.read_json("views.json")
    }


def views(*names):
    return [View.model_validate(name) for name in names]


def test_a_photo_of_every_cell_and_one_of_them_through_every_view(dataset, run):
    write_examples(dataset, run, views("binary", "jitter", "crop32", "rgb"))
    folder = run.folder.child("examples")
    entries = folder.read_json("examples.json")
    assert len({(entry["label"], entry["camera"]) for entry in entries}) == len(entries) == 10
    pictures = shown(run)
    drawn = {(view, draw) for view in ("jitter", "crop32") for draw in range(6)}
    assert set(pictures) == {("rgb", 0), ("binary", 0)} | drawn
    photo = decode(dataset.read_image(entries[0]["image_id"]))
    np.testing.assert_array_equal(pictures["rgb", 0][..., ::-1], photo)
    assert set(np.unique(pictures["binary", 0])) == {0, 255}
    assert pictures["crop32", 3].shape == (32, 32, 3)
    assert (pictures["jitter", 0] != pictures["jitter", 1]).any()


def test_photos_of_a_label_are_of_one_group_where_a_group_was_taken_by_every_camera(dataset, run):
    index = dataset.index
    # of every label the group that is first by name is left with one camera
    first = index.groupby("label")["group"].transform("min")
    lone = index.groupby("label")["camera"].transform("min")
    partly = index[(index["group"] != first) | (index["camera"] == lone)]
    write_examples(replace(dataset, index=partly), run, [])
    entries = run.folder.child("examples").read_json("examples.json")
    assert len(entries) == 10
    groups = {
        label: {entry["group"] for entry in entries if entry["label"] == label}
        for label in set(index["label"])
    }
    assert [len(found) for found in groups.values()] == [1, 1]
    assert not {group for found in groups.values() for group in found} & set(first)


def test_views_of_a_later_sweep_are_added(dataset, run):
    write_examples(dataset, run, views("gray"))
    write_examples(dataset, run, views("left"))
    assert set(shown(run)) == {("rgb", 0), ("gray", 0), ("left", 0)}


def test_of_a_dicom_only_the_picture_is_taken_along(run, tmp_path):
    scan = examples.get_path("ct").read_bytes()
    (tmp_path / "scans").mkdir()
    for n, name in enumerate(["a", "b"]):
        (tmp_path / f"scans/{name}.dcm").write_bytes(scan + bytes(2 * n))
    rows = [{"path": f"scans/{name}.dcm", "label": name, "camera": "x"} for name in ("a", "b")]
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv")
    source = read_source(str(tmp_path / "t.csv"))
    imported = import_dataset(source, Folder(tmp_path / "dataset"), LocalExecutor())
    write_examples(imported, run, [])
    folder = run.folder.child("examples")
    first, _ = folder.read_json("examples.json")
    content = folder.read_bytes(first["file"])
    np.testing.assert_array_equal(decode(content), decode(scan))
    assert content.startswith(b"\x89PNG")
    assert b"CompressedSamples" in scan
    assert b"CompressedSamples" not in b"".join(folder.read_bytes(name) for name in folder.names())
