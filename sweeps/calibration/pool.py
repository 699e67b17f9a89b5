"""Long work in processes of its own, whose results come as they are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TypeVar

PoolItem = TypeVar("PoolItem")
PoolResult = TypeVar("PoolResult")


def in_pool(
    work: Callable[[PoolItem], PoolResult], items: Sequence[PoolItem], jobs: int
) -> Iterator[PoolResult]:
    """Yield what comes of each item, in the order in which they end.

    Args:
        work: Takes an item; both are pickled. Its exception ends the whole.
        items: One per call.
        jobs: How many at a time, a process each.
    """
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(work, item) for item in items]):
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else all that is left would be run for nobody
            raise
