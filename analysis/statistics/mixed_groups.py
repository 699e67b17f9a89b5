"""A permutation test for groups that hold photos of several labels and cameras: sessions, patients, rolls of film.

Permuted within themselves, or as wholes among groups like them, they can leave little to permute. So here cameras of
single photos are permuted within labels, and a sum of scores is divided by its error over groups. Photos of
different groups are not exchangeable, since those of a group go wrong together; but a permutation test keeps its
level nevertheless, the better the more groups, if its statistic is studentised so (Janssen 1997; DiCiccio & Romano
2017). Where photos are exchangeable it is exact.

Few groups are too few for that: of five sessions up to 3 % were rejected at level 0.01. Below `FEW_GROUPS` signs of
the groups' sums are flipped instead, in every way there is: exact if sums are as likely to lie as far below what is
expected as above it. `benchmarks/mixed_groups.py` measures the levels of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.statistics.bootstrap import CONFIDENCE, MIN_GROUPS, Estimate, Floats, ends_if_alike
from camerabias.analysis.statistics.permutation import (
    LEVEL,
    Codes,
    exchangeable,
    p_value,
    permutations,
)

ALIKE_WITHIN_GROUPS = 0.1
"""How far predictions of a group's photos are assumed to be correlated, where a test is chosen. The higher, the more
often cameras are permuted within groups, which takes out what a group's photos have in common."""

GAIN = 1.1
"""By how much the test of this file must promise more than `camera_permutations`, which is exact."""

FEW_GROUPS = 12
"""Groups below which signs are flipped. From 12 on permuted photos keep their level, and find more."""

ENDS_KNOWN = 5e-4
"""How well the ends of an interval are searched for: 4,999 permutations know them less well."""


@dataclass(frozen=True)
class CameraScores:
    """What each of n images adds to the two sums of a slope, by whichever camera took it.

    Attributes:
        images: As `by_image` gives them.
        followed: n × cameras, in the order of their sorted names: to the sum above.
        could: Likewise: to the sum below.
    """

    images: pd.DataFrame
    followed: Floats
    could: Floats


def are_mixed(images: pd.DataFrame, associated: pd.Series[str]) -> bool:
    """Whether groups are so mixed that `slope_test` promises more power than `camera_permutations`.

    Labels, cameras and groups decide, never predictions: the effect of a camera divided by its standard error, if
    predictions of a group's photos are correlated by `ALIKE_WITHIN_GROUPS`. Groups with one label and camera each are
    never mixed.

    Args:
        images: As `by_image` gives them.
        associated: Associated label by camera; NaN of those that have none.
    """
    groups = images.groupby("group")[["label", "camera"]]
    if images["group"].is_unique or (groups.nunique() == 1).all(axis=None):
        return False
    tied = pd.get_dummies(images["camera"].map(associated), dtype=float)
    by_photo, by_group = (
        _signal(units, images["group"], tied) for units in (_photos(images), exchangeable(images))
    )
    return by_photo > GAIN * by_group


@dataclass(frozen=True)
class SlopeTest:
    """A slope's test and interval, the latter by inversion: the slopes that are not rejected.

    Models are taken as they are: unlike `bootstrap.resample`, the interval does not resample seeds.

    Attributes:
        seen: The two sums by group, 2 × groups.
        permuted: Moments of as many after permutations, or with signs flipped, permutations × 5.
    """

    seen: Floats
    permuted: Floats

    @property
    def p(self) -> float:
        """One-sided, of a positive slope."""
        return self._p(0.0, 1)

    def estimate(self, n_seeds: int, n_groups: int) -> Estimate:
        """The slope with its interval; the numbers are those of an `Estimate`."""
        followed, could = self.seen
        slope, low, high = float(followed.sum() / could.sum()), nan, nan
        if n_groups >= MIN_GROUPS:
            alike = np.allclose(followed, slope * could)
            low, high = (
                ends_if_alike(slope, n_groups, (-1.0, 1.0))
                if alike
                else (self._end(slope, 1), self._end(slope, -1))
            )
        return Estimate(slope, low, high, n_seeds, n_groups)

    def _p(self, slope: float, side: int) -> float:
        """Of a slope that is higher (side 1) or lower (-1) than the given one."""
        seen = float(side * _studentise(_moments(self.seen), slope))
        return p_value(seen, side * _studentise(self.permuted, slope))

    def _end(self, slope: float, side: int) -> float:
        """The lowest (side 1) or highest (-1) slope not rejected; 0 is asked first, so that the end agrees with p."""

        def rejected(other: float) -> bool:
            return self._p(other, side) <= (1 - CONFIDENCE) / 2

        outside, inside = -float(side), slope
        if side * slope > 0:
            outside, inside = (0.0, slope) if rejected(0.0) else (outside, 0.0)
        if not rejected(outside):
            return outside
        while abs(inside - outside) > ENDS_KNOWN:
            middle = (outside + inside) / 2
            outside, inside = (middle, inside) if rejected(middle) else (outside, middle)
        return inside


