"""Designs of known truth, dealt from the bank and judged: a linear probe in five folds, and its verdict.

What an audit does to a dataset of 160 to 430 photos, without the dataset: features are read from the bank.
"""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.calibration.designs import DealtDesign, DesignLine, GroupKind
from camerabias.analysis.effects.shortcut_effect import counterfactual
from camerabias.analysis.judged.findings import Judged, find_judged
from camerabias.analysis.statistics.number_format import without_nan
from camerabias.analysis.verdict.decide import decide
from camerabias.datasets.ingest.folds import deal_folds
from camerabias.datasets.schema import N_FOLDS, Target
from camerabias.sweeps.calibration.bank import World
from camerabias.trainables.embeddings.store import Features
from camerabias.trainables.linear_probe.head import Head, Matrix, TrainingSet, fit_head

SEEDS = 5
"""Trials, each of which tests two of the ten folds: every photo is tested."""

CORRELATIONS = (0.4, 0.6, 0.8)

HAIR = 0.05
"""A correlation by which cameras have associated labels, as those of real photos do by chance."""

NULLS, PLANTED = 25, 6
"""Designs that are dealt from a world without a cue, and from one with cues."""

BURST, SESSION = 3, 8
"""Photos of a group."""


def designs(world: World) -> list[DealtDesign]:
    """The designs of a world: identifiable ones, one of hardly any correlation, an unidentifiable one."""
    kinds = get_args(GroupKind)
    dealt = [
        DealtDesign(
            world=world.number,
            seed=n,
            cameras=2 if n % 4 == 3 else 4,
            correlation=CORRELATIONS[n % 3],
            groups=kinds[n // 3 % 3],
        )
        for n in range(PLANTED if world.planted else NULLS)
    ]
    apart = {HAIR: 98, 1.0: 99} if world.planted else {1.0: 99}
    return dealt + [
        DealtDesign(world=world.number, seed=seed, cameras=4, correlation=correlation, groups="single")
        for correlation, seed in apart.items()
    ]


def judge_design(world: World, photos: pd.DataFrame, features: Features, design: DealtDesign) -> DesignLine:
    """Deal a design, train and judge the probe, and hold it against the counterfactual.

    Args:
        world: The world.
        photos: Its photos, n of them, as `read_world` gives them.
        features: (n, d).
        design: The design.
    """
    began = time.monotonic()
    dealt = deal(photos, design)
    heads = fit_heads(dealt, features, "label")
    rows = dealt.assign(
        seed=dealt["fold"] % SEEDS, prediction=_name(tested_logits(dealt, features, heads), dealt["label"])
    )
    if world.planted:  # else cameras are one and the same
        cameras = fit_heads(dealt, features, "camera")
        rows["predicted_camera"] = _name(tested_logits(dealt, features, cameras), dealt["camera"])
    training = dealt[["label", "camera", "group"]]
    found = find_judged(Judged(rows, pd.DataFrame(index=rows.index), training))
    verdict = decide(found)
    truth, p = _truth(world, photos, features, dealt, heads, found.design.associated_labels)
    return DesignLine(
        design=design,
        planted=dict(world.planted),
        size=world.size,
        photos=len(dealt),
        verdict=verdict.verdict,
        evidence=verdict.evidence,
        truth=truth,
        truth_p=p,
        seconds=time.monotonic() - began,
        version=version("camerabias"),
    )


def deal(photos: pd.DataFrame, design: DealtDesign) -> pd.DataFrame:
    """The photos of a design: rows of `photos`, with groups and a column fold.

    Half of the cameras go with the first label, half with the second; which ones is drawn.
    """
    generator = np.random.default_rng([design.world, design.seed])
    own = photos[~photos["again"]]
    cameras = generator.permutation(sorted(own["camera"].unique()))[: design.cameras]
    of_first = {*cameras[: len(cameras) // 2]}
    first = own["label"] == min(own["label"])
    share = (1 - design.correlation) / (1 + design.correlation)
    chosen = []
    for (label, camera), cell in own[own["camera"].isin(cameras)].groupby(["label", "camera"]):
        aligned = (camera in of_first) == (label == own.loc[first, "label"].iloc[0])
        chosen.append(cell.sample(len(cell) if aligned else round(share * len(cell)), random_state=generator))
    dealt = pd.concat(chosen).sample(frac=1, random_state=generator)
    dealt["group"] = _groups(dealt, design.groups)
    cells = list(zip(dealt["label"], dealt["camera"], strict=True))
    dealt["fold"] = deal_folds(dealt["image_id"].tolist(), cells, dealt["group"].tolist())
    return dealt.sort_index()


def _groups(dealt: pd.DataFrame, kind: GroupKind) -> pd.Series[str]:
    if kind == "single":
        return dealt["group"]
    if kind == "sessions":
        numbers = np.arange(len(dealt)) // SESSION
        return pd.Series([f"session-{number}" for number in numbers], dealt.index)
    within = dealt.groupby(["label", "camera"]).cumcount() // BURST
    return dealt["label"] + "/" + dealt["camera"] + "/" + within.astype(str)


def fit_heads(dealt: pd.DataFrame, features: Features, target: Target) -> list[Head]:
    """A head per seed, which has seen neither its test folds nor the one that a network would be validated on.

    Args:
        dealt: As `deal` returns it.
        features: Of all photos of the world.
        target: What they classify.
    """
    classes = pd.Categorical(dealt[target])
    groups = pd.factorize(dealt["group"])[0]
    heads = []
    for seed in range(SEEDS):
        unseen = (dealt["fold"] % SEEDS == seed) | (dealt["fold"] == (seed + 1) % N_FOLDS)
        train = np.flatnonzero(~unseen)
        heads.append(
            fit_head(
                TrainingSet(
                    features[dealt.index[train]],
                    classes.codes[train].astype(np.int64),
                    len(classes.categories),
                    groups[train],
                    np.ones(len(train)),
                )
            )
        )
    return heads


def tested_logits(dealt: pd.DataFrame, features: Features, heads: list[Head]) -> Matrix:
    """Logits of every dealt photo, (n, classes), by the head that has not seen it."""
    rows, seeds = dealt.index.to_numpy(), (dealt["fold"] % SEEDS).to_numpy()
    by_seed = np.stack([head.logits(features[rows]) for head in heads])
    logits: Matrix = by_seed[seeds, np.arange(len(dealt))]
    return logits


def _truth(
    world: World,
    photos: pd.DataFrame,
    features: Features,
    dealt: pd.DataFrame,
    heads: list[Head],
    associated: dict[str, str],
) -> tuple[float | None, float | None]:
    """The counterfactual of the heads, and its p."""
    if not associated:
        return None, None
    if not world.planted:
        return 0.0, None
    shot = photos[photos["group"].isin(photos.loc[photos["again"], "group"])]
    shot = shot[shot["camera"].isin(dealt["camera"])]
    tested_by = (dealt["fold"] % SEEDS).set_axis(photos.loc[dealt.index, "group"])
    seeds = shot["group"].map(tested_by)
    other = pd.Series(pd.factorize(shot["group"])[0] % SEEDS, shot.index)  # bottles that were not dealt
    seeds = seeds.fillna(other).astype(int)
    frames = [
        of_seed.assign(
            prediction=_name(heads[int(seed)].logits(features[of_seed.index]), dealt["label"]), draw=0
        )
        for seed, of_seed in shot.groupby(seeds)
    ]
    found = counterfactual(frames, associated)
    return without_nan(found.directed.mean), without_nan(found.p)


def _name(logits: Matrix, labels: pd.Series[str]) -> npt.NDArray[np.str_]:
    found: npt.NDArray[np.str_] = np.array(sorted(labels.unique()))[logits.argmax(axis=1)]
    return found
