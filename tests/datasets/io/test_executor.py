"""The contract of executors, which each of them passes, and where they differ."""

import pytest
import ray

from camerabias.datasets.io.executor import EXECUTORS, LocalExecutor, RayExecutor
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError


def square(number):
    if number == 13:
        raise CamerabiasError("thirteen is refused")
    if number == 14:
        raise StorageError("fourteen has no disk")
    return {"number": number, "square": number**2}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.xdist_group("ray")) for name in EXECUTORS])
def executor(request):
    """Every executor in turn."""
    if request.param == "ray":
        request.getfixturevalue("_ray")
    return EXECUTORS[request.param]()


def test_every_item_is_done_once(executor):
    done = {said["number"]: said["square"] for said in executor.map(square, list(range(10)))}
    assert done == {number: number**2 for number in range(10)}


def test_nothing_to_do_is_nothing_done(executor):
    assert list(executor.map(square, [])) == []


def test_our_own_errors_reach_the_user_as_themselves(executor):
    with pytest.raises(CamerabiasError, match=r"^thirteen is refused$"):
        list(executor.map(square, [12, 13]))
    with pytest.raises(StorageError, match=r"^fourteen has no disk$"):
        list(executor.map(square, [14]))


def test_a_bug_ends_the_work_and_is_named(executor):
    with pytest.raises(TypeError, match="unsupported operand"):
        list(executor.map(square, ["two"]))


def test_here_items_are_done_in_order_and_only_when_asked_for():
    asked = []
    done = LocalExecutor().map(lambda item: asked.append(item) or square(item), [3, 1, 2])
    assert next(done)["square"] == 9
    assert asked == [3]
    assert [said["square"] for said in done] == [1, 4]


def test_a_cluster_is_what_others_have_started(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert not LocalExecutor().is_cluster
    assert not RayExecutor().is_cluster
    assert RayExecutor("auto").is_cluster
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")  # what a job of a cluster has
    assert RayExecutor().is_cluster


@pytest.mark.parametrize(
    "error", [ray.exceptions.OutOfMemoryError("low"), ray.exceptions.WorkerCrashedError()]
)
def test_workers_that_are_killed_again_and_again_end_the_work_in_a_sentence(monkeypatch, error):
    class Dataset:
        """Of Ray Data, on a machine without memory."""

        def map(self, function):
            return self

        def iter_rows(self):
            raise error

    monkeypatch.setattr("camerabias.datasets.io.executor.connect_ray", lambda address: False)
    monkeypatch.setattr("ray.data.from_items", lambda *_, **__: Dataset())
    with pytest.raises(CamerabiasError, match=r"memory is full.*--executor local"):
        list(RayExecutor().map(square, [1]))
