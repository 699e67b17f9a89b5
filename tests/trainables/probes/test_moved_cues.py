"""What a probe leaves of photos whose cues are moved, of a network and of a linear probe."""

import dataclasses

import numpy as np
import pytest

from camerabias.datasets.interventions.intervention import Intervention
from camerabias.trainables.probes import moved_cues
from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.linear_probe import LinearProbe

LINEAR = {"recipe": LinearProbe(crops=1, precision="float32"), "model": "linear:test_resnet"}


@pytest.fixture
def probed(make_job, run_trial):
    """A function that trains on labels with a probe, and returns its arrays and the trial's predictions."""

    def run(name, **changes):
        job = dataclasses.replace(make_job(target="label", **changes), probes=(Probe.model_validate(name),))
        progress = run_trial(job)
        assert progress.status == "done", progress.reason
        record = Run(job.run).record(job.config.id)
        return record.probe(name), record.table("predictions.parquet").to_pandas().set_index("image_id")

    return run


@pytest.mark.parametrize("kind", [{}, LINEAR], ids=["network", "linear probe"])
def test_photos_of_the_test_are_moved_and_predicted(probed, dataset, kind):
    found, predictions = probed("moved_noise", **kind)
    index = dataset.index.set_index("image_id").loc[found["image_id"]]
    assert set(index["fold"]) == {0}
    assert found["before"].tolist() == predictions.loc[found["image_id"], "prediction"].tolist()
    for name in ("equalised", "sham", "swapped"):
        assert set(found[name]) <= set(dataset.manifest.labels)
    given = found["swapped_camera"]
    assert (given != found["camera"]).all()
    assert "" in given, "no photo is noisier than those of the noisiest camera"
    assert (found["swapped"] == found["before"])[given == ""].all()


class Painted(Intervention):
    """Levels are given; a photo is painted with the level that it is brought to."""

    cue = "white balance"

    def measure(self, photo):
        raise AssertionError("levels are given")

    def common(self, levels):
        return levels.max(axis=0)

    def reaches(self, level, other):
        return bool((level < other).all())

    def move(self, pixels, level, other, generator):
        return np.full_like(pixels, other[0])


def test_levels_are_those_of_the_arms(probed, dataset, monkeypatch):
    levels = {name: np.array([10.0 * n]) for n, name in enumerate(sorted(dataset.manifest.cameras))}
    monkeypatch.setitem(moved_cues.INTERVENTIONS, "white balance", Painted())
    monkeypatch.setattr(moved_cues, "_measure", lambda intervention, data: levels)
    painted = {}

    def classify(subject, photos, names):
        painted.setdefault(len(painted), [photo[0, 0, 0] for photo in photos])
        return np.zeros(len(photos), dtype=np.int64)

    monkeypatch.setattr(moved_cues.Subject, "classify", classify)
    monkeypatch.setattr(moved_cues, "CHUNK", 1000)
    found, _ = probed("moved_white_balance")
    most = max(levels.values())[0]
    own = np.array([levels[camera][0] for camera in found["camera"]])
    equalised, sham, swapped = painted.values()
    assert equalised == [most] * (own < most).sum()
    assert set(sham) <= {first + most - second[0] for first in own for second in levels.values()}
    assert swapped == [levels[camera][0] for camera in found["swapped_camera"] if camera]
    given = zip(found["swapped_camera"], own, strict=True)
    assert all(levels[camera][0] > level for camera, level in given if camera)


def test_where_no_photo_has_a_level_it_is_said(probed, monkeypatch):
    unknown = moved_cues.INTERVENTIONS["jpeg"].measure
    monkeypatch.setattr(
        moved_cues.INTERVENTIONS["jpeg"], "measure", lambda photo: np.full_like(unknown(photo), np.nan)
    )
    found, _ = probed("moved_jpeg")
    assert str(found["why"]) == "the level of jpeg is not known of two cameras"