def slope_test(scores: CameraScores, n: int) -> SlopeTest:
    """A slope β is tested by the sum of `followed` - β `could`.

    Args:
        scores: What photos add to it.
        n: How many permutations, where groups are not few.
    """
    few = scores.images["group"].nunique() < FEW_GROUPS
    return flip_groups(scores) if few else permute_photos(scores, n)


def flip_groups(scores: CameraScores) -> SlopeTest:
    """Flip signs of the groups' sums in every way; there must be few groups."""
    seen = _seen(scores)
    above, below = seen @ _every_sign(seen.shape[1])[1:].T
    squares = np.broadcast_to(_moments(seen)[2:], (len(above), 3))  # which no sign changes
    return SlopeTest(seen, np.column_stack([above, below, squares]))


def permute_photos(scores: CameraScores, n: int) -> SlopeTest:
    """Permute cameras of single photos within labels, n times."""
    both, seen = np.stack([scores.followed, scores.could]), _seen(scores)
    permuted = [
        _moments(_by_group(both, scores.images, codes)) for codes in permutations(_photos(scores.images), n)
    ]
    return SlopeTest(seen, np.concatenate(permuted))


def following_power(
    images: pd.DataFrame, named: pd.DataFrame, tested: Floats, associated: pd.Series[str], n: int
) -> Callable[[float], float]:
    """The power of `slope_test` at `LEVEL` if in a share of the groups predictions are the associated labels.

    Other predictions stay with their photos, but what a group's differ by from the mean of their label gets a random
    sign, which takes from them whatever depends on the camera. The null is one permutation of each simulation.

    Args:
        images: n images, as `by_image` gives them.
        named: n × associated labels: how many seeds predict each.
        tested: n: how many seeds test the image.
        associated: As for `are_mixed`.
        n: How many simulations.

    Returns:
        Power by share of the groups.
    """
    sums = _GroupSums(_photos(images)["block"].to_numpy(), pd.factorize(images["group"])[0], tested)
    predicted = named.to_numpy() / tested[:, None]
    kept = sums.centred(predicted)
    by_camera = np.array(
        [named.columns == associated[name] for name in sorted(images["camera"].unique())], float
    )
    taken = by_camera[_cameras(images)]
    tied, following, with_label = sums.centred(taken), taken - (predicted - kept), taken.any(axis=1)
    expected = taken - tied  # of a label and seeds, which no permutation changes
    permuted = np.concatenate([codes.astype(np.int16) for codes in permutations(_photos(images), n)])
    generator, shape = np.random.default_rng(0xDE7EC7), (n, int(sums.groups.max()) + 1)
    chances, signs = generator.random(shape), generator.choice([-1.0, 1.0], shape)

    def simulate(share: float, simulation: int) -> tuple[Floats, Floats]:
        follows = with_label & (chances[simulation] < share)[sums.groups]
        others = signs[simulation][sums.groups][:, None] * kept
        given = sums.centred(np.where(follows[:, None], following, others))
        null = by_camera[permuted[simulation]] - expected
        return sums.by_group(given, tied), sums.by_group(given, null)

    def power(share: float) -> float:
        seen, null = np.moveaxis(np.array([simulate(share, simulation) for simulation in range(n)]), 1, 0)
        return float(_are_significant(seen, null).mean())

    return power


