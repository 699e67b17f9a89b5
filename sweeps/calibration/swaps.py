"""Photos given the cue of another camera, against the same objects simulated with just that cue of it.

What comes of a cue moved in finished photos is an estimate of what the camera would have made of them; here the truth
is known, photo by photo.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import torch

from camerabias.analysis.calibration.designs import DealtDesign
from camerabias.analysis.calibration.lines import append_documents, read_documents
from camerabias.analysis.calibration.swaps import SwapLine
from camerabias.analysis.statistics.association import associated_labels
from camerabias.datasets.cues.names import CUES, INTERVENTIONS
from camerabias.datasets.interventions.intervention import Level, measure_levels
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sampling.select import sample_evenly
from camerabias.datasets.simulator import CAMERAS, simulate
from camerabias.sweeps.calibration.bank import World, embed_photos, make_world, read_world
from camerabias.sweeps.calibration.designs import SEEDS, deal, fit_heads
from camerabias.sweeps.calibration.pool import in_pool
from camerabias.trainables.embeddings.store import Features

TESTED, MEASURED = 96, 160
"""Photos that are given other cameras' cue, and others on which the cameras' levels are measured."""

CORRELATION = 0.6
"""Of label and camera in training."""

Names = npt.NDArray[Any]

Swap = tuple[World, str]
"""A world, and one of its cues."""


def swaps(worlds: Sequence[World]) -> list[Swap]:
    """The cues of worlds that can be moved."""
    return [(world, cue) for world in worlds for cue in world.planted if cue in INTERVENTIONS]


def run_swaps(asked: Sequence[Swap], bank: Folder, out: Path, jobs: int) -> Iterator[SwapLine]:
    """Judge the swaps that a file has no line of, and add their lines.

    Args:
        asked: Worlds and cues.
        bank: Where the files of worlds lie; those that are missing are made.
        out: A file of one JSON document per line; made where it is not there.
        jobs: Swaps at a time, each on one core.

    Yields:
        The new lines.
    """
    done = {(line.world, line.cue) for line in read_documents(out, SwapLine)}
    missing = [(world, cue) for world, cue in asked if (world.number, cue) not in done]
    for line in in_pool(partial(judge_swap, bank), missing, jobs):
        append_documents(out, [line])
        yield line


def judge_swap(bank: Folder, swap: Swap) -> SwapLine:
    """Swap a cue in photos of a world, simulate what it should have come to, and ask the linear probe about both."""
    began, (world, cue) = time.monotonic(), swap
    torch.set_num_threads(1)
    if not bank.exists(world.file):
        make_world(bank, world)
    photos, features = read_world(bank, world)
    jpegs = bank.read_table(world.file, ["jpeg"])["jpeg"]
    dealt = deal(photos, _design(world))
    associated = associated_labels(pd.crosstab(dealt["label"], dealt["camera"]))
    tested = sample_evenly(dealt, TESTED)
    levels = _levels(cue, sample_evenly(dealt.drop(tested.index), MEASURED), jpegs)
    rows = _choose(cue, tested, levels, associated)
    seen = (
        features[rows.index],
        embed_photos(_moved(cue, rows, levels, jpegs)),
        embed_photos(_simulated(world, cue, rows)),
    )
    return SwapLine(
        world=world.number,
        cue=cue,
        planted=dict(world.planted),
        size=world.size,
        photos=len(rows),
        **_shares(rows, associated, *_predict(dealt, features, rows, seen)),
        seconds=time.monotonic() - began,
        version=version("camerabias"),
    )


def _design(world: World) -> DealtDesign:
    return DealtDesign(world=world.number, seed=0, cameras=4, correlation=CORRELATION, groups="single")


def _predict(
    dealt: pd.DataFrame, features: Features, rows: pd.DataFrame, seen: Sequence[npt.NDArray[np.floating]]
) -> list[Names]:
    """Labels given to rows by the heads that have not seen their photos, from several features of them."""
    heads = fit_heads(dealt, features, "label")
    names, seeds = np.array(sorted(dealt["label"].unique())), rows["fold"].to_numpy() % SEEDS
    logits = (np.stack([head.logits(some) for head in heads]) for some in seen)
    return [names[by_seed.argmax(axis=-1)[seeds, np.arange(len(rows))]] for by_seed in logits]


def _shares(
    rows: pd.DataFrame, associated: Mapping[str, str], before: Names, swapped: Names, exact: Names
) -> dict[str, float]:
    """Fields of a `SwapLine`."""
    old, new = (rows[name].map(dict(associated)).to_numpy() for name in ("camera", "other"))

    def gone_over(after: Names) -> float:
        left = (before == old).astype(float) - (after == old)
        reached = (after == new).astype(float) - (before == new)
        return float((left + reached).mean() / 2)

    alike = float((swapped == exact).mean())
    return {"swapped": gone_over(swapped), "exact": gone_over(exact), "alike": alike}


def _levels(cue: str, measured: pd.DataFrame, jpegs: pa.ChunkedArray) -> Mapping[str, Level]:
    """The level of each camera."""
    return measure_levels(INTERVENTIONS[cue], measured, ((row, jpegs[row].as_py()) for row in measured.index))


def _choose(
    cue: str, tested: pd.DataFrame, levels: Mapping[str, Level], associated: Mapping[str, str]
) -> pd.DataFrame:
    """Photos with a column `other`: every camera with another associated label whose level they can be brought to."""
    pairs = [
        {"camera": camera, "other": other}
        for camera, other in permutations(levels, 2)
        if associated.get(other) != associated.get(camera)
        and INTERVENTIONS[cue].reaches(levels[camera], levels[other])
    ]
    rows = tested.reset_index().merge(pd.DataFrame(pairs, columns=["camera", "other"]), on="camera")
    return rows.set_index("index")


def _moved(cue: str, rows: pd.DataFrame, levels: Mapping[str, Level], jpegs: pa.ChunkedArray) -> list[Pixels]:
    """The photos, with the other cameras' cue."""
    return [
        INTERVENTIONS[cue].move(
            decode(jpegs[row].as_py()), levels[camera], levels[other], np.random.default_rng(row)
        )
        for row, camera, other in zip(rows.index, rows["camera"], rows["other"], strict=True)
    ]


def _simulated(world: World, cue: str, rows: pd.DataFrame) -> list[Pixels]:
    """The same objects, simulated with the other cameras' cue."""
    numbers = [
        int(group.removeprefix("bottle-")) * len(CAMERAS) + list(CAMERAS).index(camera)
        for group, camera in zip(rows["group"], rows["camera"], strict=True)
    ]
    return [
        decode(simulate(world.spec, number, other, CUES[cue].parameters).jpeg)
        for number, other in zip(numbers, rows["other"], strict=True)
    ]
