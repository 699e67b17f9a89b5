import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from camerabias.analysis.statistics.accuracy import (
    accuracy,
    chance,
    contrast,
    excess_given,
    mean_over_pairs,
    paired_difference,
    share_given,
)
from camerabias.analysis.statistics.bootstrap import Estimate, combine, estimate, resample
from camerabias.analysis.statistics.learning import learning_order, learning_threshold, steps_to_threshold


def rows(correct, *, per_group=1, truths=("a", "b")):
    """A seed's predictions: image i belongs to group i // per_group, and is right where `correct[i]`."""
    n = len(correct)
    truth = [truths[i % len(truths)] for i in range(n)]
    wrong = {"a": "b", "b": "a"}
    return pd.DataFrame(
        {
            "image_id": [f"{i:03d}" for i in range(n)],
            "draw": 0,
            "group": [f"g{i // per_group}" for i in range(n)],
            "camera": [f"c{i % 2}" for i in range(n)],
            "truth": truth,
            "prediction": [t if right else wrong[t] for t, right in zip(truth, correct, strict=True)],
        }
    )


def first(n, k):
    """k right, then n - k wrong."""
    return [i < k for i in range(n)]


def test_mean_is_over_seeds_not_over_predictions():
    found = accuracy([rows(first(10, 10)), rows(first(30, 0))])
    assert found.mean == 0.5  # 10 of 40 predictions are right
    assert (found.n_seeds, found.n_groups) == (2, 30)


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_all_wrong_has_the_exact_interval_of_groups(right):
    found = accuracy([rows([right] * 60, per_group=3)] * 4)
    exact = binomtest(20 if right else 0, 20).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    assert found.n_groups == 20


def test_groups_that_all_score_one_half_still_leave_doubt():
    found = accuracy([rows([True, False] * 20, per_group=2)] * 2)
    assert found.mean == 0.5
    reach = binomtest(0, 20).proportion_ci(0.95, "exact").high / 2
    assert (found.low, found.high) == pytest.approx((0.5 - reach, 0.5 + reach))


def test_no_interval_below_ten_groups():
    nine, ten = (accuracy([rows(first(n, n - 1))]) for n in (9, 10))
    assert nine.mean == pytest.approx(8 / 9)
    assert np.isnan([nine.low, nine.high]).all()
    assert nine.against(0.1) == "cannot tell"
    assert ten.low < 0.9 <= ten.high


def test_no_seed_is_no_number():
    found = accuracy([])
    assert np.isnan([found.mean, found.low, found.high]).all()
    assert (found.n_seeds, found.n_groups) == (0, 0)


def test_interval_agrees_with_the_binomial_where_groups_are_single_photos():
    found = accuracy([rows(first(200, 140))])
    error = 1.96 * np.sqrt(0.7 * 0.3 / 200)
    assert (found.low, found.high) == pytest.approx((0.7 - error, 0.7 + error), abs=0.01)


def test_photos_of_a_group_do_not_count_as_evidence_of_their_own():
    alone = accuracy([rows(first(40, 30))])
    copied = accuracy([rows([c for c in first(40, 30) for _ in range(5)], per_group=5)])
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high))


def test_seeds_are_resampled_from_three_up():
    def width(n_seeds):  # every group alike within a seed, so only seeds vary
        seeds = [rows(first(100, 90 if seed % 2 else 50)) for seed in range(n_seeds)]
        found = accuracy(seeds)
        return found.high - found.low

    assert width(2) < 0.2 < width(4)


def test_the_same_rows_give_the_same_interval():
    assert accuracy([rows(first(50, 40))]) == accuracy([rows(first(50, 40))])


def test_seeds_may_test_different_groups():
    other = rows(first(40, 20)).assign(group=[f"h{i}" for i in range(40)])
    found = accuracy([rows(first(40, 30)), other])
    assert found.mean == pytest.approx(0.625)
    assert found.n_groups == 80
    assert found.low < 0.625 < found.high


@pytest.mark.parametrize("truth", [pytest.param(0.7, marks=pytest.mark.slow), 0.9])
def test_bootstrap_covers_about_as_often_as_it_says(truth):
    generator = np.random.default_rng(0)
    names = np.repeat([f"g{i}" for i in range(30)], 4)

    def covers():
        hard = generator.beta(4 * truth, 4 * (1 - truth), 30)  # photos of a bottle are alike
        seeds = [
            pd.Series((generator.random((30, 4)) < hard[:, None]).ravel().astype(float), index=names)
            for _ in range(4)
        ]
        found = estimate(seeds)
        return found.low <= truth <= found.high

    assert 0.90 <= np.mean([covers() for _ in range(250)]) <= 0.99


