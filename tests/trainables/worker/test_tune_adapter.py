"""The class trainable, without starting Ray: reports, reuse, checkpoints."""

from dataclasses import asdict

import pandas as pd
import pytest

from camerabias.trainables.records.run import Run
from camerabias.trainables.worker import tune_adapter
from camerabias.trainables.worker.node import Expected, versions
from camerabias.trainables.worker.tune_adapter import TuneTrial


@pytest.fixture
def often(monkeypatch):
    """Report after every epoch."""
    monkeypatch.setattr(tune_adapter, "REPORT_SECONDS", 0.0)


def as_config(job):
    """What a driver would send, which holds the lease of the job's run."""
    Run(job.run).write_lease({"owner": "driver"})
    expected = Expected(
        run=job.run, dataset=job.dataset, fingerprint=job.config.dataset, owner="driver", versions=versions()
    )
    job_fields = {**asdict(job), "config": job.config.model_dump(mode="json")}
    return {"job": job_fields, "expected": expected.model_dump_json()}


def finish(trainable):
    result = trainable.train()
    while not result["done"]:
        result = trainable.train()
    return result


def test_one_actor_runs_trial_after_trial(make_job, often):
    first, second = make_job(seed=0), make_job(seed=1)
    trainable = TuneTrial(as_config(first))
    assert finish(trainable)["status"] == "done"
    assert trainable.reset(as_config(second))
    assert finish(trainable)["status"] == "done"
    assert Run(first.run).statuses() == {first.config.id: "done", second.config.id: "done"}


def test_reports_after_every_epoch_with_what_a_person_wants_to_see(make_job, often):
    result = TuneTrial(as_config(make_job(recipe={"max_steps": 30}))).train()
    assert not result["done"]
    assert result["status"] == "running"
    assert 0 < result["step"] < 30
    assert result["images_per_second"] > 0


def test_running_trial_sets_gauges_with_its_name_and_one_that_has_ended_none(make_job, often, monkeypatch):
    class Gauge:
        def __init__(self, name, description, tag_keys):
            self.name, self.tag_keys = name, tag_keys

        def set(self, value, tags):
            assert {*tags} == {*self.tag_keys}
            seen[self.name, tags["trial"]] = value

    seen = {}
    monkeypatch.setattr(tune_adapter, "Gauge", Gauge)
    tune_adapter._gauges.cache_clear()
    job = make_job(recipe={"max_steps": 30})
    trainable = TuneTrial(as_config(job))
    trainable.train()
    result = trainable.train()
    fields = {"loss": "validation_loss", "accuracy": "validation_accuracy"}
    fields |= {name: name for name in ("images_per_second", "step")}
    assert seen == {
        (f"camerabias_trial_{name}", job.config.name): result[field] for name, field in fields.items()
    }
    seen.clear()
    while not trainable.train()["done"]:
        seen.clear()
    assert seen == {}
    tune_adapter._gauges.cache_clear()


def test_checkpoint_of_tune_goes_on_to_the_same_bits(make_job, often, tmp_path, run_trial):
    whole, paused = make_job("whole", {"max_steps": 30}), make_job("paused", {"max_steps": 30})
    run_trial(whole)
    first = TuneTrial(as_config(paused))
    first.train()
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    first.save_checkpoint(str(folder))
    second = TuneTrial(as_config(paused))
    second.load_checkpoint(str(folder))
    finish(second)
    ours, theirs = (Run(job.run).record(job.config.id).history() for job in (paused, whole))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
