"""Level and power of tests of the shortcut effect, by how groups hold labels and cameras.

`python -m benchmarks mixed_groups [DESIGNS [WORDS]]` simulates photos of two labels by two cameras, of kinds whose
name has these words, and models that ignore the camera (the null) or depend on it in a share of the photos. 28
designs of each kind and model, 25 models on each, come to 2,100 nulls of a kind: half an hour of a processor.
`--contradictions` compares p and interval of `shortcut_effect` instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.effects import shortcut_effect as module
from camerabias.analysis.effects.camera_sums import permuted_sums, within_label
from camerabias.analysis.statistics.bootstrap import exact_interval, resample
from camerabias.analysis.statistics.mixed_groups import (
    FEW_GROUPS,
    CameraScores,
    are_mixed,
    permute_photos,
)
from camerabias.analysis.statistics.permutation import camera_permutations, p_value

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]

ASSOCIATED = pd.Series({"A": "a", "B": "b"})
PERMUTATIONS, MODELS, EFFECT = 399, 25, 0.2
EXACT_BELOW = 20
"""Groups of which all signs are tried."""


@dataclass(frozen=True)
class Model:
    """How models name the label: accuracy by label, and how far sessions differ (standard deviations of logits)."""

    accuracy: tuple[float, float] = (0.9, 0.9)
    favour: float = 1.0
    hard: float = 0.7
    effect: float = 0.0


NULLS = {
    "accuracy 0.9": Model(),
    "0.95 and 0.3": Model((0.95, 0.3)),
    "strong sessions": Model((0.8, 0.8), favour=2.0),
}


def image_rows(label: Ints, camera: Ints, group: Ints) -> pd.DataFrame:
    """A row per photo: image_id, group, and words for the codes of label (a, b) and camera (A, B)."""
    names = [f"i{n:05}" for n in range(len(group))]
    taken, shown = (np.array(list(pair))[of] for pair, of in (("AB", camera), ("ab", label)))
    return pd.DataFrame({"image_id": names, "group": group, "label": shown, "camera": taken})


@dataclass(frozen=True)
class Photos:
    """n photos, sorted by group.

    Attributes:
        label: 0 or 1.
        camera: Likewise; 1 is associated with label 1.
        group: From 0.
        seed: Which seed's model tests it.
    """

    label: Ints
    camera: Ints
    group: Ints
    seed: Ints

    @property
    def images(self) -> pd.DataFrame:
        """As `by_image` gives them."""
        return image_rows(self.label, self.camera, self.group).assign(seeds=self.seed)

    def centred(self, values: Floats) -> Floats:
        """Less the mean of photos of a label and seed; ... × n."""
        strata = self.seed * 2 + self.label
        is_in = np.eye(strata.max() + 1)[strata]
        mean = values @ is_in / np.maximum(is_in.sum(axis=0), 1)
        return np.asarray(values - mean[..., strata])

    def by_group(self, values: Floats) -> Floats:
        """Sums; ... × n to ... × groups."""
        starts = np.flatnonzero(np.diff(self.group, prepend=-1))
        return np.asarray(np.add.reduceat(values, starts, axis=-1))


def sigmoid(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logit)))


def _photos(label: Ints, camera: Ints, group: Ints, n_seeds: int = 1) -> Photos:
    """Groups are dealt to seeds in turn."""
    return Photos(label, camera, group, group % n_seeds)


def _uneven(generator: np.random.Generator, sizes: Ints, aligned: float) -> Photos:
    """Sessions with shares of labels and cameras of their own."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    label = generator.random(len(group)) < sigmoid(generator.normal(0, 1, len(sizes)))[group]
    lean = generator.normal(0, 2.5, len(sizes))[group] + np.where(label, 1, -1) * np.log(
        aligned / (1 - aligned)
    )
    return _photos(label.astype(int), (generator.random(len(group)) < sigmoid(lean)).astype(int), group)


def single(generator: np.random.Generator, n_seeds: int = 1) -> Photos:
    """300 photos alone, a tenth bias-conflicting."""
    label = generator.integers(0, 2, 300)
    return _photos(label, np.where(generator.random(300) < 0.9, label, 1 - label), np.arange(300), n_seeds)


def burst(generator: np.random.Generator) -> Photos:
    """150 bursts of 1 to 8 photos, with a label and a camera each."""
    alone, group = single(generator), np.repeat(np.arange(150), generator.integers(1, 9, 150))
    return _photos(alone.label[group], alone.camera[group], group)


def crossed(generator: np.random.Generator) -> Photos:
    """60 objects, twice by each camera."""
    group = np.repeat(np.arange(60), 4)
    return _photos(generator.integers(0, 2, 60)[group], np.tile([0, 1, 0, 1], 60), group)


def mixed(generator: np.random.Generator) -> Photos:
    """45 sessions of 3 to 14 photos."""
    return _uneven(generator, generator.integers(3, 15, 45), 0.9)


