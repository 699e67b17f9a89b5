"""Where independent work is done: here, item by item, on this machine's cores, or spread by Ray Data."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import pickle
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar

from camerabias.datasets.io.ray_address import cluster_address
from camerabias.datasets.io.ray_connection import connect_ray
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError, ExecutorName

Work = Callable[[Any], dict[str, Any]]
"""Takes a work item, writes its file, and returns a JSON document about it."""


class Executor(ABC):
    """Does independent work."""

    name: ClassVar[ExecutorName]

    @abstractmethod
    def map(self, work: Work, items: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Do every item and yield what the work returns, in the order in which items end.

        Args:
            work: The work. An exception of it ends the whole, a `CamerabiasError` as it is.
            items: One per call of `work`.
        """

    @property
    def is_cluster(self) -> bool:
        """Whether work goes to machines that others have started, and that nobody has checked yet."""
        return False


class LocalExecutor(Executor):
    """Works in this process, one item after the other."""

    name = "local"

    def map(self, work: Work, items: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Do items in their order, each when it is asked for."""
        keep_freed_memory()
        yield from map(work, items)


class CoresExecutor(LocalExecutor):
    """Works in this process, and on all cores of this machine once items turn out to take long."""

    def map(self, work: Work, items: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Do items here, and side by side as soon as those left would take longer than processes do to start."""
        keep_freed_memory()
        spent = 0.0
        for done, item in enumerate(items):
            if done and spent / done * (len(items) - done) > WORTH_PROCESSES and (os.cpu_count() or 1) > 1:
                yield from _on_cores(work, items[done:])
                return
            began = time.perf_counter()
            result = work(item)
            spent += time.perf_counter() - began
            yield result


WORTH_PROCESSES = 8.0
"""Seconds of work from which it is spread over processes: a process takes two to start."""


def _on_cores(work: Work, items: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Do items in processes, which are kept for whoever asks next; no script needs to guard its main module."""
    import joblib  # late: few need it

    rows = (joblib.delayed(_answer)(work, {"item": pickle.dumps(item)}) for item in items)
    try:
        for row in joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(rows):
            yield _result(row)
    except BrokenProcessPool as error:
        raise CamerabiasError(
            "A process that worked on photos died without a word; often the system kills it because memory is full. "
            "Close other programs, or work in this process alone: --executor local."
        ) from error


class RayExecutor(Executor):
    """Spreads work over the cores of this machine, or over a cluster.

    Args:
        address: Of a Ray cluster; None is the one that this process is a job of, or else a Ray that starts here.
    """

    name = "ray"

    def __init__(self, address: str | None = None) -> None:
        self.address = address

    @property
    def is_cluster(self) -> bool:
        """Whether it is a cluster that others have started."""
        return cluster_address(self.address) is not None

    def map(self, work: Work, items: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Do items side by side, `work` and items pickled.

        Items write their own files, since Ray Data neither keeps order nor leaves bytes as they are when it
        writes; what passes through Ray is small.
        """
        if not items:
            return
        import ray.data  # only here: building must work where Ray is not installed

        connect_ray(self.address)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.raise_original_map_exception = True  # a bug of ours is named, not Ray's wrapping of it
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what goes wrong is said by us, once

        # each task is sent its own item, as bytes: all of them in the function would be read again by every task
        rows = [{"item": pickle.dumps(item)} for item in items]
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(lambda row: _answer(work, row))
        with _surviving():
            for row in done.iter_rows():
                yield _result(row)


@contextmanager
def _surviving() -> Iterator[None]:
    """Tell of a machine that kills workers again and again, which is no fault of their work."""
    import ray

    try:
        yield
    except ray.exceptions.OutOfMemoryError as error:
        raise CamerabiasError(MEMORY_FULL) from error
    except ray.exceptions.WorkerCrashedError as error:
        raise CamerabiasError(
            "Workers of Ray die again and again, and say nothing; often the system kills them because memory is "
            "full. Close other programs, or work in this process alone: --executor local."
        ) from error


MEMORY_FULL = (
    "The machine's memory is full, of other programs perhaps, so that Ray kills its workers again and again. Close "
    "other programs, or work in this process alone: --executor local."
)
"""What ends work that Ray's memory monitor does not let live."""


def _answer(work: Work, row: dict[str, Any]) -> dict[str, Any]:
    keep_freed_memory()
    item = pickle.loads(row["item"])  # noqa: S301 - of this very program, a moment ago
    try:
        return {"result": json.dumps(work(item)), "refused": "", "storage": False}
    except CamerabiasError as error:  # travels as data, since Ray adds its own words to an exception's
        return {"result": "", "refused": str(error), "storage": isinstance(error, StorageError)}


def _result(row: dict[str, Any]) -> dict[str, Any]:
    """What `_answer` brought from another process."""
    if row["refused"]:
        raise (StorageError if row["storage"] else CamerabiasError)(row["refused"])
    found: dict[str, Any] = json.loads(row["result"])
    return found


@cache
def keep_freed_memory() -> None:
    """Let this process keep what it frees, up to half a GiB, for its next photo or training step.

    By itself glibc gives large blocks back to the system, which clears each page anew: up to a tenth of a training
    step on a CPU, a third of a crop map, and half of decoding a large photo. It also lets threads have eight heaps
    for each core, all of which would keep theirs. Other C libraries stay as they are.
    """
    if hasattr(glibc := ctypes.CDLL(None), "mallopt"):
        glibc.mallopt(M_TRIM_THRESHOLD, 2**29)
        if not glibc.mallopt(M_MMAP_THRESHOLD, 2**28):
            glibc.mallopt(M_MMAP_THRESHOLD, 2**25)  # the most before glibc 2.35
        glibc.mallopt(M_ARENA_MAX, os.cpu_count() or 1)


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Numbers of what `mallopt` sets, from glibc's `malloc.h`."""


def usable_threads() -> int:
    """Threads that this process may use: all cores, but fewer where Ray has said so to its worker."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


SPREAD_FROM = 5000
"""Photos from which Ray's start, about ten seconds, costs less than it saves."""


def for_photos(executor: Executor, n: int) -> Executor:
    """Where n photos are worked on: as is asked, but of few without starting a Ray for them."""
    starts_ray = isinstance(executor, RayExecutor) and not executor.is_cluster
    return CoresExecutor() if starts_ray and n < SPREAD_FROM else executor


EXECUTORS: dict[ExecutorName, type[Executor]] = {
    executor.name: executor for executor in (CoresExecutor, RayExecutor)
}
"""Executors by the names that users give."""
