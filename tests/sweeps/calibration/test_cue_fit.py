"""Fitting the networks by which cues are named."""

import numpy as np
import pytest
import torch

from camerabias.analysis.cues.naming import NamingModel, load_model
from camerabias.datasets.cues.names import CUES
from camerabias.datasets.pixels.registry import STATISTICS
from camerabias.sweeps.calibration import cue_fit
from camerabias.sweeps.calibration.cue_datasets import Base, compose_datasets, deal_datasets

SCENES = 20


def base(number=0, seed=0):
    """A base whose variants shift a statistic each, one for every cue, and one both of two; scenes are shared."""
    rng = np.random.default_rng(seed)
    planted = [{}, *({cue: 1.0} for cue in CUES), {"noise": 0.4, "blur": 0.9}]
    scenes = rng.standard_normal((SCENES, len(STATISTICS)))
    shift = 8.0 * np.array([[cue in one for cue in CUES] for one in planted])
    values = scenes + 0.1 * rng.standard_normal((len(planted), *scenes.shape))
    values[:, :, : len(CUES)] += shift[:, None]
    return Base(
        number,
        np.repeat(np.arange(len(planted)), SCENES),
        np.tile(np.arange(SCENES), len(planted)),
        np.tile(np.arange(SCENES) % 2, len(planted)),
        values.reshape(-1, len(STATISTICS)),
        planted,
        64,
        "discs",
        "",
    )


@pytest.mark.parametrize("make", [deal_datasets, compose_datasets])
def test_datasets_have_no_cue_one_two_and_more_in_turn(make):
    made = make(base(), 40)
    assert all(not one.planted for one in made[::4])
    assert all(len(one.planted) == 1 for one in made[1::4])
    assert all(len(one.planted) == 2 for one in made[2::4])
    assert all(len(one.planted) >= 2 for one in made[3::4])


def test_composed_cameras_differ_by_what_their_cue_does_to_the_same_scenes():
    for one in compose_datasets(base(), 80):
        means = np.array([one.values[one.camera == c].mean(axis=0) for c in range(one.camera.max() + 1)])
        n = np.bincount(one.camera)
        apart = np.ptp(means, axis=0)
        if min(n) > 60:
            assert (apart[: len(CUES)] > 3).tolist() == [cue in one.planted for cue in CUES]
            assert apart[len(CUES) :].max() < 1.5


@pytest.fixture(scope="module")
def fitted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cue_fit, "STEPS", 150)
        made = [(n, one) for n in range(10) for one in compose_datasets(base(n, n), 48)]
        described, planted = cue_fit.describe_datasets([one for _, one in made])
        return cue_fit.fit_naming(described, planted, np.array([n for n, _ in made])), described, planted


def test_cues_that_always_look_alike_are_learned(fitted):
    model, described, planted = fitted
    found = np.array([model.probabilities(one[~np.isnan(one[:, 0])]) for one in described])
    for name in ("noise", "blur"):
        of_cue = list(CUES).index(name)
        there = planted[:, of_cue] == 1
        assert found[there, of_cue].mean() > 0.8
        assert found[~there, of_cue].mean() < 0.2


def test_a_model_that_was_written_says_the_same(fitted, tmp_path):
    model, described, _ = fitted
    cue_fit.write_model(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as arrays:
        again = NamingModel(
            *(tuple(arrays[name].tolist()) for name in ("statistics", "cues")),
            **{
                name: arrays[name].astype(float)
                for name in arrays.files
                if name not in ("statistics", "cues")
            },
        )
    cameras = described[0][~np.isnan(described[0][:, 0])]
    assert again.probabilities(cameras) == pytest.approx(model.probabilities(cameras), abs=0.02)


def test_numpy_gives_what_the_networks_give():
    torch.manual_seed(0)
    network = cue_fit.CueNetwork(3 * len(STATISTICS) + 1).eval()
    cameras = torch.randn(1, 3, 3 * len(STATISTICS) + 1)
    with torch.no_grad():
        expected = network(cameras, torch.ones(1, 3, 1))[0].numpy()
    layers = {
        f"{name}_{what}": np.asarray(value.detach().numpy().T, float)[None]
        for name in ("camera", "inner", "set", "out")
        for what, value in (
            ("weights", getattr(network, name).weight),
            ("biases", getattr(network, name).bias),
        )
    }
    n = len(CUES) + 1
    model = NamingModel(
        tuple(STATISTICS),
        tuple(CUES),
        **layers,
        slopes=np.ones(n),
        intercepts=np.zeros(n),
        known=np.zeros((6, 52)),
        farthest=1.0,
    )
    assert model.logits(cameras[0].numpy().astype(float)) == pytest.approx(expected, abs=1e-4)


def test_the_shipped_model_is_of_todays_statistics_and_cues():
    model = load_model()
    assert model.statistics == tuple(STATISTICS)
    assert model.cues == tuple(CUES)
    assert model.out_biases.shape[1] == len(CUES) + 1
