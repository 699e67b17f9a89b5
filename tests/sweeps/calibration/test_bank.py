"""Worlds of the bank, their designs, and what comes of judging them."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.calibration.designs import read_designs
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import simulate
from camerabias.sweeps.calibration import bank as banks
from camerabias.sweeps.calibration import run
from camerabias.sweeps.calibration.bank import World, make_world, read_world, worlds
from camerabias.sweeps.calibration.designs import deal, designs, judge_design


def test_worlds_are_of_every_kind_and_size_with_a_name_of_their_own():
    every = worlds()
    assert len(every) >= 120
    assert len({world.file for world in every}) == len({world.spec.seed for world in every}) == len(every)
    assert {*Counter(len(world.planted) for world in every)} == {0, 1, 2}
    assert {world.size for world in every} == {64, 128, 256}
    assert {strength for world in every for strength in world.planted.values()} == {0.25, 0.5, 0.75, 1.0}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A world of few photos, in its bank."""
    folder, world = Folder(tmp_path_factory.mktemp("bank")), World(3, {"white balance": 1.0}, 64)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(banks, "PHOTOS", 40)
        patched.setattr(banks, "SHOT_AGAIN", 5)
        make_world(folder, world)
    return folder, world


def test_world_holds_photos_their_features_and_objects_shot_again(small, monkeypatch):
    folder, world = small
    photos, features = read_world(folder, world)
    assert len(photos) == len(features) == 40 + 5 * 3
    assert photos["again"].sum() == 5 * 3
    of_object = photos[photos["group"].isin(photos.loc[photos["again"], "group"])]
    assert (of_object.groupby("group")["camera"].nunique() == 4).all(), "by every camera of the world"
    monkeypatch.setattr(banks, "PHOTOS", 40)
    stored = folder.read_table(world.file).column("jpeg")[0].as_py()
    first = next(
        simulate(world.spec, n) for n in range(5) if simulate(world.spec, n).camera == photos["camera"][0]
    )
    assert stored == first.jpeg
    embedder = banks.load_embedder(banks.probe_embedding(), "imagenet")
    np.testing.assert_allclose(
        features[0], embedder.features(["any"], [decode(first.jpeg)])[0], rtol=2e-3, atol=2e-3
    )


def photos_of(n=75):
    """As many photos per label and camera, in no world."""
    rows = [
        {
            "image_id": f"{label}/{camera}/{k}",
            "label": label,
            "camera": camera,
            "group": f"{label}{camera}{k}",
        }
        for label in "ab"
        for camera in "UVWX"
        for k in range(n)
    ]
    return pd.DataFrame(rows).assign(again=False)


@pytest.mark.parametrize("design", designs(worlds()[0]), ids=lambda design: design.name)
def test_design_has_its_correlation_its_groups_and_groups_stay_in_one_fold(design):
    dealt = deal(photos_of(), design)
    assert dealt["camera"].nunique() == design.cameras
    counts = pd.crosstab(dealt["label"], dealt["camera"])
    share = counts.max() / counts.sum()
    assert share.to_numpy() == pytest.approx(np.full(design.cameras, (1 + design.correlation) / 2), abs=0.01)
    assert (dealt.groupby("group")["fold"].nunique() == 1).all()
    within = dealt.groupby("group")[["label", "camera"]].nunique().max()
    sizes = dealt["group"].value_counts()
    if design.groups == "single":
        assert sizes.max() == 1
    if design.groups == "bursts":
        assert (within == 1).all()
        assert sizes.max() == 3
    if design.groups == "sessions":
        assert (within == 2).any() or (within == 4).any()
    again = deal(photos_of(), design)
    pd.testing.assert_frame_equal(dealt, again)


@pytest.mark.parametrize(
    ("follows", "verdict", "truth"), [(True, "cheating", 1.0), (False, "no evidence", 0.0)]
)
def test_heads_that_follow_the_camera_are_found_and_so_is_the_truth(follows, verdict, truth):
    """Features that show the camera alone, or the label alone."""
    world, photos = World(0, {"noise": 1.0}, 64), photos_of()
    shot = photos.groupby(["label", "camera"]).head(5)
    others = [
        shot[shot["camera"] != camera].assign(camera=camera, again=True, image_id=shot["image_id"] + camera)
        for camera in "UVWX"
    ]
    photos = pd.concat([photos, *others], ignore_index=True)
    shown = photos["camera" if follows else "label"]
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 0.05, (len(photos), 8))
    features = (
        pd.get_dummies(shown).to_numpy(float) @ generator.normal(size=(shown.nunique(), 8)) + noise
    ).astype(np.float32)
    line = judge_design(world, photos, features, designs(world)[0])
    assert line.verdict == verdict
    assert line.truth == pytest.approx(truth, abs=0.02)


def test_designs_that_have_a_line_are_not_judged_again(small, tmp_path, monkeypatch, here_and_now):
    folder, world = small
    two = designs(world)[:2]
    monkeypatch.setattr(run, "designs", lambda _: two)
    path = tmp_path / "new" / "lines.jsonl"
    ((first, second),) = run.run_designs([world], folder, path, jobs=1)
    assert [first.design, second.design] == two
    assert read_designs(path) == [first, second]
    assert [*run.run_designs([world], folder, path, jobs=1)] == []