def _are_significant(seen: Floats, null: Floats) -> npt.NDArray[np.bool_]:
    """Which of n simulations `slope_test` would reject at `LEVEL`.

    Args:
        seen: Sums by group, n × groups.
        null: The same after one permutation of each.
    """
    if seen.shape[1] < FEW_GROUPS:
        flipped = seen @ _every_sign(seen.shape[1]).T
        as_much = flipped >= flipped[:, :1] - 1e-9
        return np.asarray(as_much.mean(axis=1) <= LEVEL)
    found, expected = (_studentise(_moments(np.stack([sums, sums])), 0.0) for sums in (seen, null))
    return found > np.quantile(expected, 1 - LEVEL, method="higher")


@dataclass(frozen=True)
class _GroupSums:
    """Sums of n images: their strata and groups as numbers, and how much each counts."""

    strata: Codes
    groups: Codes
    tested: Floats

    def centred(self, values: Floats) -> Floats:
        """N × k less the means of their strata."""
        counts = np.bincount(self.strata, self.tested)
        sums = [np.bincount(self.strata, self.tested * column) / counts for column in values.T]
        return values - np.stack(sums, axis=1)[self.strata]

    def by_group(self, given: Floats, tied: Floats) -> Floats:
        """Sums of given × tied, both n × k."""
        sums = np.bincount(self.groups, self.tested * (given * tied).sum(axis=1))
        return sums.astype(np.float64)


def _photos(images: pd.DataFrame) -> pd.DataFrame:
    """Units as `permutations` takes them: every photo one, among those of its label that the same seeds tested."""
    block = images.groupby(["label", "seeds"]).ngroup()
    return pd.DataFrame({"unit": images["image_id"], "block": block, "camera": images["camera"]})


def _signal(units: pd.DataFrame, groups: pd.Series[str], tied: pd.DataFrame) -> float:
    """An effect of the camera divided by the standard error of the sum that tests it, up to a factor."""
    once = ~units.duplicated(["unit", "block"])
    expected = tied[once].groupby(units["block"][once]).mean()
    beyond = tied - expected.loc[units["block"]].to_numpy()
    kept = float((beyond**2).to_numpy().sum())
    by_group = float((beyond.groupby(groups).sum() ** 2).to_numpy().sum())
    variance = (1 - ALIKE_WITHIN_GROUPS) * kept + ALIKE_WITHIN_GROUPS * by_group
    return kept / sqrt(variance) if variance else 0.0


def _seen(scores: CameraScores) -> Floats:
    """The two sums by group of cameras as they are, 2 × groups."""
    both = np.stack([scores.followed, scores.could])
    return _by_group(both, scores.images, _cameras(scores.images)[None])[:, 0]


def _every_sign(groups: int) -> Floats:
    """All ways to give groups signs, ways × groups, first that of none changed."""
    return np.asarray(1.0 - 2.0 * (np.arange(2**groups)[:, None] >> np.arange(groups) & 1), np.float64)


def _cameras(images: pd.DataFrame) -> Codes:
    return pd.factorize(images["camera"], sort=True)[0]


def _by_group(scores: Floats, images: pd.DataFrame, codes: Codes) -> Floats:
    """Scores, k × images × cameras, of the cameras in `codes`, permutations × images: k × permutations × groups."""
    groups = pd.factorize(images["group"])[0]
    order = np.argsort(groups, kind="stable")
    taken = order * scores.shape[2] + codes[:, order]
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return np.add.reduceat(scores.reshape(len(scores), -1)[:, taken], starts, axis=-1)


def _moments(sums: Floats) -> Floats:
    """Of two sums by group, 2 × ... × groups: all that `_studentise` needs, ... × 5."""
    above, below = sums
    terms = [above, below, above**2, above * below, below**2]
    return np.stack([term.sum(axis=-1) for term in terms], axis=-1)


def _studentise(moments: Floats, slope: float) -> Floats:
    """The sum of `above` - slope × `below` over groups, divided by its error; 0 where nothing varies."""
    above, below, above2, product, below2 = np.moveaxis(moments, -1, 0)
    error = np.sqrt(np.maximum(above2 - 2 * slope * product + slope**2 * below2, 0))
    varies = error > 1e-9
    found: Floats = np.where(varies, above - slope * below, 0) / np.where(varies, error, 1)
    return found