@pytest.mark.parametrize(
    ("n_seeds", "n_groups", "spread"), [pytest.param(5, 60, 0.05, marks=pytest.mark.slow), (3, 60, 0.1)]
)
def test_bootstrap_covers_seeds_that_vary_too(n_seeds, n_groups, spread):
    """The truth is the accuracy of any seed on any bottle."""
    generator = np.random.default_rng(1)
    names = np.repeat([f"g{i}" for i in range(n_groups)], 3)

    def covers():
        hard = generator.beta(6, 2, n_groups)
        seeds = []
        for effect in generator.normal(0, spread, n_seeds):
            right = generator.random((n_groups, 3)) < np.clip(hard + effect, 0, 1)[:, None]
            seeds.append(pd.Series(right.ravel().astype(float), index=names))
        found = estimate(seeds)
        return found.low <= 0.75 <= found.high

    assert 0.9 <= np.mean([covers() for _ in range(200)]) <= 0.995


@pytest.mark.parametrize("n", [10, 25, 60])
@pytest.mark.parametrize("lowest", [0.0, -1.0])
def test_where_all_groups_agree_the_interval_is_clopper_and_pearson_s(n, lowest):
    """From 1 down to how many of n groups may still differ, and how far: to 0, or to -1 for a difference."""
    found = estimate([pd.Series(1.0, index=[f"g{i}" for i in range(n)])] * 3, lowest)
    exact = binomtest(n, n).proportion_ci(0.95, "exact").low
    assert (found.low, found.high) == pytest.approx((1 - (1 - exact) * (1 - lowest), 1))


def test_resampled_ratio_agrees_with_the_delta_method():
    """A ratio of two sums over groups, as a signature's gap is one."""
    generator = np.random.default_rng(0)
    below = generator.integers(1, 5, 300)
    above = generator.binomial(below, 0.3)
    index = pd.MultiIndex.from_product([range(300), [0]], names=["group", "seed"])
    table = pd.DataFrame({"above": above, "below": below}, index=index)
    found = resample(table, lambda sums: sums[..., 0] / sums[..., 1], 300, (0.0, 1.0))
    ratio = above.sum() / below.sum()
    error = 1.96 * np.sqrt(((above - ratio * below) ** 2).sum()) / below.sum()
    assert found.mean == pytest.approx(ratio)
    assert (found.low, found.high) == pytest.approx((ratio - error, ratio + error), abs=0.005)
    assert np.isnan(resample(table, lambda sums: sums[..., 0] / sums[..., 1], 9, (0.0, 1.0)).low)


def test_against_a_value():
    found = accuracy([rows(first(200, 140))])
    assert [found.against(v) for v in (0.5, 0.7, 0.9)] == ["higher", "cannot tell", "lower"]


def test_paired_difference_pairs_seeds_and_images():
    first_cell = {0: rows(first(40, 30)), 1: rows(first(40, 20)), 2: rows(first(40, 0))}
    second_cell = {0: rows(first(40, 20)), 1: rows(first(40, 20)), 9: rows(first(40, 40))}
    found = paired_difference(first_cell, second_cell)
    assert found.mean == pytest.approx((0.25 + 0) / 2)
    assert found.n_seeds == 2
    assert 0 < found.low < 0.125 < found.high


def test_difference_of_equal_predictions_is_not_certain():
    cell = {0: rows(first(40, 30))}
    found = paired_difference(cell, cell)
    reach = binomtest(0, 40).proportion_ci(0.95, "exact").high
    assert (found.mean, found.low, found.high) == pytest.approx((0, -reach, reach))


def test_share_given_counts_predictions_not_truths():
    frame = rows([True, False] * 20)  # c0: truth a, given a; c1: truth b, given a
    assert share_given([frame], {"c0": "a", "c1": "a"}).mean == 1
    assert share_given([frame], {"c1": "b"}).mean == 0


def test_chance_is_the_majority_at_hand():
    assert chance([rows([True] * 12, truths=("a", "a", "b"))]) == pytest.approx(2 / 3)
    assert np.isnan(chance([]))


def test_threshold_is_half_of_the_way():
    assert learning_threshold(0.5) == 0.75
    assert learning_threshold(0.2) == pytest.approx(0.6)


