"""Levels of p where the camera entered the training: of heads that name it, and of repaired and control heads.

Their p comes from exchanging cameras of test photos while predictions stay, though those of one fold depend on the
cameras of the others, which trained. `python -m benchmarks exchanges [TIMES [WORDS]]` simulates features that show
the label and no camera, 240 photos alone or in bursts of three, label and camera correlated by 0.6. Linear probes
are fitted to them in five folds as an audit does, with a penalty of 0.001, 500 times; of group DRO and the control,
whose fits take longer, a fifth as often. WORDS are of kinds of heads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan
from types import SimpleNamespace
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.mixed_groups import image_rows
from camerabias.analysis.effects import shortcut_effect as module
from camerabias.analysis.effects.control import control_effect
from camerabias.analysis.effects.shortcut_effect import identification, shortcut_effect
from camerabias.analysis.statistics.bootstrap import exact_interval
from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.sampling.select import select
from camerabias.trainables.linear_probe import head as head_module
from camerabias.trainables.linear_probe.control import control_predictions
from camerabias.trainables.linear_probe.head import TrainingSet
from camerabias.trainables.linear_probe.subject import LinearSubject
from camerabias.trainables.linear_probe.treatment import fit_balanced

PHOTOS, FEATURES, FOLDS, PERMUTATIONS = 240, 12, 5, 999
PENALTY = 1e-3
"""Weak, so that heads remember what is chance's; to choose it would take most of the time."""

SIGNAL = 1.0
"""Between the labels' means, in standard deviations of a photo's noise: an accuracy of about 0.7."""

LABELS, CAMERAS = np.array(["a", "b"]), np.array(["A", "B"])
ASSOCIATED = {"A": "a", "B": "b"}

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Photos:
    """Simulated photos: features (n, d), codes of label, camera and group, and the fold, (n,)."""

    features: npt.NDArray[np.float64]
    label: Rows
    camera: Rows
    group: Rows
    fold: Rows

    @property
    def frame(self) -> pd.DataFrame:
        """A row per photo, as records describe it."""
        return image_rows(self.label, self.camera, self.group).astype({"group": str})


def draw(generator: np.random.Generator, burst: int) -> Photos:
    """Photos in bursts of one label and camera, which have half of their noise in common."""
    n = PHOTOS // burst
    label = np.arange(n) % 2
    camera = np.where(generator.random(n) < 0.8, label, 1 - label)
    fold = np.empty(n, dtype=np.int64)
    fold[np.lexsort((generator.random(n), camera, label))] = (
        np.arange(n) % FOLDS
    )  # cells evenly, as folds are dealt
    group = np.repeat(np.arange(n), burst)
    common, own = generator.normal(size=(n, FEATURES))[group], generator.normal(size=(PHOTOS, FEATURES))
    features = own if burst == 1 else (common + own) / np.sqrt(2)
    features[:, 0] += SIGNAL * label[group]
    return Photos(features, label[group], camera[group], group, fold[group])


def subjects(
    photos: Photos, target: str, balancing: str | None, equal: bool
) -> list[tuple[SimpleNamespace, pd.DataFrame]]:
    """A probe per fold, as `LinearSubject` has it, with its predictions of the fold."""
    found = []
    classes = {"label": photos.label, "camera": photos.camera}[target]
    setting = Setting(name="all", cells=None, equal_counts=equal)
    for fold in range(FOLDS):
        test, train = np.flatnonzero(photos.fold == fold), np.flatnonzero(photos.fold != fold)
        frame = photos.frame
        train = train[select(setting, frame["label"].iloc[train], frame["camera"].iloc[train], fold)]
        cells = np.stack([photos.label, photos.camera], axis=1)[train]
        examples = TrainingSet(
            photos.features[train], classes[train], 2, photos.group[train], np.ones(len(train))
        )
        head = fit_balanced(examples, cells, balancing, fold)
        names = {"label": LABELS, "camera": CAMERAS}[target]
        given = names[head.logits(photos.features[test]).argmax(axis=1)]
        tested = frame.iloc[test].assign(truth=frame[target].iloc[test], prediction=given, draw=0)
        data = SimpleNamespace(config=SimpleNamespace(seed=fold), parts=SimpleNamespace(test=test))
        features = photos.features[None]
        subject = SimpleNamespace(
            training=examples, cells=cells, head=head, data=data, features=lambda _, read=features: read
        )
        found.append((subject, tested))
    return found


def p_of_label(photos: Photos, balancing: str | None = None, equal: bool = False) -> float:
    """Of the shortcut effect of label heads."""
    found = subjects(photos, "label", balancing, equal)
    return shortcut_effect([tested for _, tested in found], ASSOCIATED).p


def p_of_camera(photos: Photos) -> float:
    """Of the identification of cameras."""
    return identification([tested for _, tested in subjects(photos, "camera", None, False)]).p


def p_of_control(photos: Photos) -> float:
    """Of control heads among their shams; NaN where weights leave too little of a sample."""
    found = subjects(photos, "label", None, False)
    arrays = [
        control_predictions(cast(LinearSubject, subject))
        | {"classes": LABELS, "image_id": tested["image_id"].to_numpy()}
        for subject, tested in found
    ]
    effect = control_effect([tested for _, tested in found], arrays, ASSOCIATED)
    return nan if effect is None else effect.p


HEADS: dict[str, tuple[Callable[[Photos], float], int]] = {
    "the label as given: no camera entered": (p_of_label, 1),
    "cameras": (p_of_camera, 1),
    "the label, reweighted": (lambda photos: p_of_label(photos, "reweight"), 1),
    "the label, resampled": (lambda photos: p_of_label(photos, "resample"), 1),
    "the label, equal counts of label × camera": (lambda photos: p_of_label(photos, equal=True), 1),
    "the label, group DRO": (lambda photos: p_of_label(photos, "group_dro"), 5),
    "control heads, p of the difference": (p_of_control, 5),
}
"""By what heads learn: their p, and how many times fewer of them are simulated."""


def main(arguments: list[str]) -> None:
    """Print a table's row per kind of head and photos."""
    times, words = int(arguments[0]) if arguments else 500, " ".join(arguments[1:])
    module.CORRECTED_PERMUTATIONS, head_module._PATH = PERMUTATIONS, (PENALTY,)
    print("| heads learn | photos | simulated | level 0.01, % | level 0.05, % |\n|---|---|---|---|---|")
    for name, (p_of, rarer) in [(name, how) for name, how in HEADS.items() if words in name]:
        for photos, burst in (("alone", 1), ("bursts", 3)):
            found = [
                p_of(draw(np.random.default_rng([0xE8C, number]), burst)) for number in range(times // rarer)
            ]
            levels = " | ".join(_rejected(found, level) for level in (0.01, 0.05))
            print(f"| {name} | {photos} | {len(found)} | {levels} |", flush=True)


def _rejected(found: list[float], level: float) -> str:
    found = [p for p in found if not isnan(p)]
    n = sum(p <= level for p in found)
    low, high = exact_interval(n, len(found))
    return f"{100 * n / len(found):.1f} [{100 * low:.1f}, {100 * high:.1f}]"