def mixed_few(generator: np.random.Generator) -> Photos:
    """The same with about ten bias-conflicting sessions."""
    return _uneven(generator, generator.integers(3, 15, 45), 0.99)


def mixed_apart(generator: np.random.Generator, n_seeds: int = 1) -> Photos:
    """The same with one camera per label in each session, so that nothing can be exchanged within it."""
    found = mixed(generator)
    agrees = generator.random((45, 2)) < 0.85
    camera = np.where(agrees[found.group, found.label], found.label, 1 - found.label)
    return _photos(found.label, camera, found.group, n_seeds)


def patients(generator: np.random.Generator) -> Photos:
    """The same with one camera per session."""
    found = mixed(generator)
    share = found.by_group(found.label.astype(float)) / found.by_group(np.ones(len(found.group)))
    camera = generator.random(45) < np.clip(share, 0.15, 0.85)
    return _photos(found.label, camera.astype(int)[found.group], found.group)


def huge(generator: np.random.Generator) -> Photos:
    """12 sessions of 15 to 89 photos."""
    return _uneven(generator, generator.integers(15, 90, 12), 0.9)


FEW: dict[str, dict[str, Any]] = {
    "": {},
    ", few conflicting": {"aligned": 0.97},
    ", a camera per label": {"apart": True},
}


def few(generator: np.random.Generator, n: int, apart: bool = False, aligned: float = 0.9) -> Photos:
    """N sessions of 3 to 14 photos, apart with one camera per label in each."""
    found = _uneven(generator, generator.integers(3, 15, n), aligned)
    if not apart:
        return found
    agrees = generator.random((n, 2)) < 0.8
    camera = np.where(agrees[found.group, found.label], found.label, 1 - found.label)
    return _photos(found.label, camera, found.group)


KINDS: dict[str, Callable[[np.random.Generator], Photos]] = {
    "single": single,
    "burst": burst,
    "crossed": crossed,
    "mixed": mixed,
    "mixed, few conflicting": mixed_few,
    "mixed, a camera per label": mixed_apart,
    "mixed, a camera per group": patients,
    "huge": huge,
    **{f"{n} sessions{name}": partial(few, n=n, **how) for n in (5, 8, 12, 16) for name, how in FEW.items()},
    "single, folds rotate": lambda generator: single(generator, 5),
    "mixed, folds rotate": lambda generator: mixed_apart(generator, 5),
}


def predict(photos: Photos, model: Model, generator: np.random.Generator) -> Ints:
    """Predictions of `MODELS` models; where seeds are several each favours a label, too."""
    groups, seeds = photos.group.max() + 1, photos.seed.max() + 1
    favour, hard = (
        generator.normal(0, s, (MODELS, groups))[:, photos.group] for s in (model.favour, model.hard)
    )
    bias = generator.normal(0, 0.7 * (seeds > 1), (MODELS, seeds))[:, photos.seed]
    right = np.log(np.array(model.accuracy) / (1 - np.array(model.accuracy)))[photos.label]
    logit = np.where(photos.label, 1, -1) * (right + hard) + favour + bias
    given = generator.random(logit.shape) < sigmoid(logit)
    return np.where(generator.random(logit.shape) < model.effect, photos.camera, given).astype(int)


def p_values(photos: Photos, predicted: Ints, generator: np.random.Generator) -> dict[str, list[float]]:
    """Of every candidate, and of the one that the design chooses: a p per model."""
    given, tied = photos.centred(predicted.astype(float)), photos.centred(photos.camera.astype(float))
    scores, could = photos.by_group(given * tied), photos.by_group(tied**2)
    images = photos.images
    exchanged = np.concatenate(list(camera_permutations(images, PERMUTATIONS)))
    alone = images.assign(group=images["image_id"])
    photos_exchanged = np.concatenate(list(camera_permutations(alone, PERMUTATIONS)))
    signs = generator.choice([-1.0, 1.0], (PERMUTATIONS, len(could)))
    every_sign = _every_sign(len(could)) if len(could) < EXACT_BELOW else signs
    draws = generator.multinomial(len(could), np.full(len(could), 1 / len(could)), PERMUTATIONS)
    seen = (given * photos.camera).sum(axis=1)
    found = {
        "exchange within or of groups": _compare(seen, exchanged @ given.T),
        "studentised photos": [_studentised(photos, images, one, tied) for one in given],
        "signs flipped by group": _compare(scores.sum(axis=1), every_sign @ scores.T),
        "wild cluster bootstrap": [_wild(photos, one, tied, signs) for one in given],
        "exchange of single photos": _compare(seen, photos_exchanged @ given.T),
        "bootstrap of groups": _compare(np.zeros(len(given)), -(draws @ scores.T)),
    }
    of_mixed = "signs flipped by group" if len(could) < FEW_GROUPS else "studentised photos"
    best = of_mixed if are_mixed(images, ASSOCIATED) else "exchange within or of groups"
    return found | {"as done": found[best]}