def test_steps_to_threshold_skips_unvalidated_steps():
    history = pd.DataFrame({"step": [1, 2, 3, 4, 5], "validation_accuracy": [0.5, np.nan, 0.8, np.nan, 0.7]})
    assert steps_to_threshold(history, 0.75) == 3
    assert steps_to_threshold(history, 0.8) == 3
    assert steps_to_threshold(history, 0.81) is None


def test_learning_order_counts_pairs_and_the_never_learned():
    camera = {("m", 0): 10, ("m", 1): 20, ("m", 2): 30, ("m", 3): None, ("m", 4): None, ("other", 0): 1}
    label = {("m", 0): 40, ("m", 1): 20, ("m", 2): None, ("m", 3): 50, ("m", 4): None}
    order = learning_order(camera, label)
    assert len(order.pairs) == 5
    assert (order.camera_first, order.label_first) == (2, 1)
    exact = binomtest(2, 3).proportion_ci(0.95, "exact")
    assert (order.low, order.high) == pytest.approx((exact.low, exact.high))
    assert order.first == "cannot tell"


@pytest.mark.parametrize(("camera", "label", "expected"), [(10, 20, "camera"), (20, 10, "label")])
def test_twelve_of_twelve_pairs_decide(camera, label, expected):
    keys = [("m", seed) for seed in range(12)]
    assert learning_order(dict.fromkeys(keys, camera), dict.fromkeys(keys, label)).first == expected


def test_two_opposite_constant_predictors_have_an_interval_with_width():
    right = pd.Series(np.tile([1.0, 0.0], 20), index=[f"g{i}" for i in range(40)])
    found = estimate([right, 1 - right])
    assert found.mean == 0.5
    # the exact bound on groups that may differ: 1 - 0.025^(1/40) = 0.088 of them, by a half at most
    assert (found.low, found.high) == pytest.approx((0.456, 0.544), abs=0.001)


def test_naming_one_class_for_every_photo_exceeds_nothing():
    groups = [f"g{i}" for i in range(40)]
    frame = pd.DataFrame({"group": groups, "camera": ["A", "B", "B", "B"] * 10, "prediction": "b"})
    expected = {"A": "a", "B": "b"}
    assert share_given([frame] * 3, expected).mean == 0.75
    assert excess_given([frame] * 3, expected).mean == pytest.approx(0)
    cheat = frame.assign(prediction=frame["camera"].map(expected))
    # by luck a photo of A (a quarter) would be given a, of B (three quarters) b: 1 - (1/4)^2 - (3/4)^2
    assert excess_given([cheat] * 3, expected).mean == pytest.approx(0.375)


def test_paired_difference_is_a_contrast_on_the_same_images():
    cells = (
        {seed: rows(first(40, 30 - seed)) for seed in range(3)},
        {seed: rows(first(40, 20)) for seed in range(3)},
    )
    assert paired_difference(*cells) == contrast([(1.0, cells[0]), (-1.0, cells[1])])
    alone = {seed: frame.iloc[:20] for seed, frame in cells[1].items()}
    assert paired_difference(cells[0], alone).mean == 0  # the first 20 images are right in both


def test_contrast_of_different_photos_agrees_with_two_proportions():
    other = rows(first(300, 150)).assign(group=[f"h{i}" for i in range(300)])
    found = contrast([(1.0, {0: rows(first(200, 140))}), (-1.0, {0: other})])
    error = 1.96 * np.sqrt(0.7 * 0.3 / 200 + 0.5 * 0.5 / 300)
    assert found.mean == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.2 - error, 0.2 + error), abs=0.012)


def test_what_groups_share_cancels_in_a_contrast_of_their_photos():
    """Two photos per bottle, one of a camera seen and one of a camera unseen, that are right or wrong together."""
    frame = rows([c for c in first(60, 40) for _ in range(2)], per_group=2)
    sides = [frame[frame["camera"] == camera] for camera in ("c0", "c1")]
    found = contrast([(1.0, {0: sides[0]}), (-1.0, {0: sides[1]})])
    reach = binomtest(0, 60).proportion_ci(0.95, "exact").high
    assert (found.mean, found.low, found.high) == pytest.approx((0, -reach, reach))


def test_contrast_of_groups_of_models_is_the_mean_difference():
    models = [{0: rows(first(50, k))} for k in (40, 30, 20, 20)]
    found = contrast([(0.5, models[0]), (0.5, models[1]), (-0.5, models[2]), (-0.5, models[3])])
    assert found.mean == pytest.approx(0.7 - 0.4)
    assert 0 < found.low < 0.3 < found.high


