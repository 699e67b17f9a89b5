"""Running a calibration on the bank: world by world, so that what is there at any time is of all kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import torch

from camerabias.analysis.report.calibrated_designs import DesignLine, read_designs
from camerabias.datasets.io.storage import Folder
from camerabias.sweeps.calibration.bank import World, make_world, read_world
from camerabias.sweeps.calibration.designs import designs, judge_design


def run_designs(asked: Sequence[World], bank: Folder, out: Path, jobs: int) -> Iterator[list[DesignLine]]:
    """Make the worlds that are missing, judge the designs that a file has no line of, and add their lines.

    A world whose designs all have a line is not needed, and not made.

    Args:
        asked: The worlds.
        bank: Where the files of worlds lie.
        out: A file of one JSON document per line; made where it is not there.
        jobs: Worlds at a time, each on one core.

    Yields:
        The new lines of a world.
    """
    done = {line.design.name for line in read_designs(out)}
    missing = [world for world in asked if any(design.name not in done for design in designs(world))]
    out.parent.mkdir(parents=True, exist_ok=True)
    with open(out, "a") as file, ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(_judge_world, bank, world, done) for world in missing]):
                lines = future.result()
                file.writelines(line.model_dump_json() + "\n" for line in lines)
                file.flush()
                yield lines
        except BaseException:
            pool.shutdown(cancel_futures=True)  # else all that is left would be run for nobody
            raise


def _judge_world(bank: Folder, world: World, done: set[str]) -> list[DesignLine]:
    torch.set_num_threads(1)
    if not bank.exists(world.file):
        make_world(bank, world)
    photos, features = read_world(bank, world)
    return [
        judge_design(world, photos, features, design) for design in designs(world) if design.name not in done
    ]
