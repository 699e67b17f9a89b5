import io
import subprocess
import sys
from collections import Counter

import cv2
import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.simulator import (
    CAMERAS,
    CUES,
    LABELS,
    PHOTOGRAPHERS,
    REGIONS,
    parse_cues,
    photo,
    preset_spec,
    simulate,
)
from camerabias.datasets.simulator.cameras import scaled_camera
from camerabias.datasets.simulator.optics import Pose
from camerabias.datasets.simulator.scene import draw_canvas
from camerabias.datasets.simulator.sensor import draw_device

SIZE = 96
DEMO = preset_spec("demo", images=40, size=SIZE)


def decoded(image):
    return np.asarray(Image.open(io.BytesIO(image.jpeg)))


def files_of(cues):
    """The JPEG of every camera of one bottle in one pose and with the same noise, EXIF left out."""
    files = []
    for number, name in enumerate(CAMERAS):
        camera = scaled_camera(name, cues)
        pixels, _ = photo.photograph(
            draw_canvas(0, 0, LABELS[0], SIZE),
            Pose(shift=(0.01, -0.01), rotation=0.02, scale=1.01, exposure=1.0),
            camera,
            draw_device(0, number, SIZE),
            SIZE,
            np.random.default_rng(0),
        )
        files.append(
            photo.compression.encode(
                pixels, camera.jpeg_tables, camera.jpeg_quality, camera.jpeg_subsampling, "any"
            )
        )
    return files


def test_a_photo_is_the_same_again_and_in_another_process():
    here = simulate(DEMO, 7).jpeg
    draw_canvas.cache_clear()
    draw_device.cache_clear()
    assert simulate(DEMO, 7).jpeg == here
    script = (
        "import sys; from camerabias.datasets.simulator import *;"
        f"sys.stdout.buffer.write(simulate(preset_spec('demo', images=40, size={SIZE}), 7).jpeg)"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    assert there == here


def test_a_photo_does_not_depend_on_the_number_of_photos_or_their_order():
    backwards = [simulate(DEMO, index).jpeg for index in reversed(range(10))][::-1]
    more = preset_spec("demo", images=100, size=SIZE)
    assert [simulate(more, index).jpeg for index in range(10)] == backwards


def test_the_seed_changes_everything():
    assert simulate(DEMO, 0).jpeg != simulate(preset_spec("demo", images=40, size=SIZE, seed=1), 0).jpeg


@pytest.mark.parametrize(("preset", "per_cell"), [("demo", 100), ("paper", 309)])
def test_every_cell_has_the_same_number_of_photos(preset, per_cell, monkeypatch):
    spec = preset_spec(preset, size=64)
    nothing = np.zeros((64, 64, 3), np.uint8)
    monkeypatch.setattr(photo, "photograph", lambda *_: (nothing, nothing[:, :, 0]))
    monkeypatch.setattr(photo, "draw_canvas", lambda *_: None)
    images = [simulate(spec, index) for index in range(spec.images)]
    cells = Counter((image.label, image.camera) for image in images)
    assert cells == {(label, camera): per_cell for label in LABELS for camera in CAMERAS}
    assert set(Counter(image.group for image in images).values()) == {len(CAMERAS)}
    held = Counter((image.photographer, image.label, image.camera) for image in images)
    assert len(held) == len(PHOTOGRAPHERS) * len(LABELS) * len(CAMERAS)
    assert max(held.values()) - min(held.values()) <= 1


def test_what_is_known_about_a_photo():
    image = simulate(DEMO, 38)
    assert (image.label, image.camera, image.group) == ("manufacturer 2", "Redmi", "bottle-0007")
    assert image.photographer in PHOTOGRAPHERS
    assert image.regions.shape == (SIZE, SIZE)
    assert image.regions.dtype == np.uint8
    assert decoded(image).shape == (SIZE, SIZE, 3)


def test_without_cues_all_cameras_take_the_same_photo():
    assert len(set(files_of(parse_cues("none")))) == 1


@pytest.mark.parametrize("cue", CUES)
def test_each_cue_alone_changes_the_photo_of_some_camera(cue):
    assert len(set(files_of(parse_cues(f"none,{cue}")))) > 1


@pytest.mark.parametrize("cue", CUES)
def test_each_cue_can_be_taken_away_from_all_the_others(cue):
    assert files_of(parse_cues(f"all,{cue}=0")) != files_of(parse_cues("all"))


@pytest.mark.parametrize("index", [0, 6, 12, 18, 24])
def test_regions_lie_on_the_code_and_the_seam(index):
    image = simulate(preset_spec("demo", images=40, size=256), index)
    grey = np.asarray(Image.open(io.BytesIO(image.jpeg)).convert("L")).astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 8)
    code, seam, plastic = (image.regions == REGIONS[name] for name in ("code", "seam", "plastic"))
    ink = grey < 0.75 * np.median(grey[plastic])
    assert ink[code].mean() > 0.1
    assert ink[~code].mean() < 0.003
    assert np.abs(detail[seam]).mean() > 1.5 * np.abs(detail[plastic]).mean()


def test_a_photo_takes_a_cue_of_another_camera_and_stays_the_same_otherwise():
    own = simulate(DEMO, 5)
    other = list(CAMERAS)[3]
    assert simulate(DEMO, 5, other).jpeg == own.jpeg, "no cue"
    taken = simulate(DEMO, 5, other, ["white_balance"])
    assert (taken.group, taken.camera) == (own.group, own.camera)
    first, second = (decoded(image).astype(float) for image in (own, taken))
    assert np.corrcoef(first[..., 1].ravel(), second[..., 1].ravel())[0, 1] > 0.99, "the same pose and noise"
    assert first[..., 0].mean() > second[..., 0].mean() + 5, "less red"


def test_there_is_no_photo_beyond_the_last():
    with pytest.raises(CamerabiasError, match="photos 0 to 39"):
        simulate(DEMO, 40)
