"""The contract of executors, which each of them passes, and where they differ."""

import ctypes
import os
import subprocess
import sys

import pytest
import ray

from camerabias.datasets.io import executor as module
from camerabias.datasets.io.executor import (
    EXECUTORS,
    SPREAD_FROM,
    CoresExecutor,
    LocalExecutor,
    RayExecutor,
    for_photos,
)
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError


def square(number):
    if number == 13:
        raise CamerabiasError("thirteen is refused")
    if number == 14:
        raise StorageError("fourteen has no disk")
    return {"number": number, "square": number**2}


def die(number):
    if number:
        os._exit(1)  # as the system kills a process
    return {}


def whose(_):
    return {"process": os.getpid()}


@pytest.fixture
def _patient(monkeypatch):
    """Work is spread over processes from its second item on, however short it is."""
    monkeypatch.setattr(module, "WORTH_PROCESSES", 0.0)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)


@pytest.fixture(params=[pytest.param(n, marks=pytest.mark.xdist_group("ray")) for n in (*EXECUTORS, "cores")])
def executor(request):
    """Every executor in turn, and that of this machine's cores where it spreads work."""
    if request.param != "local":
        request.getfixturevalue({"ray": "_ray", "cores": "_patient"}[request.param])
    return CoresExecutor() if request.param == "cores" else EXECUTORS[request.param]()


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


def test_short_work_stays_in_this_process():
    assert {said["process"] for said in CoresExecutor().map(whose, range(20))} == {os.getpid()}


@pytest.mark.usefixtures("_patient")
def test_long_work_goes_on_in_processes():
    first, *others = [said["process"] for said in CoresExecutor().map(whose, range(20))]
    assert first == os.getpid()
    assert os.getpid() not in others


@pytest.mark.usefixtures("_patient")
def test_a_process_that_dies_ends_the_work_in_a_sentence():
    with pytest.raises(CamerabiasError, match="memory is full"):
        list(CoresExecutor().map(die, range(4)))
    assert len(list(CoresExecutor().map(whose, range(4)))) == 4  # by new ones


def test_ray_starts_for_many_photos_alone():
    assert isinstance(for_photos(RayExecutor(), SPREAD_FROM - 1), CoresExecutor)
    for asked, n in ((RayExecutor(), SPREAD_FROM), (RayExecutor("auto"), 1), (LocalExecutor(), 1)):
        assert for_photos(asked, n) is asked


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


FAULTS = """
import resource, sys
from camerabias.datasets.io.executor import keep_freed_memory

if sys.argv[1:]:
    keep_freed_memory()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = b"x" * 2**25
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="of glibc alone")
@pytest.mark.parametrize(("arguments", "most"), [([], 10_000), (["keep"], 100)])
def test_a_block_that_was_freed_is_used_again_without_new_pages(arguments, most):
    faults = int(subprocess.check_output([sys.executable, "-c", FAULTS, *arguments]))
    assert most / 10 <= faults + 10 <= most
