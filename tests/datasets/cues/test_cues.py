"""Cues moved in pictures whose level is known, held against what is measured of the pictures that come of it."""

import io
import runpy

import cv2
import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.cues import names
from camerabias.datasets.cues.names import CUES, INTERVENTIONS
from camerabias.datasets.interventions import cue
from camerabias.datasets.interventions.intervention import camera_levels
from camerabias.datasets.pixels.photo import prepare
from camerabias.datasets.pixels.registry import measure_pixels


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def picture(rng):
    """A function that draws soft coloured light with noise, uint8 (side, side, 3)."""

    def draw(sigma=0.0, gains=(1, 1, 1), side=128):
        light = np.kron(rng.uniform(90, 160, (4, 4)), np.ones((side // 4, side // 4)))[..., None] * gains
        return np.clip(np.rint(light + sigma * rng.standard_normal((side, side, 3))), 0, 255).astype(np.uint8)

    return draw


def saved(pixels, file_format="PNG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, **options)
    return file.getvalue()


def level(cue, pixels, **options):
    return INTERVENTIONS[cue].measure(prepare(saved(pixels, **options)))


def test_cues_that_cannot_be_moved_say_why_and_no_others():
    assert {*INTERVENTIONS} == {cue for cue, spec in CUES.items() if not spec.immovable}


def test_cues_are_numbered_in_their_order():
    assert [spec.number for spec in CUES.values()] == [*range(len(CUES))]


def test_a_cue_is_added_as_contributing_says(contributed, picture):
    contributed("datasets/cues/saturation.py", cue.CUES)
    collected = runpy.run_path(names.__file__)
    assert [*collected["CUES"]] == [*CUES, "saturation"]
    assert collected["mitigations_of"](["saturation"]) == ["jitter"]
    assert collected["probe_of"]("saturation") == "moved_saturation"
    added = collected["INTERVENTIONS"]["saturation"]
    dull, gaudy = picture(gains=(1.1, 1, 0.9)), picture(gains=(1.4, 1, 0.6))
    levels = [added.measure(prepare(saved(pixels))) for pixels in (dull, gaudy)]
    moved = added.move(dull, *levels, np.random.default_rng(0))
    assert levels[0] + 0.3 < added.measure(prepare(saved(moved))) < levels[1]


def test_levels_of_cameras_are_found_beside_what_labels_show(rng):
    labels, cameras = rng.choice(["a", "b"], 400), rng.choice(["x", "y", "z"], 400)
    kept = ~((labels == "a") & (cameras == "z"))  # a camera of one label alone
    labels, cameras = labels[kept], cameras[kept]
    shown, own = {"a": 5.0, "b": -3.0}, {"x": 0.0, "y": 1.0, "z": 4.0}
    measured = np.array(
        [[shown[label] + own[camera], -own[camera]] for label, camera in zip(labels, cameras, strict=True)]
    )
    measured[rng.random(len(measured)) < 0.2] = np.nan
    found = camera_levels(labels, cameras, measured)
    for camera in "yz":
        assert found[camera] - found["x"] == pytest.approx([own[camera], -own[camera]], abs=1e-9)


def test_a_camera_without_a_level_is_none():
    found = camera_levels(["a"] * 4, ["x", "x", "y", "y"], np.array([[1.0], [3.0], [np.nan], [np.nan]]))
    assert found == {"x": pytest.approx([2.0])}


def test_white_balance_is_that_of_the_other_camera_and_grays_keep_their_luma(picture):
    first, second = picture(gains=(1.1, 1, 0.9)), picture(gains=(0.9, 1, 1.2))
    cue = INTERVENTIONS["white balance"]
    levels = [level("white balance", pixels) for pixels in (first, second)]
    moved = cue.move(first, *levels, np.random.default_rng(0))
    assert level("white balance", moved) == pytest.approx(levels[1], abs=0.02)
    gray = np.full((16, 16, 3), 120, np.uint8)
    luma = cue.move(gray, *levels, np.random.default_rng(0)) @ [0.299, 0.587, 0.114]
    assert luma == pytest.approx(120, abs=3)
    assert cue.common(np.stack(levels)) == pytest.approx(np.mean(levels, axis=0))


def test_noise_is_added_with_its_colours_and_never_taken_away(picture):
    cue, sigmas = INTERVENTIONS["noise"], np.array([2.0, 5.0, 8.0])
    quiet, noisy = picture(1.0), picture(sigmas)
    levels = [level("noise", pixels) for pixels in (quiet, noisy)]
    assert cue.reaches(*levels)
    assert not cue.reaches(*levels[::-1])
    np.testing.assert_array_equal(cue.common(np.stack(levels)), levels[1])
    numbers = measure_pixels(saved(cue.move(quiet, *levels, np.random.default_rng(0))))
    for name, sigma in zip(("noise_red", "noise_green", "noise_blue"), sigmas, strict=True):
        assert numbers[name] == pytest.approx(sigma, rel=0.1)
    np.testing.assert_array_equal(cue.move(noisy, *levels[::-1], np.random.default_rng(0)), noisy)


@pytest.mark.parametrize("side", [96, 600])
def test_coarse_noise_stays_coarse_on_photos_of_any_size(rng, side):
    white = 6 * rng.standard_normal((256, 257, 3))
    coarse = np.clip(np.rint(128 + (white[:, 1:] + white[:, :-1]) / np.sqrt(2)), 0, 255).astype(np.uint8)
    flat = np.full((side, side, 3), 128, np.uint8)
    levels = level("noise", flat), level("noise", coarse)
    numbers = measure_pixels(saved(INTERVENTIONS["noise"].move(flat, *levels, np.random.default_rng(0))))
    assert numbers["noise_level"] == pytest.approx(measure_pixels(saved(coarse))["noise_level"], rel=0.15)
    assert numbers["noise_along_rows"] == pytest.approx(0.5, abs=0.12)
    assert numbers["noise_along_columns"] == pytest.approx(0, abs=0.12)


def test_jpeg_is_the_other_cameras_file_and_only_gets_coarser(picture):
    cue, photo = INTERVENTIONS["jpeg"], picture(3.0)
    fine, coarse = (
        level("jpeg", photo, file_format="JPEG", quality=quality, subsampling=subsampling)
        for quality, subsampling in ((95, 0), (70, 2))
    )
    assert cue.reaches(fine, coarse)
    assert not cue.reaches(coarse, fine)
    np.testing.assert_array_equal(cue.common(np.stack([fine, coarse])), coarse)
    expected = Image.open(io.BytesIO(saved(photo, "JPEG", quality=70, subsampling=2)))
    np.testing.assert_array_equal(
        cue.move(photo, fine, coarse, np.random.default_rng(0)), np.asarray(expected)
    )
    assert np.isnan(level("jpeg", photo)).all(), "a PNG has no tables"


def generator():
    return np.random.default_rng(0)


@pytest.fixture
def shapes(rng):
    """Many shapes with sharp edges, uint8 (256, 256, 3)."""
    light = np.full((256, 256, 3), 120, np.uint8)
    for _ in range(150):
        colour = [int(value) for value in rng.integers(60, 200, 3)]
        cv2.circle(light, [int(at) for at in rng.integers(0, 256, 2)], int(rng.integers(3, 12)), colour, -1)
    return cv2.GaussianBlur(light, (0, 0), 0.7)


def test_blur_is_that_of_the_softer_camera_and_noise_stays(shapes, rng):
    cue = INTERVENTIONS["blur"]

    def noisy(pixels):
        return np.clip(np.rint(pixels + 2 * rng.standard_normal(pixels.shape)), 0, 255).astype(np.uint8)

    soft = noisy(cv2.GaussianBlur(shapes, (0, 0), 0.8))
    sharp = noisy(shapes)
    levels = [level("blur", pixels) for pixels in (sharp, soft)]
    assert levels[1][0] - levels[0][0] == pytest.approx(0.8**2, rel=0.25)
    assert cue.reaches(*levels)
    assert not cue.reaches(*levels[::-1])
    np.testing.assert_array_equal(cue.common(np.stack(levels)), levels[1])
    before, after, expected = (
        measure_pixels(saved(pixels)) for pixels in (sharp, cue.move(sharp, *levels, generator()), soft)
    )
    assert after["edge_width"] == pytest.approx(expected["edge_width"], rel=0.15)
    assert after["noise_level"] == pytest.approx(before["noise_level"], rel=0.15)
    assert cue.move(soft, *levels[::-1], generator()) is soft


@pytest.mark.parametrize("variance", [0.1, 0.3])
def test_a_little_blur_is_as_much_as_it_says(shapes, variance):
    cue = INTERVENTIONS["blur"]
    before = level("blur", shapes)
    softer = before.copy()
    softer[0] += variance
    moved = level("blur", cue.move(shapes, before, softer, generator()))
    assert moved[0] - before[0] == pytest.approx(variance, rel=0.25)


def test_false_colours_go_with_the_sharpness_that_made_them(shapes):
    cue, gray = INTERVENTIONS["blur"], shapes[..., 1]

    def photographed(light):
        raw = light.copy()
        return cv2.demosaicing(raw, cv2.COLOR_BayerRGGB2RGB)

    sharp, soft = photographed(gray), photographed(cv2.GaussianBlur(gray, (0, 0), 1.0))
    levels = [level("blur", pixels) for pixels in (sharp, soft)]
    moved = cue.move(sharp, *levels, generator())
    colour = [float(np.std(pixels[..., 0] - pixels[..., 1].astype(float))) for pixels in (sharp, moved, soft)]
    assert colour[0] > 2 * colour[2]
    assert colour[1] == pytest.approx(colour[2], rel=0.35)


def test_noise_of_a_jpeg_is_that_of_a_sensor(rng):
    def photographed(sigma):
        raw = np.clip(np.rint(128 + sigma * rng.standard_normal((256, 256))), 0, 255).astype(np.uint8)
        pixels = cv2.demosaicing(raw, cv2.COLOR_BayerRGGB2RGB)
        file = saved(pixels, "JPEG", quality=90, subsampling=2)
        return np.asarray(Image.open(io.BytesIO(file))), INTERVENTIONS["noise"].measure(prepare(file))

    (quiet, low), (noisy, high) = photographed(3), photographed(10)
    moved = INTERVENTIONS["noise"].move(quiet, low, high, generator())
    luma, colour = ([1 / 3] * 3, [1, -0.5, -0.5])
    for weights, tolerance in ((luma, 0.15), (colour, 0.4)):
        assert (moved @ weights).std() == pytest.approx((noisy @ weights).std(), rel=tolerance)
    np.testing.assert_array_equal(INTERVENTIONS["noise"].move(noisy, high, low, generator()), noisy)


def test_detail_that_was_sharpened_is_weakened_and_none_is_strengthened(shapes):
    cue = INTERVENTIONS["denoising, sharpening"]
    light = shapes.astype(float)
    luma = light @ [0.299, 0.587, 0.114]
    detail = luma - cv2.GaussianBlur(luma, (0, 0), 1.0)
    sharp = np.clip(np.rint(light + 0.8 * detail[..., None]), 0, 255).astype(np.uint8)
    levels = [level("denoising, sharpening", pixels) for pixels in (sharp, shapes)]
    assert cue.reaches(*levels)
    assert not cue.reaches(*levels[::-1])
    moved = cue.move(sharp, *levels, generator())
    assert np.abs(moved - light).mean() < 0.4 * np.abs(sharp - light).mean()
    np.testing.assert_array_equal(cue.move(shapes, *levels[::-1], generator()), shapes)


def test_light_is_given_to_corners_and_taken_from_them(picture):
    cue, even = INTERVENTIONS["vignetting"], np.full((120, 160, 3), 150, np.uint8)
    darker = cue.move(even, np.array([0.0]), np.array([0.7]), generator())
    assert level("vignetting", even) == pytest.approx([0], abs=0.01)
    assert level("vignetting", darker) == pytest.approx([0.7], abs=0.05)
    assert np.abs(cue.move(darker, np.array([0.7]), np.array([0.0]), generator()) - 150.0).max() <= 2
    assert cue.common(np.array([[0.0], [0.7]])) == pytest.approx([0.35])


def test_colours_are_magnified_as_they_are_measured(shapes):
    cue, by = INTERVENTIONS["chromatic aberration"], np.array([6.0, -4.0])
    shapes = shapes[..., :1].repeat(3, axis=2)
    moved = cue.move(shapes, np.zeros(2), by, generator())
    np.testing.assert_array_equal(moved[..., 1], shapes[..., 1])
    assert level("chromatic aberration", moved) - level("chromatic aberration", shapes) == pytest.approx(
        by, abs=0.8
    )


def test_tone_takes_the_other_cameras_quantiles(picture):
    cue, photo = INTERVENTIONS["tone"], picture(20.0)
    curved = np.rint(255 * (photo / 255.0) ** 1.4).astype(np.uint8)
    levels = [level("tone", pixels) for pixels in (photo, curved)]
    moved = cue.move(photo, *levels, generator())
    assert level("tone", moved) == pytest.approx(levels[1], abs=2.5)
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    mapped = cue.move(ramp, *levels, generator())[0, :, 0].astype(int)
    assert (np.diff(mapped) >= 0).all()
    assert (mapped[0], mapped[-1]) == (0, 255)


@pytest.mark.parametrize("cue", INTERVENTIONS)
def test_photos_that_tell_nothing_have_no_level(cue):
    black = np.zeros((40, 40, 3), np.uint8)
    found = level(cue, black)
    assert found.ndim == 1
    if np.isnan(found).any():
        assert camera_levels(["a", "a"], ["x", "y"], np.stack([found, found])) == {}
