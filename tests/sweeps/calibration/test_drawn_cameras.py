"""Cameras drawn at random, their scenes, and datasets dealt from their photos."""

import io
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.cues.names import CUES as NAMED
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import CUES, LABELS
from camerabias.sweeps.calibration import cue_bank
from camerabias.sweeps.calibration.cue_datasets import deal_datasets, read_base
from camerabias.sweeps.calibration.drawn_cameras import draw_camera, parameters_of, vary
from camerabias.sweeps.calibration.scenes import SCENES, Scenes


def _picture(seed):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (90, 120, 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


PICTURES = {label: [_picture(seed) for seed in range(3)] for label in LABELS}


def test_every_cue_of_the_simulator_has_one_name():
    assert sorted(cue for spec in NAMED.values() for cue in spec.parameters) == sorted(CUES)


@pytest.mark.parametrize("cue", NAMED)
def test_variant_differs_in_its_cue_alone(cue):
    rng = np.random.default_rng(0)
    camera = draw_camera(rng)
    varied = asdict(vary(camera, [cue], 1.0, rng))
    changed = {name for name, value in asdict(camera).items() if varied[name] != value}
    assert changed
    assert changed <= set(parameters_of(cue))


def test_half_the_strength_is_half_the_way():
    camera = draw_camera(np.random.default_rng(0))
    whole, half = (vary(camera, ["blur"], strength, np.random.default_rng(1)) for strength in (1.0, 0.5))
    assert half.blur_sigma == pytest.approx((whole.blur_sigma + camera.blur_sigma) / 2)


@pytest.mark.parametrize("kind", SCENES)
def test_scenes_are_light_and_those_of_a_label_vary(kind):
    scenes = Scenes(kind, 64, PICTURES)
    one, other = (scenes.draw(LABELS[0], np.random.default_rng(seed)).radiance for seed in (0, 1))
    assert one.shape == other.shape
    assert one.shape[0] > 64
    assert one.min() >= 0
    assert one.std() > 0
    assert not np.allclose(one, other)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cue_bank, "OF_BASE", 56)
        patch.setattr(cue_bank, "OF_VARIANT", 14)
        folder = Folder(str(tmp_path_factory.mktemp("bank")))
        cue_bank.make_base(folder, 0, PICTURES)
    return read_base(folder, 0)


def test_base_holds_what_is_planted_in_each_of_its_cameras(base):
    alone = cue_bank.ALONE + cue_bank.AGAIN
    assert [len(planted) for planted in base.planted[: alone + 1]] == [0, *[1] * alone]
    assert all(len(planted) > 1 for planted in base.planted[alone + 1 :])
    counts = dict(zip(*np.unique(base.variant, return_counts=True), strict=True))
    assert counts == {0: 56, **dict.fromkeys(range(1, len(base.planted)), 14)}


def test_dealt_datasets_have_no_cue_one_two_and_more_in_turn(base):
    dealt = deal_datasets(base, 40)
    assert all(not one.planted for one in dealt[::4])
    assert all(len(one.planted) == 1 for one in dealt[1::4])
    assert all(len(one.planted) == 2 for one in dealt[2::4])
    assert all(len(one.planted) >= 2 for one in dealt[3::4])
    for one in dealt:
        assert np.bincount(one.camera).min() >= 10
        assert one.camera.max() >= 1
        assert len(np.unique(one.values, axis=0)) == len(one.values), "no photo is two cameras'"
