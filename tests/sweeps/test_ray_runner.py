"""What trials ask of a cluster."""

import pytest

from camerabias.datasets import pieces
from camerabias.sweeps import ray_runner


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ({"CPU": 4.0}, {"cpu": 1}),
        ({"CPU": 4.0, "GPU": 1.0}, {"cpu": 1, "gpu": 1}),
        ({"CPU": 4.0, ray_runner.GPU_WORKERS: 1.0}, {"cpu": 1, "gpu": 1}),  # none is there yet, but they come
    ],
)
def test_trials_ask_for_a_gpu_where_there_is_one_or_will_be(monkeypatch, there, asked):
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
    assert ray_runner.slots(1) == (1 if "gpu" in asked else 4)


def test_work_here_does_not_join_a_cluster_that_happens_to_run_on_this_host(monkeypatch):
    asked = {}
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", lambda **how: asked.update(how))
    pieces.connect_ray()
    assert asked["address"] == "local"
