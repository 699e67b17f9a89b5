"""Running a calibration on the bank: world by world, so that what is there at any time is of all kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import torch

from camerabias.analysis.calibration.designs import DesignLine, read_designs
from camerabias.analysis.calibration.lines import append_documents
from camerabias.datasets.io.storage import Folder
from camerabias.sweeps.calibration.bank import World, make_world, read_world
from camerabias.sweeps.calibration.designs import designs, judge_design
from camerabias.sweeps.calibration.pool import in_pool


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
    for lines in in_pool(partial(_judge_world, bank, done), missing, jobs):
        append_documents(out, lines)
        yield lines


def _judge_world(bank: Folder, done: set[str], world: World) -> list[DesignLine]:
    torch.set_num_threads(1)
    if not bank.exists(world.file):
        make_world(bank, world)
    photos, features = read_world(bank, world)
    return [
        judge_design(world, photos, features, design) for design in designs(world) if design.name not in done
    ]
