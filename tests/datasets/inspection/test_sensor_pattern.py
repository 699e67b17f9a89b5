"""Cameras by the patterns of their sensors: on simulated photos, and on noise whose pattern is known."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import uniform_filter

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.ingest.create import import_dataset, simulate_dataset
from camerabias.datasets.inspection import sensor_pattern
from camerabias.datasets.inspection.sensor_pattern import (
    correlate,
    match_patterns,
    noise_residual,
    without_artefacts,
)
from camerabias.datasets.io.decode import decode_as_stored, stored_size
from camerabias.datasets.io.executor import LocalExecutor, RayExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import parse_cues, preset_spec
from camerabias.datasets.sources.registry import read_source

ORIENTATION = 274


def simulated(tmp_path, cues):
    spec = preset_spec("demo", images=200, size=128, cues=parse_cues(cues))
    return simulate_dataset(spec, Folder(tmp_path / cues), LocalExecutor())


def accuracy(matches):
    return (matches["prediction"] == matches["camera"]).mean()


@pytest.fixture
def take_photo():
    """A function that takes a gray photo, as PNG, with a sensor whose number is its pattern."""
    generator = np.random.default_rng(1)

    def take(sensor, height=64, width=96, noise=2.0):
        pattern = np.random.default_rng(100 + sensor).standard_normal((height, width))
        light = 128 + 20 * generator.standard_normal() + noise * generator.standard_normal((height, width))
        pixels = np.clip(np.rint(light * (1 + 0.02 * pattern)), 0, 255).astype(np.uint8)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG")
        return content.getvalue()

    return take


@pytest.fixture
def make_dataset(tmp_path):
    """A function that imports photos, rows of (bytes, label, camera) or (bytes, label, camera, group)."""

    def make(rows, name="photos"):
        (tmp_path / name).mkdir()
        for number, (content, *_) in enumerate(rows):
            (tmp_path / name / f"{number:03}.png").write_bytes(content)
        table = pd.DataFrame([row[1:] for row in rows]).set_axis(
            ["label", "camera", "group"][: len(rows[0]) - 1], axis=1
        )
        table.insert(0, "path", [f"{name}/{number:03}.png" for number in range(len(rows))])
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        source = read_source(str(tmp_path / f"{name}.csv"))
        return import_dataset(source, Folder(tmp_path / f"{name}-dataset"), LocalExecutor())

    return make


# --- simulated photos -------------------------------------------------------------------------------------


def test_simulated_cameras_are_recognised_by_their_sensors(tmp_path):
    dataset, told = simulated(tmp_path, "none,prnu=3"), []
    matches = match_patterns(dataset, LocalExecutor(), lambda done, n: told.append((done, n)))
    assert accuracy(matches) > 0.95  # chance 0.2
    assert matches["image_id"].tolist() == dataset.index["image_id"].tolist()
    for column in ("label", "camera", "group"):
        assert matches[column].tolist() == dataset.index[column].tolist()
    assert matches.attrs["left_out"] == {}
    assert told == [(done + 1, 9) for done in range(9)]  # five cameras, four parts
    assert not [name for name in dataset.folder.names() if name.startswith("sensor_pattern")]


def test_without_any_difference_cameras_are_recognised_by_chance(tmp_path):
    matches = match_patterns(simulated(tmp_path, "none"), LocalExecutor())
    assert abs(accuracy(matches) - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 200)


def test_what_was_left_out_is_kept_in_parquet(tmp_path, make_dataset, take_photo):
    rows = [(take_photo(n % 2), "A", "xy"[n % 2]) for n in range(40)] + [(take_photo(0), "B", "x")]
    matches = match_patterns(make_dataset(rows), LocalExecutor())
    matches.to_parquet(tmp_path / "matches.parquet")
    again = pd.read_parquet(tmp_path / "matches.parquet")
    pd.testing.assert_frame_equal(again, matches)
    assert again.attrs == matches.attrs != {}


# --- out of fold ------------------------------------------------------------------------------------------


def test_a_photo_is_not_matched_with_itself(make_dataset, take_photo):
    """Twins look the same to a pixel, and all noise is that of the shot: whoever had a twin's noise would find it."""
    rows = []
    for pair in range(60):
        content = Image.open(
            io.BytesIO(take_photo(sensor=1000 + pair))
        )  # every shot has a pattern of its own
        for twin in range(2):
            copy = io.BytesIO()
            content.save(copy, "PNG", compress_level=1 + twin)  # other bytes, so that it is no duplicate
            rows.append((copy.getvalue(), "A", "xy"[pair % 2], f"pair {pair}"))
    matches = match_patterns(make_dataset(rows), LocalExecutor())
    assert len(matches) == 120
    by_pair = (matches["prediction"] == matches["camera"]).groupby(matches["group"]).mean()
    assert abs(by_pair.mean() - 0.5) < 4 * 0.5 / np.sqrt(60)  # with its twin or itself in the pattern it is 1


