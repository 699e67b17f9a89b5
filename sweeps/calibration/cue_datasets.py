"""Datasets whose cues are known, from the bank of drawn cameras.

Of bases that judge, photos are dealt. Of bases that are fitted to, datasets of any size are composed: what a variant
does to the mean of a statistic is known from the same scenes taken by both, and photos vary as the base's do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.permutation import Codes
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.pixels.registry import STATISTICS
from camerabias.sweeps.calibration.cue_bank import base_file

FEWEST, MOST = 10, 200
"""Photos of a camera."""

STRETCHED = (0.5, 2.0)
"""By how much what a variant does is made weaker and stronger: a base then tells of more cameras than it has."""

MOST_CAMERAS = 5
"""Cameras of a dataset."""


@dataclass(frozen=True)
class Base:
    """A base of the bank.

    Attributes:
        number: Its number.
        variant: Of every photo, (photos,).
        photo: Its number among those of its variant, which is that of its scene where they are shared.
        label: Of every photo, 0 or 1.
        values: Pixel statistics, (photos, statistics).
        planted: By variant, strength by cue in which it differs from the base camera, variant 0.
        size: Side of the photos in pixels, before any treatment.
        scenes: What they show.
        treatment: What was done to all of them later; empty where nothing was.
    """

    number: int
    variant: Codes
    photo: Codes
    label: Codes
    values: Floats
    planted: Sequence[dict[str, float]]
    size: int
    scenes: str
    treatment: str


@dataclass(frozen=True)
class CueDataset:
    """A dataset of known cues.

    Attributes:
        values: Pixel statistics, (photos, statistics).
        label: Of every photo, from 0.
        camera: Of every photo, from 0.
        planted: Strength by cue, the strongest of its cameras.
    """

    values: Floats
    label: Codes
    camera: Codes
    planted: Mapping[str, float]


def read_base(bank: Folder, number: int) -> Base:
    """A base of the bank."""
    table = bank.read_table(base_file(number))
    about, photos = json.loads(table.schema.metadata[b"base"]), table.to_pandas()
    return Base(
        number,
        photos["variant"].to_numpy(),
        photos.groupby("variant").cumcount().to_numpy(),
        pd.factorize(photos["label"])[0],
        photos[[*STATISTICS]].to_numpy(float),
        about["planted"],
        about["size"],
        about["scenes"],
        about["treatment"],
    )


def deal_datasets(base: Base, n: int) -> list[CueDataset]:
    """Datasets of a base that judges: without a cue, with one, with two, with any number, in turn."""
    generator = np.random.default_rng([3, base.number])
    return [_deal(base, _choose(base, k % 4, generator), generator) for k in range(n)]


def compose_datasets(base: Base, n: int) -> list[CueDataset]:
    """Datasets of a base that is fitted to, in the same order."""
    generator = np.random.default_rng([3, base.number])
    shifts = _shifts(base)
    photos = base.values - shifts[base.variant]
    found = []
    for k in range(n):
        variants = _choose(base, k % 4, generator)
        sizes = _sizes(len(variants), generator)
        rows = generator.integers(len(photos), size=sizes.sum())
        camera = np.repeat(np.arange(len(variants)), sizes)
        strengths = generator.uniform(*STRETCHED, size=(len(variants), 1))
        values = photos[rows] + (strengths * shifts[variants])[camera]
        found.append(CueDataset(values, base.label[rows], camera, _planted(base, variants)))
    return found


def _shifts(base: Base) -> Floats:
    """What each variant does to the mean of each statistic, (variants, statistics); 0 where it may be chance."""
    taken = np.full((len(base.planted), base.photo.max() + 1, base.values.shape[1]), np.nan)
    taken[base.variant, base.photo] = base.values
    apart = taken - taken[:1]
    known = ~np.isnan(apart)
    n = known.sum(axis=1)
    mean = np.where(known, apart, 0).sum(axis=1) / np.maximum(n, 1)
    squares = np.where(known, np.square(apart - mean[:, None]), 0).sum(axis=1)
    error = squares / np.maximum(n * (n - 1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.nan_to_num(1 - error / np.square(mean))
    return np.asarray(mean * np.maximum(kept, 0))


def _sizes(cameras: int, generator: np.random.Generator) -> Codes:
    """Photos of each camera: some datasets are small, and some cameras rare."""
    middle = generator.uniform(np.log(FEWEST), np.log(MOST))
    sizes = np.exp(middle + generator.normal(0, 0.4, cameras))
    return np.clip(sizes, FEWEST, MOST).astype(np.intp)


def _choose(base: Base, kind: int, generator: np.random.Generator) -> list[int]:
    """Variants, one per camera; the base camera may be several cameras."""
    own = [0] * int(generator.integers(1, MOST_CAMERAS - 1))
    if kind == 0:
        return [0, *own]
    alone = [n for n, planted in enumerate(base.planted) if len(planted) == 1]
    several = [n for n, planted in enumerate(base.planted) if len(planted) > 1]
    first = int(generator.choice(alone))
    same = [n for n in alone if base.planted[n].keys() == base.planted[first].keys()]
    if kind == 1:
        return same if len(same) > 1 and generator.random() < 0.3 else [*own, first]
    if kind == 2:
        second = int(generator.choice([n for n in alone if n not in same]))
        both = [n for n in several if len(base.planted[n]) == 2]
        return (
            [*own, int(generator.choice(both))]
            if both and generator.random() < 0.5
            else [*own, first, second]
        )
    return [*own, *generator.permutation(several)[: int(generator.integers(1, 4))].tolist()]


def _deal(base: Base, variants: Sequence[int], generator: np.random.Generator) -> CueDataset:
    chosen: list[Codes] = []
    camera: list[int] = []
    for variant in sorted(set(variants)):
        rows = generator.permutation(np.flatnonzero(base.variant == variant))
        for part in np.array_split(rows, list(variants).count(variant)):
            kept = part[: int(generator.integers(min(FEWEST, len(part)), len(part) + 1))]
            camera += [len(chosen)] * len(kept)
            chosen.append(kept)
    photos = np.concatenate(chosen)
    return CueDataset(base.values[photos], base.label[photos], np.array(camera), _planted(base, variants))


def _planted(base: Base, variants: Sequence[int]) -> dict[str, float]:
    found: dict[str, float] = {}
    for variant in variants:
        for cue, strength in base.planted[variant].items():
            found[cue] = max(strength, found.get(cue, 0.0))
    return found