def _every_sign(groups: int) -> Floats:
    """All ways to give groups signs but that of none changed."""
    return np.array([*product([1.0, -1.0], repeat=groups)])[1:]


def _compare(seen: Floats, null: Floats) -> list[float]:
    return [p_value(float(one), column) for one, column in zip(seen, null.T, strict=True)]


def _studentised(photos: Photos, images: pd.DataFrame, given: Floats, tied: Floats) -> float:
    expected = photos.camera - tied
    followed, could = (np.stack([-one * expected, one * (1 - expected)], axis=1) for one in (given, tied))
    return permute_photos(CameraScores(images, followed, could), PERMUTATIONS).p


def _wild(photos: Photos, given: Floats, tied: Floats, signs: Floats) -> float:
    """Null imposed, statistic studentised with residuals estimated anew (Cameron, Gelbach & Miller 2008)."""

    def statistic(signs: Floats) -> Floats:
        changed = signs[:, photos.group] * given
        total = (changed * tied).sum(axis=1)
        left = photos.centred(changed) - (total / (tied**2).sum())[:, None] * tied
        return np.asarray(total / np.sqrt((photos.by_group(left * tied) ** 2).sum(axis=1) + 1e-12))

    return p_value(float(statistic(np.ones((1, signs.shape[1])))[0]), statistic(signs))


def rejected(kind: str, model: Model, n_designs: int) -> pd.DataFrame:
    """A row per simulated model, a column per candidate: its p; and whether the design counts as mixed."""
    generator = np.random.default_rng([*kind.encode(), *repr(model).encode()])
    rows: list[pd.DataFrame] = []
    while len(rows) < n_designs:
        photos = KINDS[kind](generator)
        if photos.centred(photos.camera.astype(float)).any():
            found = pd.DataFrame(p_values(photos, predict(photos, model, generator), generator))
            rows.append(found.assign(mixed=are_mixed(photos.images, ASSOCIATED)))
    return pd.concat(rows, ignore_index=True)


def show(found: pd.Series[float], level: float) -> str:
    """Share rejected, in percent, with its interval."""
    n = int((found <= level + 1e-9).sum())
    low, high = exact_interval(n, len(found))
    return f"{100 * n / len(found):.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def main(arguments: list[str]) -> None:
    """Print a table's row per kind and candidate."""
    if arguments == ["--contradictions"]:
        contradictions(100)
        return
    n_designs, words = int(arguments[0]) if arguments else 28, " ".join(arguments[1:])
    print("| groups | test | level 0.01 | level 0.05 | power at 0.01 |\n|---|---|---|---|---|")
    for kind in [name for name in KINDS if words in name]:
        null = pd.concat([rejected(kind, model, n_designs) for model in NULLS.values()])
        power = rejected(kind, Model(effect=EFFECT), n_designs)
        for test in power.columns.drop("mixed"):
            ends = [show(null[test], level) for level in (0.01, 0.05)]
            print(f"| {kind} | {test} | {' | '.join(ends)} | {100 * (power[test] <= 0.01).mean():.0f} |")
        print(f"| {kind} | mixed in | {100 * null['mixed'].mean():.0f} % of designs | | |", flush=True)


def contradictions(n: int) -> None:
    """How often p > 0.05 beside a 95 % interval above 0, by exchange and bootstrap, and by `shortcut_effect`."""
    module.CORRECTED_PERMUTATIONS, associated = PERMUTATIONS, ASSOCIATED.to_dict()
    for kind in KINDS:
        generator, before, after = np.random.default_rng([*kind.encode()]), 0, 0
        for _ in range(n):
            photos = KINDS[kind](generator)
            predicted = predict(photos, Model(effect=EFFECT / 2), generator)[0]
            named = {"prediction": np.array(["a", "b"])[predicted], "seed": photos.seed}
            rows = photos.images.assign(truth=lambda f: f["label"], **named).astype({"group": str})
            done = module.shortcut_effect(
                [rows[rows["seed"] == seed] for seed in set(photos.seed)], associated
            )
            after += done.p > 0.05 and done.risk_difference.low > 0
            before += _contradicted(rows.assign(associated=rows["camera"].map(associated)))
        print(f"{kind}: {100 * before / n:.0f} % before, {100 * after / n:.0f} % now", flush=True)


def _contradicted(rows: pd.DataFrame) -> bool:
    given, tied = (within_label(rows, column) for column in ("prediction", "associated"))
    sums = pd.DataFrame({"followed": (given * tied).sum(axis=1), "could": (tied**2).sum(axis=1)})
    table = sums.set_index(pd.MultiIndex.from_frame(rows[["group", "seed"]]))
    low = resample(table, lambda s: s[..., 0] / s[..., 1], rows["group"].nunique(), (-1.0, 1.0)).low
    return low > 0 and p_value(*permuted_sums(rows, given, PERMUTATIONS)) > 0.05
