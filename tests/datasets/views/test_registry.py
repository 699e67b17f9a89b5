"""Views, fits and variants."""

from typing import get_args

import cv2
import numpy as np
import pytest
from pydantic import ValidationError
from skimage.filters import threshold_local

from camerabias.datasets.schema import CamerabiasError, Fit
from camerabias.datasets.views.fit import fit_factor, fit_pixels
from camerabias.datasets.views.registry import VIEWS, View, parse_views
from camerabias.datasets.views.variant import Variant

STORED = sorted(name for name, kind in VIEWS.items() if kind.draw is None)


def see(name, pixels, **parameters):
    view = View.model_validate({"name": name, **parameters})
    return view.kind.transform(pixels, view.parameters)


def columns(n):
    """A picture 4 high whose pixels hold the number of their column."""
    return np.broadcast_to(np.arange(n, dtype=np.uint8)[None, :, None], (4, n, 3)).copy()


# --- views ----------------------------------------------------------------------------------------------


def test_rgb_is_the_photo(noise):
    pixels = noise()
    np.testing.assert_array_equal(see("rgb", pixels), pixels)


def test_gray_is_bt_601_luma(noise):
    pixels = noise()
    gray = see("gray", pixels)
    assert gray.shape == (20, 30, 1)
    assert np.abs(gray[..., 0] - pixels @ [0.299, 0.587, 0.114]).max() < 0.51


@pytest.mark.parametrize("window", [3, 25, 41])  # 41 is larger than the photo
def test_binary_is_scikit_images_local_mean_threshold(noise, window):
    pixels = cv2.GaussianBlur(noise(40, 31), (0, 0), 1)
    # two and a half gray levels: no pixel lies on the threshold, where rounding would decide
    luma = see("gray", pixels)[..., 0].astype(float)
    expected = luma > threshold_local(luma, window, method="mean", offset=2.5, mode="reflect")
    assert 0.05 < expected.mean() < 1
    actual = see("binary", pixels, window=window, offset=2.5)
    np.testing.assert_array_equal(actual, np.where(expected, 255, 0)[..., None])


def test_binary_looks_at_fifteen_levels_below_the_mean_of_25_pixels_by_default(noise):
    pixels = noise(40, 40)
    np.testing.assert_array_equal(see("binary", pixels), see("binary", pixels, window=25, offset=15))
    assert (see("binary", pixels) != see("binary", pixels, window=23)).any()
    assert (see("binary", pixels) != see("binary", pixels, offset=6)).any()


@pytest.mark.parametrize("window", [3, 7, 25])
def test_binary_decides_exactly_on_the_threshold(window):
    for level in range(5, 256, 10):
        flat = np.full((9, 9, 3), level, dtype=np.uint8)
        assert (see("binary", flat, window=window, offset=0) == 0).all()  # not above its own mean
        assert (see("binary", flat, window=window, offset=1) == 255).all()


@pytest.mark.parametrize(("width", "left", "right"), [(6, [0, 1, 2], [3, 4, 5]), (5, [0, 1], [3, 4])])
def test_halves_share_no_column_and_are_equally_wide(width, left, right):
    assert see("left", columns(width))[0, :, 0].tolist() == left
    assert see("right", columns(width))[0, :, 0].tolist() == right


# --- names and parameters -------------------------------------------------------------------------------


def test_a_view_reads_from_a_name_or_from_name_and_parameters():
    assert View.model_validate("binary").parameters == {"window": 25, "offset": 15}
    changed = View.model_validate({"name": "binary", "window": 15})
    assert changed.parameters == {"window": 15, "offset": 15}
    assert View.model_validate(changed.model_dump()) == changed
    assert (str(View.model_validate("binary")), str(changed)) == ("binary", "binary-window15")
    assert len({changed, View.model_validate({"name": "binary", "window": 15})}) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "sepia",
            "'sepia' is not known; allowed: binary, crop32, gray, highpass, jitter, left, lowpass, reco",
        ),
        ({"window": 3}, "None is not known"),
        ({"name": "gray", "window": 3}, "'gray' has no parameter window; allowed: none"),
        ({"name": "binary", "block": 3}, "no parameter block; allowed: offset, window"),
        ({"name": "binary", "window": 4}, "must be an odd number from 3 up"),
        ({"name": "binary", "window": 1}, "must be an odd number from 3 up"),
        ({"name": "binary", "window": 5.5}, "must be an odd number from 3 up"),
        ({"name": "binary", "window": "wide"}, "valid number"),
        ({"name": "jitter", "hue": 0.6}, "hue 0.6 of view 'jitter' must lie between 0 and 0.5"),
        ({"name": "jitter", "contrast": -0.1}, "contrast -0.1 of view 'jitter' must lie between 0 and 1"),
        ({"name": "lowpass", "sigma": 0}, "sigma 0 of view 'lowpass' must lie between 0.3 and 100"),
        ({"name": "highpass", "sigma": "nan"}, "sigma nan of view 'highpass' must lie between 0.3 and 100"),
        ({"name": "residual", "gain": -4}, "gain -4 of view 'residual' must lie between 0.1 and 100"),
        (
            {"name": "recompressed", "quality": 50.5},
            "quality 50.5 .* must be a whole number between 1 and 100",
        ),
        ({"name": "recompressed", "quality": 101}, "quality 101 .* must be a whole number between 1 and 100"),
        ({"name": "resampled", "factor": 0.5}, "factor 0.5 of view 'resampled' must lie between 1 and 100"),
        (
            {"name": "shuffled", "grid": 1},
            "grid 1 of view 'shuffled' must be a whole number between 2 and 100",
        ),
    ],
)
def test_wrong_views_are_refused_with_what_is_allowed(given, message):
    with pytest.raises(ValidationError, match=message):
        View.model_validate(given)


