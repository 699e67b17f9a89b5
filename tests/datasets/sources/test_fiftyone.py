"""Folders as FiftyOne exports them."""

import json
import shutil

import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def root(photos, tmp_path):
    """The photos in an export's folder `data`."""
    (tmp_path / "export/data").mkdir(parents=True)
    for file, *_ in photos:
        shutil.copy(file, tmp_path / "export/data")
    return tmp_path / "export"


def test_a_whole_dataset_has_classifications_as_labels_and_fields_beside(photos, root, imported):
    samples = [
        {
            "_id": {"$oid": "6"}, "filepath": f"data/{file.name}", "tags": ["validation"], "device": camera,
            "ground_truth": {"_id": {}, "_cls": "Classification", "label": label, "confidence": None},
        }
        for file, label, camera in photos
    ]  # fmt: skip
    (root / "samples.json").write_text(json.dumps({"samples": samples}))
    imported(root, camera="device")


@pytest.mark.parametrize(
    "target", [lambda n: n, lambda n: ["cat", "dog"][n], lambda n: {"label": ["cat", "dog"][n]}]
)
def test_image_classification_names_files_without_endings(photos, root, target):
    labels = {file.stem: target(int(label == "dog")) for file, label, _ in photos}
    (root / "labels.json").write_text(json.dumps({"classes": ["cat", "dog"], "labels": labels}))
    source = read_source(str(root), Reading(camera_from="exif"))
    assert [photo.path for photo in source.photos] == [f"data/{file.name}" for file, *_ in photos]
    assert [photo.label for photo in source.photos] == [label for _, label, _ in photos]


def test_what_is_no_export_is_refused_in_a_sentence(root):
    (root / "samples.json").write_text('{"samples": [{"id": 1}]}')
    with pytest.raises(CamerabiasError, match=r"samples.json does not read as an export of FiftyOne"):
        read_source(str(root), Reading())


def test_a_class_below_zero_is_none(photos, root):
    (root / "labels.json").write_text(json.dumps({"classes": ["cat", "dog"], "labels": {"0": 1, "1": -1}}))
    with pytest.raises(CamerabiasError, match="has no label in 1 of 2 rows"):
        read_source(str(root), Reading(camera_from="exif"))
