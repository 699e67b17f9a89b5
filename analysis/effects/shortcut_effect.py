"""Do predictions depend on the camera? Shortcut effect, counterfactual photos, and whether cameras are identified.

All ask about the camera *within* each label, so that what photos show does not stand in for who took them, and all
compare with the same photos after their cameras have been permuted (`permutation.camera_permutations`; where groups
are mixed `mixed_groups.slope_test`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from camerabias.analysis.effects.camera_sums import (
    associated_of,
    camera_scores,
    class_codes,
    indicators,
    permuted_sums,
    within_label,
)
from camerabias.analysis.effects.counted_power import counted_power
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import NOTHING, Estimate, Floats, estimate, resample
from camerabias.analysis.statistics.counts import count_units
from camerabias.analysis.statistics.mixed_groups import are_mixed, following_power, slope_test
from camerabias.analysis.statistics.permutation import (
    CORRECTED_PERMUTATIONS,
    LEVEL,
    POWER,
    by_image,
    camera_permutations,
    p_value,
    with_seeds,
)

SIMULATIONS = 499
"""Of the power behind `minimum_detectable`, which is then known to within 0.035."""


@dataclass(frozen=True)
class ShortcutEffect:
    """How far predictions of the label depend on the camera.

    Attributes:
        share: Share of the photos from cameras with an associated label for which that label is predicted.
        expected: What that share would be if predictions were independent of the camera given the label.
        risk_difference: From 0 (independent of the camera) to 1 (always the associated label): the difference
            between how often a label is predicted for photos of its associated cameras and for other photos of the
            same true label and seed, combined over labels after Mantel and Haenszel. NaN where no photo is
            bias-conflicting.
        p: Share of permutations of cameras within labels that show as much. NaN as `risk_difference`.
            Where groups are mixed (`mixed_groups.are_mixed`) both are of `mixed_groups.slope_test`.
        accuracy_aligned: Accuracy on bias-aligned photos, whose label is their camera's associated one.
        accuracy_conflicting: Accuracy on bias-conflicting photos, whose camera has another associated label.
        accuracy_difference: `accuracy_aligned` minus `accuracy_conflicting` within a label and seed, combined over
            labels after Mantel and Haenszel: the two hold the labels in different shares, and labels may be
            unequally hard. NaN where no label has both.
        n_aligned: Groups of such photos.
        n_conflicting: Likewise.
    """

    share: float
    expected: float
    risk_difference: Estimate
    p: float
    accuracy_aligned: Estimate
    accuracy_conflicting: Estimate
    accuracy_difference: Estimate
    n_aligned: int
    n_conflicting: int

    @property
    def has_both(self) -> bool:
        """Whether bias-aligned and bias-conflicting photos were tested."""
        return bool(self.n_aligned and self.n_conflicting)


@dataclass(frozen=True)
class Identification:
    """Whether a model identifies the camera within a label; NaN where no label has two cameras.

    Attributes:
        accuracy: Share of photos whose camera is named, of labels that several cameras took.
        majority_baseline: What always naming the commonest camera of a photo's label comes to, on the same photos.
        excess: `accuracy` minus `majority_baseline`, from -1 to 1.
        p: Share of permutations of cameras within labels that come to as much.
    """

    accuracy: Estimate
    majority_baseline: float
    excess: Estimate
    p: float

    @property
    def normalised_accuracy(self) -> float:
        """How far accuracy is from chance (0) to perfect (1); NaN where chance is perfect already."""
        return self.excess.mean / (1 - self.majority_baseline) if self.majority_baseline < 1 else nan


@dataclass(frozen=True)
class Counterfactual:
    """What becomes of predictions when another camera takes the same object; NaN where no pair of photos tells.

    Attributes:
        across: Share of pairs of photos, by cameras with different associated labels, whose predictions differ.
        noise: The same of cameras with the same associated label: another photo flips some predictions anyway.
        excess: `across` minus `noise`.
        directed: Share of the pairs in `across` whose predictions change to the new camera's associated label, minus
            the share that changes against it: 0 if predictions are independent of the camera, 1 if they always are
            its associated label.
        p: Share of permutations of cameras within objects whose `directed` is as high.
    """

    across: Estimate
    noise: Estimate
    excess: Estimate
    directed: Estimate
    p: float


def shortcut_effect(seeds: Sequence[pd.DataFrame], associated: Mapping[str, str]) -> ShortcutEffect:
    """The shortcut effect of a model of the label.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it, of a target `label` and of cameras that training
            saw: photos of others are predicted wrong more often, which can look like an effect of a
            camera with an associated label.
        associated: Associated label by camera, of the cameras that have one in training
            (`association.associated_labels`).
    """
    rows = _with_associated(seeds, associated)
    tied = rows.dropna(subset=["associated"])
    aligned, conflicting = (tied[(tied["associated"] == tied["label"]) == side] for side in (True, False))
    n_aligned, n_conflicting = aligned["group"].nunique(), conflicting["group"].nunique()
    table = _followed(rows)
    share = float((tied["prediction"] == tied["associated"]).mean())
    risk_difference, p = Estimate(nan, nan, nan, len(seeds), min(n_aligned, n_conflicting)), nan
    if n_conflicting and table["could"].sum() > 0:
        risk_difference, p = _tested(rows, table, min(n_aligned, n_conflicting))
    return ShortcutEffect(
        share=share,
        expected=share - float(table["followed"].sum()) / len(tied) if len(tied) else nan,
        risk_difference=risk_difference,
        p=p,
        accuracy_aligned=_accuracy(aligned),
        accuracy_conflicting=_accuracy(conflicting),
        accuracy_difference=_accuracy_difference(tied, min(n_aligned, n_conflicting)),
        n_aligned=n_aligned,
        n_conflicting=n_conflicting,
    )


def minimum_detectable(seeds: Sequence[pd.DataFrame], associated: Mapping[str, str]) -> float:
    """The smallest risk difference that would have been detected on these photos, at level 0.01 with power 0.8.

    It is found by simulation on the very photos. Cameras are permuted, so that nothing depends on them; then a share
    g of the groups is made to, which is a risk difference of g; then cameras are permuted once more for the null.
    A formula from the null's spread, (z(0.99) + z(0.8)) s, would be 0 for a model that is always right, and is too
    small where few photos are bias-conflicting, whose sums are skewed. Where groups are mixed it is that of
    `mixed_groups.following_power`.

    Args:
        seeds: As for `shortcut_effect`.
        associated: Likewise.

    Returns:
        The risk difference; NaN where not even a model that always predicts the associated label would be detected.
    """
    rows = _with_associated(seeds, associated)
    if rows["associated"].isna().all():
        return nan
    if _are_mixed(rows):
        power = following_power(*_named(rows), associated_of(rows), SIMULATIONS)
    else:
        power = _power_of_permutations(rows)
    if power(1.0) < POWER:
        return nan
    low, high = 0.0, 1.0
    while high - low > 0.005:  # the power is known no better
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high


def _power_of_permutations(rows: pd.DataFrame) -> Callable[[float], float]:
    """The power at `LEVEL` by risk difference, where cameras are permuted by `camera_permutations`."""
    images, given, tested = _named(rows)
    shown = np.column_stack([given.to_numpy(), tested])
    if blocks := count_units(images, shown, class_codes(rows, images, given.columns)):
        return counted_power(blocks, SIMULATIONS)
    cameras = sorted(images["camera"].unique())
    # -1, a column of zeros, where a camera has no associated label
    name = given.columns.get_indexer(pd.Index(associated_of(rows)[cameras].array))
    padded = np.pad(given.to_numpy(), ((0, 0), (0, 1)))
    permuted = name[np.concatenate(list(camera_permutations(images, SIMULATIONS)))]  # simulations × images
    taken = np.roll(permuted, 1, axis=0)
    before, after = (padded[np.arange(len(images)), names] for names in (taken, permuted))
    after_following = tested * (permuted == taken)
    codes, groups = pd.factorize(images["group"])
    chances = np.random.default_rng(0xDE7EC7).random((SIMULATIONS, len(groups)))[:, codes]
    chances[taken < 0] = np.inf

    def power(risk_difference: float) -> float:
        follows = chances < risk_difference
        seen = np.where(follows, tested, before).sum(axis=1)
        null = np.where(follows, after_following, after).sum(axis=1)
        return float((seen > np.quantile(null, 1 - LEVEL, method="higher")).mean())

    return power


def _named(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    """Images, how many seeds predict each associated label, and how many test the image."""
    images, named = by_image(rows, indicators(rows, "prediction"))
    tested = by_image(rows, pd.DataFrame({"tested": np.ones(len(rows))}))[1]["tested"]
    return images, named, tested.to_numpy()


def identification(seeds: Sequence[pd.DataFrame]) -> Identification:
    """How well a model of the camera identifies it within a label.

    Labels that one camera took are excluded: naming it takes no trace of a camera. Chance sees the label, and is the
    commonest camera of each, since a model can name cameras by what photos show.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it, of a target `camera`; of a random view, one draw.
    """
    rows = with_seeds(seeds)
    rows = rows[rows.groupby("label")["camera"].transform("nunique") > 1].reset_index(drop=True)
    if rows.empty:
        return Identification(NOTHING, nan, NOTHING, nan)
    rows["associated"] = rows["camera"]
    commonest = rows.groupby("label")["camera"].agg(lambda cameras: cameras.mode()[0])
    commonest_right = (rows["label"].map(commonest) == rows["camera"]).astype(float)
    beyond = (rows["prediction"] == rows["camera"]).astype(float) - commonest_right
    excess = estimate(
        [frame for _, frame in beyond.set_axis(rows["group"]).groupby(rows["seed"].to_numpy())], -1
    )
    mixed = _are_mixed(rows)
    p = slope_test(camera_scores(rows), CORRECTED_PERMUTATIONS).p if mixed else _permutation_p(rows)
    majority_baseline = float(commonest_right.groupby(rows["seed"]).mean().mean())
    return Identification(_accuracy(rows), majority_baseline, excess, p)


def counterfactual(seeds: Sequence[pd.DataFrame], associated: Mapping[str, str]) -> Counterfactual:
    """Compare predictions of the same objects between the cameras that took them.

    Args:
        seeds: A frame per seed, as `Records.predictions` gives it, of a target `label`; photos with the same
            group and label show the same object.
        associated: As for `shortcut_effect`; photos of cameras without one are excluded.
    """
    rows = with_seeds(seeds)
    rows = rows.assign(associated=rows["camera"].map(dict(associated))).dropna(subset=["associated"])
    same_object = ["seed", "group", "label"]
    rows = rows[rows.groupby(same_object)["camera"].transform("nunique") > 1].reset_index(drop=True)
    pairs = _pairs(rows, same_object)
    n_across, n_noise = (pairs.loc[pairs[kind] > 0, "group"].nunique() for kind in ("across", "alike"))
    n_both = min(n_across, n_noise)

    def share(names: Sequence[str], n_groups: int, bounds: tuple[float, float]) -> Estimate:
        """One share, or one minus another: the names of a numerator and its denominator each."""
        table = pairs.set_index(["group", "seed"])[list(names)]
        return resample(table, _share_minus_share if len(names) > 2 else _ratio, n_groups, bounds)

    return Counterfactual(
        across=share(["across_differ", "across"], n_across, (0.0, 1.0)),
        noise=share(["alike_differ", "alike"], n_noise, (0.0, 1.0)),
        excess=share(["across_differ", "across", "alike_differ", "alike"], n_both, (-1.0, 1.0)),
        directed=share(["towards", "across"], n_across, (-1.0, 1.0)),
        p=_directed_p(rows, same_object) if n_across else nan,
    )


def _pairs(rows: pd.DataFrame, same_object: list[str]) -> pd.DataFrame:
    """Every two photos of an object by different cameras, with 0 or 1 for what `Counterfactual` counts."""
    pairs = rows.merge(rows, on=same_object, suffixes=("", "_2"))
    pairs = pairs[pairs["camera"] < pairs["camera_2"]]
    across = pairs["associated"] != pairs["associated_2"]
    differ = pairs["prediction"] != pairs["prediction_2"]
    as_associated = [
        (pairs[f"prediction{photo}"] == pairs[f"associated{camera}"]).astype(float)
        for photo, camera in (("", ""), ("_2", "_2"), ("", "_2"), ("_2", ""))
    ]
    # the mean of both directions: what goes over to the label of the second camera, and of the first
    towards = (as_associated[0] + as_associated[1] - as_associated[2] - as_associated[3]) / 2
    counted = {
        "across": across,
        "across_differ": across & differ,
        "alike": ~across,
        "alike_differ": ~across & differ,
    }
    found = pairs[same_object].assign(**{name: which.astype(float) for name, which in counted.items()})
    return found.assign(towards=towards.where(across, 0.0))


def _directed_p(rows: pd.DataFrame, same_object: list[str]) -> float:
    """The p of `Counterfactual.directed`, by permutations of cameras within objects.

    The sum of `towards` over an object's n photos is n / 2 times how many of them are predicted as their camera's
    associated label, up to what no permutation changes.
    """
    n_photos = rows.groupby(same_object)["image_id"].transform("size")
    scores = indicators(rows, "prediction").mul(n_photos / 2, axis=0)
    return p_value(*permuted_sums(rows, scores, CORRECTED_PERMUTATIONS))


def _accuracy(rows: pd.DataFrame) -> Estimate:
    return accuracy([frame for _, frame in rows.groupby("seed")])


def _accuracy_difference(rows: pd.DataFrame, n_groups: int) -> Estimate:
    """`ShortcutEffect.accuracy_difference`: a slope within label and seed, as in `_followed`."""
    right, aligned = rows["prediction"] == rows["label"], rows["associated"] == rows["label"]
    scores = pd.DataFrame({"right": right, "aligned": aligned}, dtype=float)
    scores -= scores.groupby([rows["label"], rows["seed"]]).transform("mean")
    sums = pd.DataFrame({"gained": scores["right"] * scores["aligned"], "could": scores["aligned"] ** 2})
    if not sums["could"].sum() > 0:
        return NOTHING
    return resample(
        sums.set_index(pd.MultiIndex.from_frame(rows[["group", "seed"]])), _ratio, n_groups, (-1.0, 1.0)
    )


def _tested(rows: pd.DataFrame, table: pd.DataFrame, n_groups: int) -> tuple[Estimate, float]:
    """The risk difference and its p, by the test that the groups ask for."""
    if _are_mixed(rows):
        test = slope_test(camera_scores(rows), CORRECTED_PERMUTATIONS)
        return test.estimate(rows["seed"].nunique(), n_groups), test.p
    return resample(table, _ratio, n_groups, (-1.0, 1.0)), _permutation_p(rows)


def _permutation_p(rows: pd.DataFrame) -> float:
    return p_value(*permuted_sums(rows, within_label(rows, "prediction"), CORRECTED_PERMUTATIONS))


def _are_mixed(rows: pd.DataFrame) -> bool:
    return are_mixed(by_image(rows, rows[["seed"]])[0], associated_of(rows))


def _followed(rows: pd.DataFrame) -> pd.DataFrame:
    """The sums whose ratio the risk difference is: how far predictions depended on cameras, and could have.

    The Mantel–Haenszel risk difference over strata of label, seed and associated label is the slope of a regression,
    within label and seed, of "is given" on "is associated"; so it is a ratio of two sums over photos.
    """
    given, tied = (within_label(rows, column) for column in ("prediction", "associated"))
    sums = {"followed": (given * tied).sum(axis=1), "could": (tied**2).sum(axis=1)}
    return pd.DataFrame(sums).set_index(pd.MultiIndex.from_frame(rows[["group", "seed"]]))


def _with_associated(seeds: Sequence[pd.DataFrame], associated: Mapping[str, str]) -> pd.DataFrame:
    rows = with_seeds(seeds)
    return rows.assign(associated=rows["camera"].map(dict(associated)))


def _ratio(sums: Floats) -> Floats:
    found: Floats = sums[..., 0] / sums[..., 1]
    return found


def _share_minus_share(sums: Floats) -> Floats:
    return _ratio(sums) - _ratio(sums[..., 2:])