def test_the_command_lines_views():
    assert [view.name for view in parse_views(" rgb, gray,")] == ["rgb", "gray"]
    for text in ("", "rgb,sepia", "jitter"):
        with pytest.raises(
            CamerabiasError,
            match=r"No view to build .*; allowed: binary, gray, highpass, left, .*, shuffled \(random",
        ):
            parse_views(text)


# --- fit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", get_args(Fit))
def test_pixels_of_the_right_size_pass_untouched(noise, fit):
    pixels = noise(8, 6)
    np.testing.assert_array_equal(fit_pixels(pixels, 8, 6, fit), pixels)


def test_crop_cuts_the_centre_out_of_unscaled_pixels(noise):
    pixels = noise(10, 13)
    np.testing.assert_array_equal(fit_pixels(pixels, 4, 6, "crop"), pixels[3:7, 3:9])


def test_crop_enlarges_what_is_too_small_and_only_that():
    pixels = np.full((2, 8, 3), 7, dtype=np.uint8)
    assert fit_factor(2, 8, 4, 4, "crop") == 2
    assert fit_factor(4, 8, 4, 4, "crop") == 1
    assert (fit_pixels(pixels, 4, 4, "crop") == 7).all()


def test_resize_scales_the_short_side_and_cuts_the_centre_out():
    pixels = np.repeat(columns(4) * 10, 2, axis=1).repeat(
        2, axis=0
    )  # 8 × 8: columns of 0, 0, 10, 10, 20, ...
    wide = np.concatenate(
        [np.full((8, 4, 3), 200, np.uint8), pixels, np.full((8, 4, 3), 200, np.uint8)], axis=1
    )
    fitted = fit_pixels(wide, 4, 4, "resize")
    np.testing.assert_array_equal(fitted, columns(4) * 10)  # means of 2 × 2 pixels, without the gray wings


def test_resize_enlarges_by_interpolation():
    pixels = np.array([[[0], [100]]], dtype=np.uint8).repeat(2, axis=0)
    assert fit_pixels(pixels, 4, 4, "resize")[0, :, 0].tolist() == [0, 25, 75, 100]


def test_stretch_scales_height_and_width_each_to_its_target():
    tall = np.repeat(
        np.arange(8, dtype=np.uint8)[:, None, None] * 10, 2, axis=1
    )  # 8 × 2: rows of 0, 10, 20, ...
    fitted = fit_pixels(tall, 4, 4, "stretch")[..., 0]
    np.testing.assert_array_equal(
        fitted, np.array([[5], [25], [45], [65]]).repeat(4, axis=1)
    )  # means of two rows


def test_halves_as_squares_are_the_whole_half_stretched(noise):
    variant = Variant(view="left", size=20, fit="stretch")
    assert variant.shape == (20, 20, 3)
    pixels = noise(40, 40)
    half = cv2.resize(pixels[:, :20], (20, 20), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(variant.render(pixels), half)


def test_pad_keeps_everything_and_fills_up_with_mid_gray():
    pixels = np.full((4, 8, 1), 9, dtype=np.uint8)
    fitted = fit_pixels(pixels, 4, 4, "pad")[..., 0]
    np.testing.assert_array_equal(fitted, [[128] * 4, [9] * 4, [9] * 4, [128] * 4])


@pytest.mark.parametrize("fit", get_args(Fit))
@pytest.mark.parametrize("shape", [(3000, 5), (5, 3000), (7, 7), (33, 64), (99, 101), (2, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_shape_comes_out_at_the_target(noise, fit, shape, channels):
    fitted = fit_pixels(noise(*shape, channels), 32, 48, fit)
    assert (fitted.shape, fitted.dtype) == ((32, 48, channels), np.uint8)


# --- variants -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", get_args(Fit))
@pytest.mark.parametrize("name", STORED)
def test_a_rendered_variant_has_its_stated_shape(noise, name, fit):
    variant = Variant(view=name, size=24, fit=fit)
    rendered = variant.render(noise(31, 45))
    assert (rendered.shape, rendered.dtype) == (variant.shape, np.uint8)


def test_shapes_follow_from_the_view():
    shapes = {name: Variant(view=name, size=64, fit="resize").shape for name in STORED}
    assert shapes == dict.fromkeys(STORED, (64, 64, 3)) | {
        "gray": (64, 64, 1), "binary": (64, 64, 1), "left": (64, 32, 3), "right": (64, 32, 3),
    }  # fmt: skip


def test_views_are_computed_at_full_size_and_fitted_afterwards(noise):
    pixels = noise(60, 60)
    for name in ("binary", "left"):
        variant = Variant(view=name, size=20, fit="resize")
        expected = fit_pixels(see(name, pixels), *variant.shape[:2], "resize")
        np.testing.assert_array_equal(variant.render(pixels), expected)


def test_a_variants_folder_differs_with_everything_that_makes_its_pixels():
    binary = {"name": "binary", "window": 25}
    variants = [
        {"view": "binary", "size": 64, "fit": "resize"},
        {"view": {**binary, "window": 15}, "size": 64, "fit": "resize"},
        {"view": {**binary, "offset": 4}, "size": 64, "fit": "resize"},
        {"view": "binary", "size": 32, "fit": "resize"},
        {"view": "binary", "size": 64, "fit": "pad"},
    ]
    folders = [Variant.model_validate(fields).folder for fields in variants]
    assert len(set(folders)) == len(folders)
    assert all(folder.startswith("binary-") for folder in folders)
    spelt_out = {"view": {"offset": 15, **binary}, "size": 64, "fit": "resize"}
    assert Variant.model_validate(spelt_out).folder == folders[0]
