"""`camerabias check` as a user meets it."""

import re
import shutil

import pytest
from PIL import Image

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.io.storage import Folder, StorageError


@pytest.fixture
def photos(dataset, tmp_path):
    """A folder LABEL/CAMERA of the simulated photos."""
    for image_id, label, camera in dataset.index[["image_id", "label", "camera"]].itertuples(index=False):
        folder = tmp_path / "photos" / label / camera
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{image_id}.jpg").write_bytes(dataset.read_image(image_id))
    return tmp_path / "photos"


def test_check_looks_at_a_folder_and_leaves_nothing_there(command, photos):
    before = sorted(photos.rglob("*"))
    code, out, err = command("check", photos)
    assert (code, err) == (0, "")
    assert "Does the classifier use the camera?" in out
    assert "--details prints" in out
    assert "Contact sheet" not in out
    assert sorted(photos.rglob("*")) == before
    again = command("check", photos)[1]
    assert "Reading photos" in out
    assert "Reading photos" not in again


def test_data_show_is_another_name_and_a_dataset_gets_a_contact_sheet(command, dataset, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(str(dataset.folder), folder)
    code, out, _ = command("data", "show", folder)
    assert code == 0
    assert f"Contact sheet: {folder}/contact_sheet.png\n" in out
    assert f"Next, for a verdict: `camerabias audit {folder} --run runs/mine`" in out
    written = (folder / "contact_sheet.png").stat().st_mtime_ns
    code, again, _ = command("check", folder)
    assert again == "".join(
        line
        for line in out.splitlines(keepends=True)
        if not re.match("Reading headers|Measuring pixels", line)
    )
    assert (folder / "contact_sheet.png").stat().st_mtime_ns == written
    assert open_dataset(str(folder)).manifest == dataset.manifest


def test_a_dataset_that_cannot_be_written_to_is_checked_all_the_same(command, dataset, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise StorageError("it is read-only")

    shutil.copytree(
        str(dataset.folder), tmp_path / "copy", ignore=shutil.ignore_patterns("contact_sheet.png")
    )
    monkeypatch.setattr(Folder, "write_bytes", fail)
    monkeypatch.setattr(Folder, "write_table", fail)
    code, out, _ = command("check", tmp_path / "copy")
    assert code == 0
    assert "Does the classifier use the camera?" in out
    assert "--details prints" in out
    assert "No contact sheet: it is read-only" in out


def test_problems_that_are_named_make_it_exit_with_3(command, photos):
    assert command("check", photos, "--fail-on", "leaks,cannot-tell,associated")[0] == 0
    label = min(photos.iterdir())
    for camera in sorted(label.iterdir())[1:]:
        shutil.rmtree(camera)
    code, out, _ = command("check", photos, "--fail-on", "shared,associated,cannot-tell")
    assert code == 3
    # without groups, a bottle that five cameras took lies on both sides of a test
    assert out.endswith("--fail-on: shared, associated\n")


def test_photos_that_name_no_camera_are_counted_by_import_and_check(command, tmp_path):
    for number in range(12):
        exif = Image.Exif()
        if number % 3:
            exif[271], exif[272] = "Lumen", "Go-2"
        photo = tmp_path / "photos" / "ab"[number % 2] / f"{number}.jpg"
        photo.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((48, 40), 20 + number).save(photo, exif=exif)
    said = "4 of 12 photos name no camera; they count as the camera 'no EXIF', which may be several.\n"
    arguments = [tmp_path / "photos", "--camera-from", "exif"]
    code, out, _ = command("data", "import", *arguments, tmp_path / "out", "--executor", "local")
    assert (code, f"Warning: {said}" in out) == (0, True)
    code, out, _ = command("check", *arguments)
    assert (code, said in out) == (0, True)


def test_what_check_does_not_take_is_refused(command, photos, dataset):
    code, _, err = command("check", photos, "--fail-on", "cheating")
    assert (code, "allowed: cannot-tell" in err) == (2, True)
    code, _, err = command("check", dataset.folder, "--camera", "phone")
    assert (code, "--camera would change nothing" in err) == (1, True)
    assert command("check", photos / "nowhere")[0] == 1
