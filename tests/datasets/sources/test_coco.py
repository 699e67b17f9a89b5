"""Lists in COCO's format, also as camera traps write them."""

import json

import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def write(photos):
    """A function that writes a list of the photos beside them; the camera is the `location` of an image."""

    def run(annotations=None, **changes):
        document = {
            "images": [
                {"id": f"i{n}", "file_name": file.name, "location": camera, "seq_id": n // 2, "width": 30}
                for n, (file, _, camera) in enumerate(photos)
            ],
            "categories": [{"id": 7, "name": "cat"}, {"id": 9, "name": "dog"}],
            "annotations": annotations
            or [
                {
                    "id": n,
                    "image_id": f"i{n}",
                    "category_id": {"cat": 7, "dog": 9}[label],
                    "bbox": [0, 0, 1, 1],
                }
                for n, (_, label, _) in enumerate(photos)
            ],
        } | changes
        path = photos[0][0].parent / "list.json"
        path.write_text(json.dumps(document))
        return str(path)

    return run


def test_the_label_is_the_category_and_other_fields_can_be_named(write, imported):
    source, _ = imported(write(), camera="location", group="seq_id")
    assert [photo.group for photo in source.photos] == ["0", "0", "1", "1", "2", "2", "3", "3"]


def test_several_categories_are_a_set_and_none_is_skipped_and_said(write):
    annotations = [
        {"image_id": "i0", "category_id": 9},
        {"image_id": "i0", "category_id": 7},
        {"image_id": "i1", "category_id": 7},
    ]
    source = read_source(write(annotations), Reading(camera="location", one_vs_rest="dog"))
    assert [(photo.path, photo.label) for photo in source.photos] == [("0.jpg", "dog"), ("1.jpg", "not dog")]
    assert "6 images have no annotation and are skipped." in source.notes


def test_a_category_that_is_not_listed_is_named(write):
    with pytest.raises(CamerabiasError, match=r"category_id 0, which no category has \(7 cat, 9 dog\)"):
        read_source(write([{"image_id": "i0", "category_id": 0}]), Reading(camera="location"))


@pytest.mark.parametrize(
    "changes", [{"images": [{"id": 1}]}, {"categories": "cats"}, {"annotations": [{"image_id": 1}]}]
)
def test_what_is_no_such_list_is_refused_in_a_sentence(write, changes):
    with pytest.raises(CamerabiasError, match=r"list.json does not read as a COCO list .*; it needs images"):
        read_source(write(**changes), Reading(camera="location"))
