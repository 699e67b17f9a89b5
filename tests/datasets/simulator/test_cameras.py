from dataclasses import astuple, fields, replace

import pytest

from camerabias.datasets.simulator.cameras import CAMERAS, CUES, REFERENCE, Camera, scaled_camera, with_cues
from camerabias.datasets.simulator.spec import parse_cues


def test_the_cameras_are_those_of_the_paper_in_its_order():
    assert list(CAMERAS) == ["iPhone", "Huawei", "Samsung", "Redmi", "Vivo"]


@pytest.mark.parametrize("name", CAMERAS)
def test_scale_0_is_the_reference_and_scale_1_the_cameras_own(name):
    assert scaled_camera(name, parse_cues("none")) == REFERENCE
    own, scaled = astuple(CAMERAS[name]), astuple(scaled_camera(name, parse_cues("all")))
    assert all(
        a == b if isinstance(a, str) else a == pytest.approx(b) for a, b in zip(own, scaled, strict=True)
    )


def test_scales_move_on_the_line_from_the_reference_through_the_camera():
    own = CAMERAS["Redmi"]
    for scale in (0.5, 2.0):
        camera = scaled_camera("Redmi", parse_cues(f"none,blur={scale}"))
        assert camera.blur_sigma - REFERENCE.blur_sigma == pytest.approx(
            scale * (own.blur_sigma - REFERENCE.blur_sigma)
        )
        assert camera.sharpening == REFERENCE.sharpening


def test_choices_are_the_cameras_own_at_any_scale_above_0():
    own = CAMERAS["iPhone"].demosaicing
    assert own != REFERENCE.demosaicing
    assert scaled_camera("iPhone", parse_cues("none,demosaicing=0.1")).demosaicing == own


def test_numbers_stay_where_they_have_a_meaning():
    for name in CAMERAS:
        extreme = scaled_camera(name, parse_cues(",".join(f"{cue}=1000" for cue in CUES)))
        for entry in fields(Camera):
            value = getattr(extreme, entry.name)
            if not isinstance(value, str):
                assert entry.metadata["low"] <= value <= entry.metadata["high"]


@pytest.mark.parametrize("cue", CUES)
def test_each_cue_tells_some_cameras_apart(cue):
    assert len({scaled_camera(name, parse_cues(f"none,{cue}")) for name in CAMERAS}) > 1


def test_a_cue_of_another_camera_leaves_the_rest():
    own, other = CAMERAS["iPhone"], CAMERAS["Redmi"]
    taken = with_cues(own, other, ["shot_noise", "white_balance"])
    assert (taken.shot_noise, taken.red_gain, taken.blue_gain) == (
        other.shot_noise,
        other.red_gain,
        other.blue_gain,
    )
    same = replace(taken, shot_noise=own.shot_noise, red_gain=own.red_gain, blue_gain=own.blue_gain)
    assert same == own
