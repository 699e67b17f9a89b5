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
    for name in ("equalised", "sham", "swapped", "swapped_sham"):
        assert set(found[name]) <= set(dataset.manifest.labels)
    given = found["swapped_camera"]
    assert (given != found["camera"]).all()
    assert "" in given, "no photo is noisier than those of the noisiest camera"
    assert (found["swapped"] == found["before"])[given == ""].all()


class Painted(Intervention):
    """Levels are given; a photo is painted with the level that it is brought to."""

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
        for name, photo in zip(names, photos, strict=True):
            painted.setdefault(name, []).append(float(photo[0, 0, 0]))
        return np.zeros(len(photos), dtype=np.int64)

    monkeypatch.setattr(moved_cues.Subject, "classify", classify)
    found, _ = probed("moved_white_balance")
    most = max(levels.values())[0]
    own = dict(zip(found["image_id"], (levels[camera][0] for camera in found["camera"]), strict=True))
    given, sham = (
        dict(zip(found["image_id"], found[f"{name}_camera"], strict=True))
        for name in ("swapped", "swapped_sham")
    )
    assert any(sham.values())
    for name, all_of_it in painted.items():
        expected = [most] if own[name] < most else []
        swaps = ([levels[given[name]][0]] if given[name] else []) + ([...] if sham[name] else [])
        shams = all_of_it[len(expected) : len(all_of_it) - len(swaps)]
        assert all_of_it[: len(expected)] == expected
        assert {*shams} <= {own[name] + most - second[0] for second in levels.values()}
        assert given[name] == "" or levels[given[name]][0] > own[name]
        if sham[name]:
            changes = {second[0] - levels[sham[name]][0] for second in levels.values()}
            assert all_of_it[-1] - own[name] in changes
            assert dict(zip(found["image_id"], found["camera"], strict=True))[name] != sham[name]
            swaps, all_of_it = swaps[:-1], all_of_it[:-1]
        assert all_of_it[len(all_of_it) - len(swaps) :] == swaps


def test_of_large_photos_fewer_are_measured_and_moved(probed, dataset, monkeypatch):
    tone, seen = moved_cues.INTERVENTIONS["tone"], []
    measure = tone.measure
    monkeypatch.setattr(tone, "measure", lambda photo: seen.append(photo) or measure(photo))
    probed("moved_tone")
    of_all, seen[:] = len(seen), []
    size = (dataset.index["width"] * dataset.index["height"]).mean() / 1e6
    monkeypatch.setattr(moved_cues, "MEGAPIXELS", size / 6)
    probed("moved_tone")
    assert len(seen) <= moved_cues.TRAINING // 6 < of_all


def test_where_no_photo_has_a_level_it_is_said(probed, monkeypatch):
    unknown = moved_cues.INTERVENTIONS["jpeg"].measure
    monkeypatch.setattr(
        moved_cues.INTERVENTIONS["jpeg"], "measure", lambda photo: np.full_like(unknown(photo), np.nan)
    )
    found, _ = probed("moved_jpeg")
    assert str(found["why"]) == "the level of jpeg is not known of two cameras"
