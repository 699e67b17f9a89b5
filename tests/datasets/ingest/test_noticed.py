"""What an import notices of cameras and pixels, counted by camera."""

import os
import struct

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def notes_on(tmp_path):
    """A function from files by path (LABEL/CAMERA/NAME) to the notes of their dataset."""

    def notes(files):
        for path, content in files.items():
            file = tmp_path / "photos" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        source = read_source(str(tmp_path / "photos"))
        return import_dataset(source, Folder(tmp_path / "out"), LocalExecutor()).manifest.notes

    return notes


@pytest.fixture
def gray():
    """A function that draws a 16-bit picture whose values reach exactly `largest`."""
    generator = np.random.default_rng(0)

    def draw(largest, channels=()):
        values = generator.integers(0, largest + 1, (40, 30, *channels))
        values.flat[0] = largest
        return values.astype(np.uint16)

    return draw


def rgb16(values, file_format):
    import cv2

    return cv2.imencode(file_format, values)[1].tobytes()


@pytest.mark.parametrize(("largest", "bits", "factor"), [(1023, 10, 64), (4095, 12, 16), (4096, 12, 16)])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_cameras_that_use_fewer_bits_are_named(encode, gray, notes_on, largest, bits, factor, file_format):
    files = {f"a/dark/{n}.{file_format}": encode(gray(largest - 50 * n), file_format) for n in range(3)}
    files |= {f"a/full/{n}.{file_format}": encode(gray(65535), file_format) for n in range(3)}
    files["a/dim/0.png"] = encode(gray(9000))  # one dark photo of a camera that uses all bits
    files["a/dim/1.png"] = encode(gray(60000))
    (note,) = notes_on(files)
    assert f"{bits} bits in 3 photos of 'dark' (largest value {largest}: multiply by {factor})" in note
    assert "'full'" not in note
    assert "'dim'" not in note


@pytest.mark.parametrize("file_format", [".png", ".tiff"])
def test_colours_of_fewer_bits_are_noticed_too(gray, notes_on, file_format):
    files = {f"a/x/{n}{file_format}": rgb16(gray(4095, (3,)), file_format) for n in range(2)}
    files |= {f"a/y/{n}{file_format}": rgb16(gray(65535, (3,)), file_format) for n in range(2)}
    (note,) = notes_on(files)
    assert "12 bits in 2 photos of 'x' (largest value 4095: multiply by 16)." in note


def test_what_is_noticed_does_not_change_pixels(encode, gray):
    values = gray(4095)
    expected = np.rint(values / 257).astype(np.uint8)
    np.testing.assert_array_equal(decode(encode(values))[..., 0], expected)


def test_photos_that_alpha_hides_and_blank_ones_are_counted_with_their_cause(encode, noise, notes_on):
    clear = np.dstack([noise(), np.zeros((20, 30), np.uint8)])
    files = {f"a/x/{n}.png": encode(noise()) for n in range(4)}
    files |= {f"a/x/clear{n}.png": encode(clear) for n in range(2)}
    files["a/y/cap.jpg"] = encode(
        np.random.default_rng(0).integers(0, 4, (600, 800, 3), dtype=np.uint8), "JPEG"
    )
    files["a/y/white.png"] = encode(np.full((20, 30, 3), 255, np.uint8))
    files["a/y/1.jpg"] = encode(noise(), "JPEG")
    hidden, blank = notes_on(files)
    assert hidden == (
        "Photos whose alpha channel hides them are read as white: 2 of 6 of 'x' (first: a/x/clear0.png). "
        "Save them without it."
    )
    assert blank.startswith("Photos are nearly blank: 2 of 3 of 'y' (first: a/y/cap.jpg). ")


@pytest.mark.parametrize("file_format", ["TIFF", "GIF", "WEBP", "PNG"])
def test_pages_and_frames_that_are_not_read_are_counted(encode, noise, notes_on, file_format):
    pages = [Image.fromarray(noise()) for _ in range(3)]
    several = encode(noise(), file_format, save_all=True, append_images=pages)
    files = {f"a/stack/{n}.tif": several + bytes(n) for n in range(2)}
    (note,) = notes_on(files | {"a/one/1.tif": encode(noise(), "TIFF")})
    assert note.startswith("Only the first page or frame is read of files that hold several")
    assert note.endswith(
        ": 2 of 2 of 'stack' (first: a/stack/0.tif). Save those that count as photos of their own."
    )


