"""The second simulator makes the same dataset twice, and each cue that it plants changes what it should."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from benchmarks.second_simulator.camera import Camera, Design, expose, mosaic_of, read_out, scene_size
from benchmarks.second_simulator.datasets import CUES, GREY, Plan, digest, make, photo, plan, with_cue
from benchmarks.second_simulator.demosaicing import DEMOSAICING
from benchmarks.second_simulator.processing import Treatment
from benchmarks.second_simulator.scenes import FAMILIES, render

SIDE = 64
WORLDS = [plan(number) for number in range(200)]
NULL = next(made for made in WORLDS if not made.planted and made.family not in (GREY, "night"))


@pytest.fixture(scope="module")
def world() -> Plan:
    """A dataset of shapes that occlude each other, nothing planted, files as the camera wrote them."""
    contents = dict.fromkeys(NULL.contents, ("leaves", 0))
    design = Design(bits=12, black=256, colour=True, disc=False, bilateral=False)
    return replace(
        NULL, contents=contents, treatment=Treatment(1.0, "", 90), width=SIDE, height=SIDE, design=design
    )


def extremes(world: Plan, cue: str) -> tuple[Camera, Camera]:
    """Two cameras at the ends of a cue's range."""
    camera = next(iter(world.cameras.values()))
    low, high = (
        with_cue(camera, cue, 1.0, np.full(4, at), np.random.default_rng(at > 0)) for at in (-0.9, 0.9)
    )
    return low, high


def pixels(world: Plan, camera: Camera, at: int = 0) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(photo(world, at, camera))).convert("RGB")).astype(float)


def flat(camera: Camera, design: Design) -> np.ndarray:
    """Sixteen raw photos of an even wall."""
    rng = np.random.default_rng(0)
    wall = np.full((*scene_size(SIDE, SIDE), 3), 0.3, np.float32)
    light = mosaic_of(expose(wall, camera, design, 1.0, SIDE, SIDE))
    return np.stack([read_out(light, camera, design, rng) for _ in range(16)])


def test_a_number_makes_the_same_dataset_twice(monkeypatch, tmp_path):
    import pyarrow.parquet as pq

    made = plan(1)
    few = replace(made, labels=made.labels[:12], taken_by=made.taken_by[:12])
    monkeypatch.setattr("benchmarks.second_simulator.datasets.plan", lambda number: few)
    first, second = make(1), make(1)
    assert first.equals(second, check_metadata=True)
    pq.write_table(first, tmp_path / "a.parquet")
    pq.write_table(second, tmp_path / "b.parquet", compression="none", row_group_size=3)
    assert digest(tmp_path / "a.parquet") == digest(tmp_path / "b.parquet")
    changed = first.replace_schema_metadata({"truth": "{}"})
    pq.write_table(changed, tmp_path / "c.parquet")
    assert digest(tmp_path / "c.parquet") != digest(tmp_path / "a.parquet")


def test_cameras_differ_only_in_what_is_planted():
    for made in WORLDS:
        differing = {
            field
            for field in Camera.__dataclass_fields__
            if len({getattr(camera, field) for camera in made.cameras.values()}) > 1
        }
        assert bool(differing) == bool(made.planted), made.number
        allowed = set().union(
            *(
                CUES[cue](next(iter(made.cameras.values())), 1.0, np.zeros(4), np.random.default_rng(0))
                for cue in made.planted
            )
        )
        assert differing <= allowed, made.number


def test_the_two_hundred_cover_what_they_should():
    counts = np.bincount([min(len(made.planted), 3) for made in WORLDS], minlength=4) / len(WORLDS)
    assert np.abs(counts - [0.23, 0.385, 0.22, 0.165]).max() < 0.01
    assert {cue for made in WORLDS if len(made.planted) == 1 for cue in made.planted} == set(CUES)
    assert {made.family for made in WORLDS} == {*FAMILIES, "mix"}
    assert all(120 <= len(made.labels) <= 400 for made in WORLDS)
    small = np.mean([max(made.width, made.height) <= 128 for made in WORLDS])
    assert 0.5 < small < 0.7


@pytest.mark.parametrize("family", FAMILIES)
def test_scenes_are_light(family):
    for kind in range(4):
        scene = render(np.random.default_rng(kind), family, kind, 70, 90)
        assert scene.shape == (70, 90, 3)
        assert scene.dtype == np.float32
        assert scene.min() >= 0
        assert 0.02 < scene.mean() < 0.8


@pytest.mark.parametrize("name", DEMOSAICING)
def test_demosaicing_restores_an_even_colour_and_keeps_what_was_measured(name):
    colour = np.broadcast_to(np.array([0.2, 0.5, 0.7], np.float32), (16, 20, 3))
    assert np.abs(DEMOSAICING[name](mosaic_of(colour)) - colour).max() < 1e-4
    varied = np.random.default_rng(0).random((16, 20, 3), np.float32)
    restored = mosaic_of(DEMOSAICING[name](mosaic_of(varied)))
    assert np.abs(restored - mosaic_of(varied))[2:-2, 2:-2].max() < 1e-4


