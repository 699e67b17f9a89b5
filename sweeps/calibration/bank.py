"""A bank of simulated worlds, from which designs whose truth is known are dealt in seconds.

A world is 600 photos of 600 bottles by four cameras, label and camera independent, that differ in planted cues alone;
100 of its bottles are photographed again by the other cameras. A file per world holds its photos and their
embedding by the backbone that an audit begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from camerabias.datasets.cues.names import PLANTED
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sampling.rules import PAPER_DISJOINT
from camerabias.datasets.simulator import (
    CAMERAS,
    CUES,
    SimulatorSpec,
    photo_numbers,
    preset_spec,
    simulate,
)
from camerabias.datasets.views.registry import View
from camerabias.trainables.embeddings.build import load_embedder
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.spec.linear_probe import INPUT_SIDE, NATIVE_CROPS, USUAL_BACKBONE, Embedding

PHOTOS, SHOT_AGAIN = 600, 100
"""Photos of a world, each of a bottle of its own, and bottles that every camera photographs."""

WITHOUT_CUE = 40
"""Worlds whose cameras are one and the same; no counterfactual is made of these, since nothing would change."""

STRENGTHS = (0.25, 0.5, 0.75, 1.0)
SIZES = (64, 128, 64, 256, 64, 128)
"""Sides of photos in pixels, dealt to worlds in turn."""

_CHUNK = 32

_DESCRIBED = ["image_id", "label", "camera", "group", "again"]


@dataclass(frozen=True)
class World:
    """A world of the bank.

    Attributes:
        number: From 0; of everything random in it, too.
        planted: Strength by cue of `PLANTED`.
        size: Side of its photos in pixels.
    """

    number: int
    planted: Mapping[str, float]
    size: int

    @property
    def file(self) -> str:
        """Name of its file in the bank."""
        return f"world-{self.number:03d}.parquet"

    @property
    def spec(self) -> SimulatorSpec:
        """What it simulates."""
        cues = plant(self.planted)
        return preset_spec("demo", PHOTOS, self.size, cues, seed=10_000 + self.number, correlation=0.0)


def plant(planted: Mapping[str, float]) -> dict[str, float]:
    """Scales of all cues of the simulator for cameras that differ in the planted ones alone."""
    cues = dict.fromkeys(CUES, 0.0)
    for name, strength in planted.items():
        cues |= {cue: strength * scale for cue, scale in PLANTED[name].items()}
    return cues


def worlds() -> list[World]:
    """Every world of the bank: without a cue, with one and with two, in an order that mixes them."""
    none: list[dict[str, float]] = [{} for _ in range(WITHOUT_CUE)]
    one = [{name: strength} for strength in (*STRENGTHS, *STRENGTHS) for name in PLANTED]
    two = [
        {first: STRENGTHS[n % 4], second: STRENGTHS[n // 4 % 4]}
        for n, (first, second) in enumerate(combinations(PLANTED, 2))
    ]
    two += [dict(zip(pair, (1.0, 1.0), strict=True)) for pair in list(combinations(PLANTED, 2))[::3]]
    kinds = [none, one, two]
    ranked = [((k + 0.5) / len(kind), n, k) for n, kind in enumerate(kinds) for k in range(len(kind))]
    seen = [0] * len(kinds)
    found = []
    for number, (_, n, k) in enumerate(sorted(ranked)):
        found.append(World(number, kinds[n][k], SIZES[seen[n] % len(SIZES)]))
        seen[n] += 1
    return found


def make_world(bank: Folder, world: World) -> None:
    """Simulate a world, embed its photos and write its file.

    Its columns: image_id, label, camera, group, again (whether this is another camera's photo of a bottle that the
    world has by its own), jpeg, and features, a fixed-size list of float16.
    """
    numbers = photo_numbers(world.spec)
    again = _shot_again(world, numbers)
    chosen = [*numbers.tolist(), *again]
    photos = [simulate(world.spec, number) for number in chosen]
    features = embed_photos([decode(photo.jpeg) for photo in photos])
    table = pa.table(
        {
            "image_id": [f"{photo.group}/{photo.camera}" for photo in photos],
            "label": [photo.label for photo in photos],
            "camera": [photo.camera for photo in photos],
            "group": [photo.group for photo in photos],
            "again": np.arange(len(photos)) >= len(numbers),
            "jpeg": [photo.jpeg for photo in photos],
            "features": pa.FixedSizeListArray.from_arrays(pa.array(features.reshape(-1)), features.shape[1]),
        }
    )
    with bank.replacing(world.file) as stream:
        pq.write_table(table, stream)


def read_world(bank: Folder, world: World) -> tuple[pd.DataFrame, npt.NDArray[np.float32]]:
    """A world's photos, a row each without their pixels, and their features (n, d)."""
    table = bank.read_table(world.file, [*_DESCRIBED, "features"])
    features = table.column("features").combine_chunks()
    values = features.values.to_numpy(zero_copy_only=False).reshape(len(table), -1)
    return table.select(_DESCRIBED).to_pandas(), values.astype(np.float32)


def _shot_again(world: World, numbers: npt.NDArray[np.int64]) -> list[int]:
    """Numbers of the other cameras' photos of the first bottles."""
    if not world.planted:
        return []
    taken = {*numbers.tolist()}
    cameras = [list(CAMERAS).index(name) for names in PAPER_DISJOINT for name in names]
    wanted = [bottle * len(CAMERAS) + camera for bottle in range(SHOT_AGAIN) for camera in cameras]
    return [number for number in wanted if number not in taken]


def embed_photos(photos: Sequence[Pixels]) -> npt.NDArray[np.float16]:
    """Features (n, d) of photos by `probe_embedding`, for which nothing is drawn by their names."""
    embedder = load_embedder(probe_embedding(), "imagenet")
    found = []
    for start in range(0, len(photos), _CHUNK):
        some = photos[start : start + _CHUNK]
        found.append(embedder.features([""] * len(some), some))
    return np.concatenate(found).astype(np.float16)


def probe_embedding() -> Embedding:
    """The embedding of the linear probe that an audit begins with, in float32."""
    return Embedding(
        backbone=USUAL_BACKBONE,
        weights=weights_id(load_weights(USUAL_BACKBONE, "imagenet")),
        view=View(name="rgb", parameters={}),
        size=INPUT_SIDE,
        fit="resize",
        crops=NATIVE_CROPS,
        precision="float32",
    )