def test_a_phones_own_previews_and_pages_behind_damage_do_not_count(encode, noise, notes_on):
    picture = Image.fromarray(noise())
    previews = encode(noise(), "MPO", save_all=True, append_images=[picture])
    damaged = bytearray(encode(noise(), "TIFF"))
    (directory,) = struct.unpack_from("<I", damaged, 4)
    (entries,) = struct.unpack_from("<H", damaged, directory)
    struct.pack_into("<I", damaged, directory + 2 + 12 * entries, 2**31)  # a next page far behind the end
    assert notes_on({"a/x/1.jpg": previews, "a/x/2.tif": bytes(damaged)}) == ()


def test_ordinary_photos_have_no_notes(encode, noise, notes_on):
    half = np.dstack([noise(), np.full((20, 30), 128, np.uint8)])
    ramp = np.repeat(np.arange(100, 108, dtype=np.uint8), 4)[None].repeat(20, axis=0)  # low contrast
    assert (
        notes_on({"a/x/1.jpg": encode(noise(), "JPEG"), "a/x/2.png": encode(half), "a/x/3.png": encode(ramp)})
        == ()
    )


def test_cameras_of_exif_are_spelled_one_way_and_near_names_pointed_at(tmp_path, encode, noise):
    models = {"Go-2": 3, "GO-2": 2, "Go 2": 1, "\x1b[31mGo-9": 1}
    (tmp_path / "photos/a").mkdir(parents=True)
    for number, model in enumerate(model for model, n in models.items() for _ in range(n)):
        exif = Image.Exif()
        exif[271], exif[272] = "Lumen", model
        (tmp_path / f"photos/a/{number}.jpg").write_bytes(encode(noise(), "JPEG", exif=exif))
    source = read_source(str(tmp_path / "photos"), Reading(camera_from="exif"))
    dataset = import_dataset(source, Folder(tmp_path / "out"), LocalExecutor())
    assert dataset.manifest.cameras == ("Lumen Go 2", "Lumen Go-2", "Lumen \\x1b[31mGo-9")
    joined, near = dataset.manifest.notes
    assert joined.endswith("alone are one: 'Lumen Go-2' also for 'Lumen GO-2'.")
    assert "'Lumen Go-2' (5)" in near
    assert "'Lumen Go 2' (1)" in near


def test_photos_with_names_in_other_bytes_are_imported(make_photos, tmp_path):
    root = make_photos("A/x/1.jpg")
    with open(bytes(root) + b"/A/x/caf\xe9.jpg", "wb") as file:
        file.write((root / "A/x/1.jpg").read_bytes() + b"\0")
    folder = Folder(tmp_path / "out")
    for _ in range(2):  # the second import finds the first one's photos
        dataset = import_dataset(read_source(str(root)), folder, LocalExecutor())
    assert dataset.index["path"].tolist() == ["A/x/1.jpg", "A/x/café.jpg"]
    assert pd.read_parquet(tmp_path / "out/index.parquet")["path"].tolist() == ["A/x/1.jpg", "A/x/café.jpg"]


def test_folders_with_names_in_other_bytes_are_the_label_that_they_read_as(make_photos):
    root = make_photos("élan/x/1.jpg", "other/x/2.jpg")
    (root / "other").rename(bytes(root).decode() + "/\udce9lan")
    assert {photo.label for photo in read_source(str(root)).photos} == {"élan"}


def test_a_folder_that_may_not_be_read_is_named(make_photos, monkeypatch):
    root = make_photos("A/x/1.jpg", "B/x/2.jpg")
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("B"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read everything
    with pytest.raises(CamerabiasError, match=r"photos/B may not be read: chmod -R u\+rX .*photos/B"):
        read_source(str(root))


def test_a_table_finds_a_name_in_other_bytes(make_photos):
    root = make_photos("1.jpg")
    (root / "1.jpg").rename(bytes(root).decode() + "/caf\udce9.jpg")
    pd.DataFrame({"path": ["café.jpg"], "label": "a", "camera": "x"}).to_csv(root / "t.csv")
    (photo,) = read_source(str(root / "t.csv")).photos
    assert photo.name == "café.jpg"
    assert Folder(root).read_bytes(photo.path)
