"""How trials reach Ray Tune, and what they ask of a cluster, without starting Ray."""

from types import SimpleNamespace

import pytest

from camerabias.datasets.io import parallel as pieces
from camerabias.sweeps.execution import ray_runner
from camerabias.trainables.worker.job import job_from
from camerabias.trainables.worker.node import Expected

EXPECTED = Expected(run="run", dataset="data", fingerprint="f", owner="o", versions={})


@pytest.mark.parametrize(
    ("there", "asked", "slots"),
    [
        ({"CPU": 4.0}, {"cpu": 1}, 4),
        ({"CPU": 4.0, "GPU": 1.0}, {"cpu": 1, "gpu": 1}, 1),
        (
            {"CPU": 4.0, ray_runner.GPU_WORKERS: 4.0},
            {"cpu": 1, "gpu": 1},
            4,
        ),  # none is there yet, but they come
    ],
)
def test_trials_ask_for_a_gpu_where_there_is_one_or_will_be(monkeypatch, there, asked, slots):
    monkeypatch.setattr("ray.cluster_resources", lambda: there)
    measured = {}

    def remote(**resources):
        measured.update(resources)
        return lambda function: type("Task", (), {"remote": staticmethod(lambda config: None)})

    monkeypatch.setattr("ray.remote", remote)
    monkeypatch.setattr("ray.get", lambda _: None)
    ray_runner.measure_on_ray(None)
    assert measured == {"num_cpus": 1, "num_gpus": asked.get("gpu", 0)}
    assert ray_runner._resources_per_trial(1) == asked
    assert ray_runner.slots(1) == slots


def test_work_here_does_not_join_a_cluster_that_happens_to_run_on_this_host(monkeypatch):
    asked = {}
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", lambda **how: asked.update(how))
    pieces.connect_ray()
    assert asked["address"] == "local"


def test_jobs_are_suggested_one_by_one_in_their_order(make_job, monkeypatch):
    jobs = [make_job(seed=seed) for seed in (3, 1, 2)]
    given = {}
    monkeypatch.setattr(ray_runner, "fit", lambda threads, listener, **how: given.update(how))
    ray_runner.run_on_ray(jobs, SimpleNamespace(progress=print), EXPECTED)
    assert given["num_samples"] == 3
    searcher = given["search_alg"]
    assert [job_from(searcher.suggest(name)["job"]) for name in "abc"] == jobs