def test_patterns_without_a_fold_do_not_depend_on_its_photos(make_dataset, take_photo, monkeypatch):
    kept = [(take_photo(n % 2), "A", "xy"[n % 2], f"g{n:02}") for n in range(40)]
    first = make_dataset(kept, "first")
    fold = first.index["fold"].iloc[0]
    changed = [
        (take_photo(7), *row[1:]) if f == fold else row
        for row, f in zip(kept, first.index["fold"], strict=True)
    ]
    second = make_dataset(changed, "second")
    second.index["fold"] = first.index[
        "fold"
    ].to_numpy()  # dealt by names of images, which come from their bytes
    written = [patterns_of(dataset, monkeypatch) for dataset in (first, second)]
    assert set(written[0]) == set(written[1]) == {f"{n}-{f}.npy" for n in range(2) for f in range(10)}
    for name in written[0]:
        is_left_out = name.endswith(f"-{fold}.npy")
        assert (written[0][name] == written[1][name]) == is_left_out


def patterns_of(dataset, monkeypatch):
    """Files of patterns by name."""
    found = {}
    write = sensor_pattern._write_plane

    def keep(folder, name, plane):
        write(folder, name, plane)
        found[name] = folder.read_bytes(name)

    with monkeypatch.context() as patch:
        patch.setattr(sensor_pattern, "_write_plane", keep)
        match_patterns(dataset, LocalExecutor())
    return found


# --- which photos are compared ----------------------------------------------------------------------------


def test_photos_are_compared_with_cameras_of_their_label_and_size_alone(make_dataset, take_photo):
    rows = [(take_photo(n % 2), "A", "xy"[n % 2]) for n in range(40)]
    rows += [
        (take_photo(n % 2, 72, 96), "B", "yz"[n % 2]) for n in range(40)
    ]  # the same patterns in another size
    rows += [(take_photo(0), "C", "x") for _ in range(20)]
    rows += [(take_photo(3), "A", "rare") for _ in range(8)]
    rows += [(take_photo(n % 2, 40, 40), "A", "xy"[n % 2]) for n in range(40)]
    rows += [(take_photo(n % 2, 80, 80 + n), "A", "xy"[n % 2]) for n in range(20)]
    matches = match_patterns(make_dataset(rows), LocalExecutor())
    assert accuracy(matches) > 0.95
    found = matches.groupby(["label", "height", "width"])["prediction"].agg([set, "size"])
    assert found.loc[("A", 64, 96)].tolist() == [{"x", "y"}, 40]
    assert found.loc[("B", 72, 96)].tolist() == [{"y", "z"}, 40]
    assert len(found) == 2
    assert matches.attrs["left_out"] == {
        "no second camera with as many took its label at its size": 20,
        "fewer than 10 other photos by its camera at its size in pixels": 28,
        "smaller than 64 × 64 pixels": 40,
    }


def test_nothing_to_compare_is_an_empty_frame(make_dataset, take_photo):
    matches = match_patterns(make_dataset([(take_photo(0), "A", "x") for _ in range(4)]), LocalExecutor())
    assert matches.empty
    assert {"image_id", "label", "camera", "group", "prediction", "correlation"} <= set(matches.columns)


def test_a_photo_without_noise_is_left_out(make_dataset, take_photo):
    blank = io.BytesIO()
    Image.new("L", (96, 64), 255).save(blank, "PNG")
    rows = [(take_photo(n % 2), "A", "xy"[n % 2]) for n in range(40)] + [(blank.getvalue(), "A", "x")]
    matches = match_patterns(make_dataset(rows), LocalExecutor())
    assert len(matches) == 40
    assert matches.attrs["left_out"] == {"without noise, as blank or overexposed photos are": 1}


@pytest.mark.parametrize("width", [64, 96])
def test_photos_held_upright_are_matched_as_the_sensor_lay(make_dataset, take_photo, width):
    lying = [(take_photo(n % 2, 64, width), "A", "xy"[n % 2]) for n in range(40)]
    upright = [(turned_by_exif(content), *row) for content, *row in lying[:20]] + lying[20:]
    first, second = make_dataset(lying, "lying"), make_dataset(upright, "upright")
    assert second.index["width"].iloc[:20].eq(64).all()  # a viewer shows them upright
    second.index["fold"] = first.index[
        "fold"
    ].to_numpy()  # dealt by names of images, which come from their bytes
    found = [
        match_patterns(dataset, LocalExecutor()).drop(columns=["image_id", "group"])
        for dataset in (first, second)
    ]
    pd.testing.assert_frame_equal(*found)
    assert accuracy(found[1]) > 0.95
    assert set(found[1]["width"]) == {width}


