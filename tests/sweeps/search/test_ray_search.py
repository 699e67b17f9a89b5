"""What Ray Tune's scheduler tells a search, without starting Ray."""

import pickle
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from camerabias.datasets.io.storage import StorageError
from camerabias.sweeps.execution.ray_runner import Halt
from camerabias.sweeps.search.ray_search import _GivenUp, _Telling
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Progress


class Tuning:
    """Takes down what it is told, and prunes whatever has a loss above 1."""

    def __init__(self):
        self.told = []

    def config(self, number):
        recipe = SimpleNamespace(max_steps=100)
        return TrialConfig.model_construct(recipe=recipe)

    def tell(self, number, progress):
        self.told.append((number, progress.status, progress.validation_loss, progress.reason))
        return progress.status == "running" and progress.validation_loss > 1


@pytest.fixture
def telling():
    return _Telling(Tuning(), Halt())


TRIAL = SimpleNamespace(config={"number": 3})


def result(status, loss):
    return {**asdict(Progress(status, 10, 100, loss, 0.5, 1.0, 1.0)), "training_iteration": 1}


def test_result_goes_on_or_stops_as_the_tuning_says(telling):
    assert telling.on_trial_result(None, TRIAL, result("running", 0.5)) == TrialScheduler.CONTINUE
    assert telling.on_trial_result(None, TRIAL, result("running", 1.5)) == TrialScheduler.STOP
    telling.on_trial_complete(None, TRIAL, result("running", 1.5))  # Tune says so of a stopped trial, too
    assert [status for _, status, _, _ in telling._tuning.told] == ["running", "running"]


def test_end_is_told_once(telling):
    telling.on_trial_complete(None, TRIAL, result("done", 0.4))
    assert telling._tuning.told == [(3, "done", 0.4, "")]


def ended(tmp_path, error):
    """A trial as Tune hands it to callbacks that will not be tried again."""
    (tmp_path / "error.pkl").write_bytes(pickle.dumps(error))
    (tmp_path / "error.txt").write_text("last words")
    files = {"pickled_error_file": str(tmp_path / "error.pkl"), "error_file": str(tmp_path / "error.txt")}
    return SimpleNamespace(config={"number": 3}, **files)


def test_trial_whose_worker_kept_dying_has_failed(tmp_path):
    tuning = Tuning()
    listener = _GivenUp(tuning)
    listener.on_trial_error(0, [], ended(tmp_path, RuntimeError("killed")))
    ((number, status, loss, reason),) = tuning.told
    assert (number, status, loss) == (3, "failed", None)
    assert "worker died 5 times" in reason
    assert not listener.halt.stop_all()


class TaskError(Exception):
    """As Ray wraps what a worker raises."""

    cause = StorageError("full")


def test_storage_that_fails_ends_the_search_and_is_no_tries_fault(tmp_path):
    tuning = Tuning()
    listener = _GivenUp(tuning)
    listener.on_trial_error(0, [], ended(tmp_path, TaskError()))
    assert tuning.told == []
    assert listener.halt.stop_all()
    assert str(listener.halt.error) == "full"
