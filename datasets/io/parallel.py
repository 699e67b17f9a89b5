"""Doing independent pieces of work, spread by Ray Data or in this process."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from camerabias.datasets.io.ray_connection import connect_ray
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError, Executor

Work = Callable[[Any], dict[str, Any]]
"""Takes a piece, writes its file, and returns a JSON document about it."""


def do_pieces(work: Work, pieces: Sequence[Any], executor: Executor) -> Iterator[dict[str, Any]]:
    """Do every piece and yield what the work says of it, in the order in which pieces end.

    Pieces write their own files, since Ray Data neither keeps order nor leaves bytes as they are when it
    writes; what passes through Ray is small. A piece that raises ends the whole.

    Args:
        work: The work; with Ray it is pickled.
        pieces: One item per call of `work`.
        executor: Ray Data, or a plain loop.
    """
    if not pieces:
        return
    if executor == "local":
        yield from map(work, pieces)
        return
    yield from _do_with_ray(work, pieces)


def _do_with_ray(work: Work, pieces: Sequence[Any]) -> Iterator[dict[str, Any]]:
    import ray.data  # only here: building must work where Ray is not installed

    connect_ray()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.raise_original_map_exception = True  # a bug of ours is named, not Ray's wrapping of it
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # it tells of every plan and every bar left out

    def run(row: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"said": json.dumps(work(pickle.loads(row["piece"]))), "refused": "", "storage": False}
        except CamerabiasError as error:  # travels as data, since Ray adds its own words to an exception's
            return {"said": "", "refused": str(error), "storage": isinstance(error, StorageError)}

    # each task is sent its own piece, as bytes: all of them in the function would be read again by every task
    rows = [{"piece": pickle.dumps(piece)} for piece in pieces]
    for row in ray.data.from_items(rows, override_num_blocks=len(rows)).map(run).iter_rows():
        if row["refused"]:
            raise (StorageError if row["storage"] else CamerabiasError)(row["refused"])
        yield json.loads(row["said"])
