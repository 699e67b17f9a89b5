"""How trials reach Ray Tune, without starting Ray."""

from types import SimpleNamespace

from camerabias.sweeps import ray_runner
from camerabias.trainables.job import job_from


def test_jobs_are_suggested_one_by_one_in_their_order(make_job, monkeypatch):
    jobs = [make_job(seed=seed) for seed in (3, 1, 2)]
    given = {}
    monkeypatch.setattr(ray_runner, "fit", lambda threads, **how: given.update(how))
    ray_runner.run_on_ray(jobs, SimpleNamespace(progress=print))
    assert given["num_samples"] == 3
    searcher = given["search_alg"]
    assert [job_from(searcher.suggest(name)["job"]) for name in "abc"] == jobs