def turned_by_exif(content):
    exif, turned = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = 6
    Image.open(io.BytesIO(content)).save(turned, "PNG", exif=exif)
    return turned.getvalue()


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_the_header_tells_the_size_of_the_stored_pixels(encode, noise, file_format, orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    content = encode(noise(20, 30), file_format, exif=exif)
    assert stored_size(content) == decode_as_stored(content).shape[:2]
    if file_format == "PNG":
        np.testing.assert_array_equal(decode_as_stored(content), np.asarray(Image.open(io.BytesIO(content))))


def test_of_large_photos_the_centre_is_compared(make_dataset, take_photo, monkeypatch):
    monkeypatch.setattr(sensor_pattern, "MAX_SIDE", 64)
    rows = [(take_photo(n % 2, 100, 150), "A", "xy"[n % 2]) for n in range(40)]
    patterns = patterns_of(make_dataset(rows), monkeypatch)
    pattern = np.load(io.BytesIO(patterns["0-0.npy"])).astype(np.float32)
    assert pattern.shape == (64, 64)
    true = np.random.default_rng(100).standard_normal((100, 150))[18:82, 43:107]
    assert correlate(pattern, true.astype(np.float32)) > 0.7


# --- the signal -------------------------------------------------------------------------------------------


def test_the_residual_is_what_a_local_wiener_filter_removes():
    """Against Mihcak's estimator written pixel by pixel, with scipy's means."""
    picture = np.random.default_rng(0).uniform(0, 255, (40, 48)).astype(np.float32)
    picture[:, 24:] = picture[:, 24:] / 40 + 100
    detail = picture - uniform_filter(picture, 5, mode="mirror")
    signal = np.min(
        [
            np.maximum(uniform_filter(detail**2, side, mode="mirror") - 4, 0)
            for side in sensor_pattern.WINDOWS
        ],
        axis=0,
    )
    removed = detail - detail * signal / (signal + 4)
    np.testing.assert_allclose(noise_residual(picture), removed, rtol=1e-3, atol=1e-3)


def test_noise_is_kept_and_edges_are_not():
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 1, (128, 128)).astype(np.float32)
    edges = np.where(np.arange(128) // 16 % 2, 200, 50).astype(np.float32)[None].repeat(128, axis=0)
    residual = noise_residual(edges + noise)
    assert correlate(residual, noise) > 0.75
    assert np.abs(residual).max() < 0.2 * 150


@pytest.mark.parametrize("shared", ["columns", "jpeg", "bayer", "wave"])
def test_what_models_share_is_removed_and_the_pattern_stays(shared):
    generator = np.random.default_rng(0)
    pattern = generator.standard_normal((128, 128)).astype(np.float32)
    rows, columns = np.mgrid[:128, :128]
    artefact = {
        "columns": generator.standard_normal(128)[None].repeat(128, axis=0),
        "jpeg": np.tile(generator.standard_normal((8, 8)), (16, 16)),
        "bayer": np.where((rows + columns) % 2, 1.0, -1.0),
        "wave": 2 * np.sin(2 * np.pi * (0.11 * rows + 0.23 * columns)),
    }[shared].astype(np.float32)
    cleaned = without_artefacts(pattern + artefact)
    assert correlate(cleaned, pattern) > 0.8
    assert abs(correlate(cleaned, artefact)) < 0.1 < abs(correlate(pattern + artefact, artefact))


def test_correlations_are_numpys():
    one, other = np.random.default_rng(0).standard_normal((2, 20, 30)).astype(np.float32)
    assert correlate(one, one + other) == pytest.approx(np.corrcoef(one.ravel(), (one + other).ravel())[0, 1])
    assert np.isnan(correlate(one, np.ones_like(one)))


@pytest.mark.xdist_group("ray")
@pytest.mark.usefixtures("_ray")
def test_ray_and_this_process_find_the_same(make_dataset, take_photo):
    dataset = make_dataset([(take_photo(n % 2), "A", "xy"[n % 2]) for n in range(40)])
    local, ray = (
        match_patterns(open_dataset(dataset.folder), executor)
        for executor in (LocalExecutor(), RayExecutor())
    )
    pd.testing.assert_frame_equal(local, ray)
