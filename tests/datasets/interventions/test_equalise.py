"""Photos brought to one level of a cue, held against what Pillow and NumPy measure of the files that come of it."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

import camerabias
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError


@pytest.fixture
def made(tmp_path):
    """A function that simulates photos of bottles, each taken by cameras that differ in given cues alone."""

    def make(cues, images=120, size=64):
        return camerabias.simulate(tmp_path / "dataset", images=images, size=size, cues=f"none,{cues}")

    return make


def red_over_green(pixels):
    return np.log2(pixels[..., 0].mean() / pixels[..., 1].mean())


def noise(pixels):
    smooth = np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(5)), float)
    return np.median(np.abs(pixels - smooth))


def by_camera(measure, cameras, pictures):
    """Median of a measure over a camera's photos."""
    measured = [measure(np.asarray(Image.open(picture).convert("RGB"))) for picture in pictures]
    return pd.Series(measured).groupby(list(cameras)).median()


def before(dataset, measure):
    index = dataset.index
    return by_camera(
        measure, index["camera"], (io.BytesIO(dataset.read_image(one)) for one in index["image_id"])
    )


def after(folder, measure):
    table = pd.read_csv(folder / "photos.csv")
    return by_camera(measure, table["camera"], (folder / path for path in table["path"]))


def test_cameras_cannot_be_told_by_a_white_balance_that_is_equalised(made, tmp_path):
    dataset, out = made("white_balance=2"), tmp_path / "equalised"
    camerabias.equalise(dataset, "white balance", out)
    assert np.ptp(before(dataset, red_over_green)) > 0.2
    assert np.ptp(after(out, red_over_green)) < 0.1


def test_noise_is_added_up_to_that_of_the_noisiest_camera_whose_photos_stay(made, tmp_path):
    dataset, out = made("shot_noise=3,read_noise=3"), tmp_path / "equalised"
    table = camerabias.equalise(dataset, "noise", out)
    old, new = before(dataset, noise), after(out, noise)
    noisiest = old.idxmax()
    assert np.ptp(new) < np.ptp(old) / 2
    for path, image_id in zip(table["path"], dataset.index["image_id"], strict=True):
        stays = np.array_equal(
            np.asarray(Image.open(out / path)),
            np.asarray(Image.open(io.BytesIO(dataset.read_image(image_id)))),
        )
        assert stays == (path in set(table.loc[table["camera"] == noisiest, "path"]))


def test_the_table_has_the_users_columns_and_is_imported_as_it_is(made, tmp_path):
    dataset = made("white_balance=2", images=20)
    rows = dataset.index
    for image_id in rows["image_id"]:
        (tmp_path / f"{image_id}.jpg").write_bytes(dataset.read_image(image_id))
    rows = rows[["label", "camera", "group"]].assign(
        path=[tmp_path / f"{image_id}.jpg" for image_id in rows["image_id"]],
        iso=range(100, 120),
        split=["train", "test"] * 10,
    )
    given = camerabias.import_photos(rows, tmp_path / "given")
    camerabias.equalise(tmp_path / "given", "White Balance", tmp_path / "equalised")
    found = camerabias.import_photos(tmp_path / "equalised/photos.csv", tmp_path / "again")
    columns = ["label", "camera", "group", "split", "iso"]
    assert sorted(found.index[columns].astype(str).values.tolist()) == sorted(
        given.index[columns].astype(str).values.tolist()
    )
    assert {path.name for path in (tmp_path / "equalised/photos").iterdir()} == {
        f"{image_id}.png" for image_id in given.index["image_id"]
    }


@pytest.mark.parametrize(
    ("cue", "said"),
    [
        ("nois", r"No cue is named 'nois' \(did you mean 'noise'\?\); allowed: 'white balance', 'noise'"),
        ("lens distortion", "cannot be brought to one level of lens distortion: no single photo has enough"),
        (
            "jpeg",
            "The level of jpeg is not known of 'Huawei', .*'iPhone': no photo of theirs that trains tells it",
        ),
    ],
    ids=["unknown", "immovable", "not JPEG"],
)
def test_what_cannot_be_equalised_is_refused_and_nothing_is_written(made, tmp_path, cue, said):
    dataset = made("white_balance=2", images=20)
    camerabias.equalise(dataset, "white balance", tmp_path / "png")
    without = camerabias.import_photos(tmp_path / "png/photos.csv", tmp_path / "without")
    with pytest.raises(CamerabiasError, match=said):
        camerabias.equalise(without, cue, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_photos_that_lie_there_are_left(made, tmp_path):
    made("white_balance=2", images=20)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/photos.csv").write_text("mine")
    with pytest.raises(CamerabiasError, match="is not empty; name another folder"):
        camerabias.equalise(open_dataset(tmp_path / "dataset"), "noise", tmp_path / "out")
    assert (tmp_path / "out/photos.csv").read_text() == "mine"


def test_an_interrupted_command_resumes_and_comes_to_the_same_bytes(made, tmp_path, monkeypatch, command):
    dataset = made("shot_noise=3,read_noise=3", images=20)
    once, twice = tmp_path / "once", tmp_path / "twice"
    camerabias.equalise(dataset, "noise", once)
    write, left = Folder.write_bytes, [8]

    def interrupted(folder, name, content):
        left[0] -= name.endswith(".png")
        if left[0] < 0:
            raise KeyboardInterrupt
        write(folder, name, content)

    line = ("data", "equalise", dataset.folder, "noise", twice, "--executor", "local")
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write_bytes", interrupted)
        assert command(*line)[0] == 130
    assert len([*(twice / "photos").iterdir()]) == 8
    assert not (twice / "photos.csv").exists()
    first = {path: path.stat().st_mtime_ns for path in (twice / "photos").iterdir()}
    code, out, _ = command(*line)
    assert code == 0
    assert {path: path.stat().st_mtime_ns for path in first} == first, "what is there is not made again"
    files = [{p.relative_to(f): p.read_bytes() for p in f.rglob("*.*")} for f in (once, twice)]
    assert files[0] == files[1]
    size = sum(path.stat().st_size for path in (twice / "photos").iterdir()) / 1e6
    assert f"at one level of noise: {size:.1f} MB of PNG" in out
    assert f"`camerabias audit {twice}/photos.csv --run {twice}/run`" in out


@pytest.mark.parametrize(
    ("cue", "images", "said"), [("blur", 20, "photos at one level of noise"), ("noise", 40, "other photos")]
)
def test_a_folder_of_another_cue_or_of_other_photos_is_refused(made, tmp_path, cue, images, said):
    camerabias.equalise(made("read_noise=3", images=20), "noise", tmp_path / "out")
    other = camerabias.simulate(tmp_path / "other", images=images, size=64, cues="none,read_noise=3")
    with pytest.raises(CamerabiasError, match=f"holds {said}; name another folder"):
        camerabias.equalise(other, cue, tmp_path / "out")
