"""How jobs reach Ray Tune, what they ask of a cluster, and what Tune's parts tell, without starting Ray."""

import pickle
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from camerabias.datasets.io.ray_connection import connect_ray
from camerabias.datasets.io.storage import StorageError
from camerabias.sweeps.execution import ray_tune
from camerabias.sweeps.execution.jobs import KnownJobs
from camerabias.sweeps.execution.ray_tune import _Asking, _GivingUp, _Halt, _Telling
from camerabias.trainables.worker.job import Progress, job_fields, job_from
from camerabias.trainables.worker.node import Expected

EXPECTED = Expected(run="run", dataset="data", fingerprint="f", owner="o", versions={})


@pytest.mark.parametrize(
    ("there", "asked", "slots"),
    [
        ({"CPU": 4.0}, {"cpu": 1}, 4),
        ({"CPU": 4.0, "GPU": 1.0}, {"cpu": 1, "gpu": 1}, 1),
        (
            {"CPU": 4.0, ray_tune.GPU_WORKERS: 4.0},
            {"cpu": 1, "gpu": 1},
            4,
        ),  # none is there yet, but they come
    ],
)
def test_trials_ask_for_a_gpu_where_there_is_one_or_will_be(monkeypatch, there, asked, slots):
    monkeypatch.setattr("ray.cluster_resources", lambda: there)
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    measured = {}

    def remote(**resources):
        measured.update(resources)
        return lambda function: type("Task", (), {"remote": staticmethod(lambda config: None)})

    monkeypatch.setattr("ray.remote", remote)
    monkeypatch.setattr("ray.get", lambda _: None)
    ray_tune.measure_on_ray(None, "auto")
    assert measured == {"num_cpus": 1, "num_gpus": asked.get("gpu", 0)}
    assert ray_tune._resources_per_trial(1) == asked
    assert ray_tune._slots(1) == slots


def test_work_here_does_not_join_a_cluster_that_happens_to_run_on_this_host(monkeypatch):
    asked = {}
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", lambda **how: asked.update(how))
    connect_ray()
    assert asked["address"] == "local"


def test_jobs_are_suggested_one_by_one_in_their_order(make_job):
    jobs = [make_job(seed=seed) for seed in (3, 1, 2)]
    asking = _Asking(KnownJobs(jobs, SimpleNamespace(progress=print)), EXPECTED)
    assert [job_from(asking.suggest(name)["job"]) for name in "abc"] == jobs
    assert asking.suggest("d") == asking.FINISHED


class Source:
    """Takes down what it is told, and stops whatever has a loss above 1."""

    def __init__(self):
        self.told = []

    def tell(self, job, progress):
        self.told.append((job.config.seed, progress.status, progress.validation_loss))
        return progress.status == "running" and progress.validation_loss > 1

    def give_up(self, job, reason, traceback):
        self.told.append((job.config.seed, reason, traceback))


@pytest.fixture
def trial(make_job):
    """A trial as Tune hands it to its parts."""
    return SimpleNamespace(config={"job": job_fields(make_job(seed=3))})


def result(status, loss):
    return {**asdict(Progress(status, 10, 100, loss, 0.5, 1.0, 1.0)), "training_iteration": 1}


def test_trial_continues_or_stops_as_the_source_says(trial):
    source = Source()
    telling = _Telling(source, _Halt())
    assert telling.on_trial_result(None, trial, result("running", 0.5)) == TrialScheduler.CONTINUE
    assert telling.on_trial_result(None, trial, result("running", 1.5)) == TrialScheduler.STOP
    telling.on_trial_complete(None, trial, result("running", 1.5))  # Tune says so of a stopped trial, too
    assert source.told == [(3, "running", 0.5), (3, "running", 1.5)]


def test_end_is_told_once(trial):
    source = Source()
    _Telling(source, _Halt()).on_trial_complete(None, trial, result("done", 0.4))
    assert source.told == [(3, "done", 0.4)]


def ended(trial, tmp_path, error):
    """What Tune hands over of a trial that will not be tried again."""
    (tmp_path / "error.pkl").write_bytes(pickle.dumps(error))
    (tmp_path / "error.txt").write_text("last words")
    trial.pickled_error_file, trial.error_file = str(tmp_path / "error.pkl"), str(tmp_path / "error.txt")
    return trial


def test_trial_whose_worker_kept_dying_is_given_up(trial, tmp_path):
    source, halt = Source(), _Halt()
    _GivingUp(source, halt).on_trial_error(0, [], ended(trial, tmp_path, RuntimeError("killed")))
    assert source.told == [(3, ray_tune.WORKER_DIED, "last words")]
    assert not halt.stop_all()


def test_memory_that_others_fill_ends_all_after_some_trials(trial, tmp_path):
    source, halt = Source(), _Halt()
    giving_up = _GivingUp(source, halt)
    killed = ended(trial, tmp_path, RuntimeError("killed"))
    (tmp_path / "error.txt").write_text("1 worker(s) were killed due to the node running low on memory.")
    for _ in range(ray_tune.LOST_IN_A_ROW - 1):
        giving_up.on_trial_error(0, [], killed)
    giving_up.on_trial_result(0, [], trial, {})  # there is room again
    for _ in range(ray_tune.LOST_IN_A_ROW - 1):
        giving_up.on_trial_error(0, [], killed)
    assert not halt.stop_all()
    giving_up.on_trial_error(0, [], killed)
    assert "memory is full" in str(halt.error)
    assert "--retry-failed" in str(halt.error)
    assert len(source.told) == 2 * ray_tune.LOST_IN_A_ROW - 1  # each is a failure, on record


class TaskError(Exception):
    """As Ray wraps what a worker raises."""

    cause = StorageError("full")


def test_storage_that_fails_ends_all_and_is_no_fault_of_the_trial(trial, tmp_path):
    source, halt = Source(), _Halt()
    _GivingUp(source, halt).on_trial_error(0, [], ended(trial, tmp_path, TaskError()))
    assert source.told == []
    assert halt.stop_all()
    assert str(halt.error) == "full"
