"""Folders that name no label, and what is advised."""

import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


def refusal(root, reading=None):
    with pytest.raises(CamerabiasError) as caught:
        read_source(str(root), reading)
    return str(caught.value)


def test_of_flat_photos_whose_names_hold_labels_the_printed_lines_write_a_table(make_photos):
    root = make_photos(*(f"{label}_{n}.jpg" for label in ("beagle", "Maine_Coon") for n in range(1, 4)))
    for reading, wanted in ((None, "path, label, camera"), (Reading(camera_from="exif"), "path and label")):
        message = refusal(root, reading)
        assert f"No folder names a label: list the photos in a table with {wanted}." in message
        assert "--" not in message
    exec(message.partition("in Python: ")[2])
    labels = [photo.label for photo in read_source(f"{root}/photos.csv", reading).photos]
    assert labels == ["Maine_Coon"] * 3 + ["beagle"] * 3
    assert "(photos.csv), give that instead" in refusal(root)


def test_of_flat_photos_whose_names_say_nothing_no_labels_are_made(make_photos):
    assert "Python" not in refusal(make_photos("IMG_1.jpg", "IMG_2.jpg", "IMG_3.jpg"))