def test_contrast_without_a_common_seed_is_no_number():
    found = contrast([(1.0, {0: rows(first(20, 9))}), (-1.0, {1: rows(first(20, 9))})])
    assert found.n_seeds == 0
    assert np.isnan(found.mean)


def test_combined_intervals_are_newcombe_s():
    """Newcombe (1998), example (a), method 10: 56 of 70 minus 48 of 80, 0.0524 to 0.3339."""

    def wilson(k, n):
        ends = binomtest(k, n).proportion_ci(0.95, "wilson")
        return Estimate(k / n, ends.low, ends.high, 1, n)

    found = combine([(1.0, wilson(56, 70)), (-1.0, wilson(48, 80))])
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert (found.mean, found.n_groups) == (pytest.approx(0.2), 70)


def correlated(generator, n, share):
    """Correlations of n signals, of which a share of the variance is common."""
    common, own = generator.normal(size=400), generator.normal(size=(n, 400))
    matrix = np.corrcoef(np.sqrt(share) * common + np.sqrt(1 - share) * own)
    names = [f"g{i // 2}" for i in range(n)]
    return pd.DataFrame(matrix, names, names)


def test_mean_over_pairs_takes_images_of_different_groups():
    matrix = correlated(np.random.default_rng(0), 12, 0.3)
    values, names = matrix.to_numpy(), matrix.index
    pairs = [values[i, j] for i in range(12) for j in range(12) if names[i] != names[j]]
    found = mean_over_pairs([matrix])
    assert found.mean == pytest.approx(np.mean(pairs))
    assert np.isnan(found.low)  # six groups


@pytest.mark.slow
def test_mean_over_pairs_covers_about_as_often_as_it_says():
    generator = np.random.default_rng(0)

    def covers():
        strengths = generator.normal(1, 0.5, 20)  # how much of a common pattern each image has
        matrix = pd.DataFrame(np.outer(strengths, strengths), range(20), range(20))
        found = mean_over_pairs([matrix])
        return found.low <= 1 <= found.high  # the mean of a product of two independent strengths

    assert 0.88 <= np.mean([covers() for _ in range(200)]) <= 0.99


def test_difference_is_no_surer_than_its_smaller_side():
    def rows(n, share):
        frame = pd.DataFrame({"group": [f"g{share}-{i}" for i in range(n)], "truth": "a"})
        return {0: frame.assign(prediction=np.where(np.arange(n) < share * n, "a", "b"))}

    few = contrast([(1.0, rows(3, 1.0)), (-1.0, rows(100, 0.85))])
    assert (few.n_groups, few.mean) == (3, pytest.approx(0.15))
    assert np.isnan(few.low)
    assert contrast([(1.0, rows(12, 1.0)), (-1.0, rows(100, 0.85))]).n_groups == 12


def test_seeds_in_one_frame_are_the_same_as_a_frame_per_seed():
    generator = np.random.default_rng(3)
    cells = [
        {seed: rows(generator.random(60) < share, per_group=3) for seed in (3, 5, 8)} for share in (0.8, 0.6)
    ]
    stacked = [pd.concat([frame.assign(seed=seed) for seed, frame in cell.items()]) for cell in cells]
    tied = {"c0": "a", "c1": "b"}
    assert accuracy(stacked[0]) == accuracy(cells[0]) == accuracy([*cells[0].values()])
    assert chance(stacked[0]) == chance([*cells[0].values()])
    assert paired_difference(*stacked) == paired_difference(*cells)
    assert share_given(stacked[0], tied) == share_given([*cells[0].values()], tied)
    assert excess_given(stacked[0], tied) == excess_given([*cells[0].values()], tied)
    beyond = []
    for frame in cells[0].values():
        expected = frame["camera"].map(tied)
        shares = expected.value_counts(normalize=True)
        beyond.append((frame["prediction"] == expected).mean() - frame["prediction"].map(shares).mean())
    assert excess_given(stacked[0], tied).mean == pytest.approx(np.mean(beyond), abs=1e-12)


def test_of_cells_with_some_seeds_in_common_those_alone_count():
    cells = [
        {seed: rows(first(60, n), per_group=3) for seed, n in found.items()}
        for found in ({0: 60, 1: 30}, {1: 40})
    ]
    found = contrast([(1.0, cells[0]), (-1.0, cells[1])])
    assert found.mean == pytest.approx(30 / 60 - 40 / 60)
    assert found.n_seeds == 1
