"""Names of cues of simulated cameras, and what is said where none can be named."""

import numpy as np
import pytest

from camerabias.analysis.cues.naming import CueNaming, describe_cameras, name_cues, profile
from camerabias.datasets.cues.names import CUES, PLANTED, mitigations_of
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.inspection.pixels import pixels_of
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.pixels.registry import STATISTICS
from camerabias.datasets.simulator import CUES as SIMULATED
from camerabias.datasets.simulator import preset_spec
from camerabias.trainables.spec.mitigation import MITIGATIONS


def photographed(folder, **cues):
    """Pixel statistics of simulated photos whose cameras differ in some cues alone, with label and camera."""
    scales = dict.fromkeys(SIMULATED, 0.0) | cues
    spec = preset_spec("demo", images=120, size=64, cues=scales, seed=3, correlation=0.0)
    dataset = simulate_dataset(spec, Folder(str(folder)), LocalExecutor())
    return pixels_of(dataset, LocalExecutor()).merge(dataset.index[["image_id", "label", "camera"]])


def named(rows):
    return name_cues(rows[[*STATISTICS]], rows["label"], rows["camera"])


@pytest.fixture(scope="module")
def alike(tmp_path_factory):
    return photographed(tmp_path_factory.mktemp("alike"))


def test_cameras_that_are_alike_have_no_cue(alike):
    assert named(alike).named == ()


@pytest.mark.parametrize("cue", ["white balance", "jpeg"])
def test_a_strong_cue_is_named_first(cue, tmp_path):
    found = named(photographed(tmp_path, **PLANTED[cue]))
    assert next(iter(found.probabilities)) == cue
    assert cue in found.named
    assert found.any > 0.9


def test_names_do_not_depend_on_the_order_of_photos_or_on_what_cameras_are_called(alike):
    mixed = alike.sample(frac=1, random_state=0)
    renamed = mixed.assign(camera=mixed["camera"].map({name: name[::-1] for name in set(mixed["camera"])}))
    assert named(renamed).probabilities == pytest.approx(named(alike).probabilities)


def test_where_no_label_has_two_cameras_nothing_is_named(alike):
    rows = alike.assign(camera=alike["label"])
    assert named(rows) is None


def test_cameras_unlike_any_that_were_drawn_are_strange_and_have_no_name(alike):
    rng = np.random.default_rng(0)
    odd = alike.copy()
    signs = rng.choice([-1, 1], len(STATISTICS))
    first = (odd["camera"] == odd["camera"].min()).to_numpy(float)[:, None]
    odd[[*STATISTICS]] = rng.standard_normal((len(odd), len(STATISTICS))) + 25 * signs * first
    found = named(odd)
    assert found.is_strange
    assert found.named == ()


def test_described_cameras_hold_effects_and_what_was_measured():
    rng = np.random.default_rng(0)
    camera, label = np.arange(200) % 2, np.arange(200) // 2 % 2
    values = rng.standard_normal((200, 2)) + np.stack([2.0 * camera, np.zeros(200)], axis=1)
    values[:, 1] = np.where(camera == 0, values[:, 1], np.nan)
    described = describe_cameras(values, label, camera)
    assert described.shape == (2, 7)
    assert described[:, 0] == pytest.approx([-np.log1p(2), np.log1p(2)], rel=0.1)
    assert described[:, 4].tolist() == [1, 1]
    assert described[:, [1, 3, 5]].tolist() == [[0, 0, 0], [0, 0, 0]], "nothing can be compared"
    assert profile(described)[0] == pytest.approx(np.log1p(2), rel=0.1)


def test_named_are_probable_cues_of_cameras_that_are_not_strange():
    likely = dict.fromkeys(CUES, 0.1) | {"blur": 0.9}
    assert CueNaming(likely, 0.9, 0.5).named == ("blur",)
    assert CueNaming(likely, 0.9, 1.5).named == ()


def test_every_mitigation_is_one_that_trains():
    assert {spec.mitigation for spec in CUES.values()} - {None} <= set(MITIGATIONS)
    assert mitigations_of(["blur", "noise", "geometry", "jpeg"]) == ["blur_noise", "recompress"]


def test_every_planted_cue_is_the_simulators():
    for name, scales in PLANTED.items():
        assert set(scales) == set(CUES[name].parameters)
        assert set(scales) <= set(SIMULATED)