def test_noise_has_the_variance_of_photons_and_read_out(world):
    low, high = extremes(world, "noise")
    for camera in (low, high):
        share = expose(
            np.full((*scene_size(SIDE, SIDE), 3), 0.3, np.float32), camera, world.design, 1.0, SIDE, SIDE
        )
        expected = (share.mean() / camera.full_well) + (camera.read_noise / camera.full_well) ** 2
        assert flat(camera, world.design).var(axis=0, ddof=1).mean() == pytest.approx(expected, rel=0.05)


def test_a_sensor_pattern_stays_in_place(world):
    low, high = (replace(end, vignetting=0.0) for end in extremes(world, "sensor pattern"))
    one, again, other = (flat(camera, world.design).mean(axis=0).ravel() for camera in (low, low, high))
    pattern = flat(replace(low, full_well=1e6), world.design).mean(axis=0).ravel()
    assert np.corrcoef(one, pattern)[0, 1] > 0.3
    assert np.corrcoef(one, again)[0, 1] > 0.3
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_vignetting_darkens_the_corners(world):
    for camera in extremes(world, "vignetting"):
        wall = np.full((*scene_size(SIDE, SIDE), 3), 0.3, np.float32)
        light = expose(wall, camera, world.design, 1.0, SIDE, SIDE)
        assert light[0, 0] / light[SIDE // 2, SIDE // 2] == pytest.approx(1 - camera.vignetting, abs=0.02)


def test_distortion_and_aberration_move_the_corners(world):
    rows, columns = scene_size(SIDE, SIDE)
    ramp = np.repeat(np.tile(np.arange(columns, dtype=np.float32) / columns, (rows, 1))[..., None], 3, axis=2)
    for cue in ("geometry", "chromatic aberration"):
        low, high = (replace(end, vignetting=0.0) for end in extremes(world, cue))
        seen = [expose(ramp, camera, world.design, 1.0, SIDE, SIDE)[2, SIDE - 3] for camera in (low, high)]
        moved = (seen[1] - seen[0]) * columns / 2  # pixels of the photo
        scale = (SIDE / 2 - 2.5) * np.ones(3)
        if cue == "geometry":
            expected = scale * (high.distortion - low.distortion) * ((SIDE / 2 - 2.5) / (SIDE / 2)) ** 2
        else:
            expected = (
                scale * np.array([high.red_shift - low.red_shift, 0, high.blue_shift - low.blue_shift]) / 90
            )
        assert moved == pytest.approx(expected, abs=0.05)


def test_blur_and_sharpening_change_edges(world):
    def edges(camera):
        return np.abs(np.diff(pixels(world, camera), axis=1)).mean()

    sharp, blurred = extremes(world, "blur")
    assert edges(blurred) < 0.8 * edges(sharp)
    camera = next(iter(world.cameras.values()))
    assert edges(replace(camera, sharpen=1.5)) > 1.2 * edges(replace(camera, sharpen=0.0))
    grainy = replace(camera, full_well=300.0)
    assert edges(replace(grainy, denoise=0.1)) < edges(replace(grainy, denoise=0.0))


def test_jpeg_changes_tables_and_chroma(world):
    files = [Image.open(io.BytesIO(photo(world, 0, camera))) for camera in extremes(world, "jpeg")]
    assert files[0].quantization != files[1].quantization
    assert files[0].layer != files[1].layer


def test_white_balance_tone_and_demosaicing_change_colours(world):
    camera = next(iter(world.cameras.values()))
    plain = pixels(world, camera).mean(axis=(0, 1))
    warm = pixels(world, replace(camera, red_gain=0.2, blue_gain=-0.2)).mean(axis=(0, 1))
    assert warm[0] > plain[0] + 5
    assert warm[2] < plain[2] - 5
    assert (pixels(world, replace(camera, gamma=1.3)).mean(axis=(0, 1)) < plain - 5).all()
    one, other = (pixels(world, replace(camera, demosaicing=name)) for name in ("bilinear", "malvar"))
    assert np.abs(one - other).mean() > 1


def test_treatments_leave_the_planned_size(world):
    camera = next(iter(world.cameras.values()))
    for treatment in (Treatment(1.25, "JPEG", 80), Treatment(1.0, "WEBP", 80), Treatment(1.0, "PNG", 80)):
        image = Image.open(io.BytesIO(photo(replace(world, treatment=treatment), 0, camera)))
        assert (image.format, image.size) == (treatment.format, (SIDE, SIDE))
