import pytest

from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.simulator import CUES, SimulatorSpec, parse_cues, preset_spec


def test_presets_have_the_sizes_of_the_manual():
    demo, paper = preset_spec("demo"), preset_spec("paper")
    assert (demo.images, demo.size) == (1000, 128)
    assert (paper.images, paper.size) == (3090, 1024)
    assert demo.cues == dict.fromkeys(CUES, 1.0)


def test_arguments_override_the_preset():
    spec = preset_spec("demo", images=20, size=64, cues={"prnu": 3}, seed=5)
    assert (spec.images, spec.size, spec.seed) == (20, 64, 5)
    assert spec.cues["prnu"] == 3
    assert spec.cues["blur"] == 1


def test_spec_survives_json():
    spec = preset_spec("paper", images=30, cues={"dust": 0.5})
    assert SimulatorSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", dict.fromkeys(CUES, 1.0)),
        ("all", dict.fromkeys(CUES, 1.0)),
        ("none", dict.fromkeys(CUES, 0.0)),
        ("none,jpeg_quality=2", dict.fromkeys(CUES, 0.0) | {"jpeg_quality": 2.0}),
        ("none, prnu , blur = 0.5", dict.fromkeys(CUES, 0.0) | {"prnu": 1.0, "blur": 0.5}),
        ("all,dust=0", dict.fromkeys(CUES, 1.0) | {"dust": 0.0}),
    ],
)
def test_cues_are_read_from_text(text, expected):
    assert parse_cues(text) == expected


@pytest.mark.parametrize(
    "text", ["colour", "prnu=much", "prnu=", "prnu=-1", "prnu=nan", "prnu=inf", "none=1"]
)
def test_bad_cues_are_named(text):
    with pytest.raises(CamerabiasError, match=text.partition("=")[0]):
        parse_cues(text)


def test_an_unknown_cue_is_answered_with_the_known_ones():
    with pytest.raises(CamerabiasError) as caught:
        preset_spec("demo", cues={"colour": 1})
    assert "'colour'" in str(caught.value)
    assert all(name in str(caught.value) for name in CUES)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"images": 15}, "images 15: .* multiple of 10"),
        ({"images": 0}, "images 0: .* greater than 0"),
        ({"size": 62}, "size 62: .* greater than or equal to 64"),
        ({"size": 65}, "size 65: .* multiple of 2"),
        ({"seed": -1}, "seed -1: .* greater than or equal to 0"),
        ({"preset": "huge"}, "preset 'huge': .*'demo' or 'paper'"),
    ],
)
def test_values_out_of_range_are_told_with_those_allowed(wrong, said):
    with pytest.raises(CamerabiasError, match=said):
        preset_spec(**({"preset": "demo"} | wrong))
