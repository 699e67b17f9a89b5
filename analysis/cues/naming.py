"""Which cues cameras differ in, from how much they differ in each pixel statistic.

Networks that were fitted to datasets of drawn cameras whose cues are known (simulation-based inference) give every
cue a probability of its own, since real cameras may differ in all of them. They see cameras as a set (Zaheer et al.,
"Deep Sets", 2017): each camera's signed effects pass the same layers, then the mean and the maximum over cameras do.
The package ships the weights, and no torch is needed.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from camerabias.analysis.cues.effects import camera_effects
from camerabias.analysis.statistics.bootstrap import Floats
from camerabias.analysis.statistics.permutation import Codes

MODEL_FILE = "naming.npz"

NAMED_FROM = 0.5
"""Probability from which a cue is named."""

NOT_FAR = 2 / 3
"""Share of the largest probability from which cues are inseparable of it."""

MOST = 30.0
"""Standard deviations above which cameras do not differ more: tables of JPEG hardly vary at all within a camera."""

MOST_UNITS = 100.0
"""Photos (n₁n₀ / (n₁ + n₀)) above which effects count as no better known: the networks have seen no more."""

BEND = 4.0
"""Standard errors at which their number is bent to half, so that none counts for more than twice as many."""

NEIGHBOURS = 5
"""Datasets of drawn cameras whose distance says how strange one is."""


@dataclass(frozen=True)
class CueNaming:
    """Which cues cameras differ in.

    Attributes:
        probabilities: By cue, the most probable first.
        any: Probability that cameras differ in a cue at all.
        strangeness: How far the effects lie from those of drawn cameras, in units of the distance that 1 of 100
            datasets of drawn cameras exceeds.
    """

    probabilities: Mapping[str, float]
    any: float
    strangeness: float

    @property
    def named(self) -> tuple[str, ...]:
        """Cues that are named, the most probable first; none where cameras differ unlike any that were drawn."""
        if self.is_strange:
            return ()
        return tuple(cue for cue, probability in self.probabilities.items() if probability >= NAMED_FROM)

    @property
    def inseparable(self) -> tuple[str, ...]:
        """Cues of which cameras differ in one or more, nobody knows in which; none where one is named.

        Their probabilities are not far from the largest.
        """
        if self.named or self.is_strange or self.any < NAMED_FROM:
            return ()
        largest = max(self.probabilities.values())
        return tuple(cue for cue, one in self.probabilities.items() if one >= NOT_FAR * largest)

    @property
    def is_strange(self) -> bool:
        """Whether the cameras differ unlike any that were drawn, so that probabilities mean nothing."""
        return self.strangeness > 1


@dataclass(frozen=True)
class NamingModel:
    """What was fitted: k networks, and how their mean is calibrated.

    Attributes:
        statistics: Names of the m statistics, in order.
        cues: Names of the cues, in order; one that was added since is not named.
        camera_weights, camera_biases: Of the layer that sees a camera, (k, 3 m + 1, h) and (k, h).
        inner_weights, inner_biases: Of the next, (k, h, g) and (k, g).
        set_weights, set_biases: Of the one that sees mean and maximum over cameras, (k, 2 g, f) and (k, f).
        out_weights, out_biases: Of the last, (k, f, cues + 1) and (k, cues + 1): every cue, and any at all.
        slopes, intercepts: Of the calibration of the mean's logits, (cues + 1,) each.
        known: Profiles of datasets of drawn cameras, (n, m).
        farthest: Distance that 1 of 100 of them exceeds.
    """

    statistics: tuple[str, ...]
    cues: tuple[str, ...]
    camera_weights: Floats
    camera_biases: Floats
    inner_weights: Floats
    inner_biases: Floats
    set_weights: Floats
    set_biases: Floats
    out_weights: Floats
    out_biases: Floats
    slopes: Floats
    intercepts: Floats
    known: Floats
    farthest: float

    def logits(self, cameras: Floats) -> Floats:
        """Log odds before calibration, (cues + 1,), of described cameras, (cameras, 3 m + 1)."""
        seen = np.maximum(cameras @ self.camera_weights + self.camera_biases[:, None], 0)
        inner = np.maximum(seen @ self.inner_weights + self.inner_biases[:, None], 0)
        pooled = np.concatenate([inner.mean(axis=1), inner.max(axis=1)], axis=1)[:, None]
        joint = np.maximum(pooled @ self.set_weights + self.set_biases[:, None], 0)
        found = expit((joint @ self.out_weights)[:, 0] + self.out_biases)
        return np.asarray(logit(np.clip(found.mean(axis=0), 1e-6, 1 - 1e-6)))

    def probabilities(self, cameras: Floats) -> Floats:
        """Calibrated probabilities, (cues + 1,), of described cameras."""
        return np.asarray(expit(self.slopes * self.logits(cameras) + self.intercepts))

    def strangeness(self, cameras: Floats) -> float:
        """How far described cameras lie from drawn ones, in units of `farthest`."""
        return float(neighbour_distances(profile(cameras)[None], self.known)[0] / self.farthest)


def describe_cameras(values: Floats, label: Codes, camera: Codes) -> Floats:
    """What cues are named by.

    Args:
        values: (photos, m statistics); NaN where a photo does not tell.
        label: Of the photos, (photos,), from 0.
        camera: Likewise.

    Returns:
        (cameras that can be compared, 3 m + 1): signed logarithms of effects, without what comes from sampling;
        effects in standard errors, bent; whether each was measured; the logarithm of the photos that it rests on.
    """
    found = camera_effects(values, label, camera)
    compared = found.units.max(axis=1) > 0
    effects, units = found.effect[compared], np.minimum(found.units[compared], MOST_UNITS)
    measured = (units > 0) & ~np.isnan(effects)
    effects = np.clip(np.where(measured, effects, 0), -MOST, MOST)
    errors = effects * np.sqrt(units)
    kept = np.maximum(1 - 1 / np.maximum(errors**2, 1), 0)
    sizes = np.sign(effects) * np.log1p(np.abs(effects) * kept)
    n = np.log(units.max(axis=1, keepdims=True))
    return np.concatenate([sizes, errors / (1 + np.abs(errors) / BEND), measured, n], axis=1)


def profile(cameras: Floats) -> Floats:
    """The size of every statistic's effect over described cameras, (m,): their root mean square."""
    return np.asarray(np.sqrt(np.square(cameras[:, : cameras.shape[1] // 3]).mean(axis=0)))


def neighbour_distances(points: Floats, known: Floats, own: bool = False) -> Floats:
    """Mean distance of points, (n, d), to the nearest known ones, (m, d); `own` where the points are among these."""
    squares = (points**2).sum(axis=1)[:, None] + (known**2).sum(axis=1)[None] - 2 * points @ known.T
    nearest = np.sort(np.sqrt(np.maximum(squares, 0)), axis=1)
    return np.asarray(nearest[:, int(own) : NEIGHBOURS + int(own)].mean(axis=1))


def name_cues(numbers: pd.DataFrame, labels: pd.Series[str], cameras: pd.Series[str]) -> CueNaming | None:
    """Name the cues in which cameras differ within labels.

    Args:
        numbers: A row per photo, a column per pixel statistic; NaN where a photo does not tell.
        labels: Of the photos.
        cameras: Of the photos.

    Returns:
        What is named; None where no label has two cameras.
    """
    model = load_model()
    codes = [pd.factorize(names, sort=True)[0] for names in (labels, cameras)]
    described = describe_cameras(numbers[[*model.statistics]].to_numpy(float), codes[0], codes[1])
    if not len(described):
        return None
    *of_cues, of_any = model.probabilities(described).tolist()
    found = dict(sorted(zip(model.cues, of_cues, strict=True), key=lambda one: -one[1]))
    return CueNaming(found, of_any, model.strangeness(described))


@cache
def load_model() -> NamingModel:
    """The model that the package ships."""
    content = resources.files("camerabias.analysis.cues").joinpath(MODEL_FILE).read_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        statistics, cues = (tuple(arrays[name].tolist()) for name in ("statistics", "cues"))
        floats = {one.name: arrays[one.name].astype(float) for one in fields(NamingModel)[2:]}
    return NamingModel(statistics, cues, **floats | {"farthest": float(floats["farthest"])})
