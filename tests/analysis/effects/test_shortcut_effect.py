import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, permutation_test
from sklearn.dummy import DummyClassifier

from camerabias.analysis.effects import shortcut_effect as module
from camerabias.analysis.effects.shortcut_effect import (
    counterfactual,
    identification,
    minimum_detectable,
    shortcut_effect,
)
from camerabias.analysis.statistics.permutation import CORRECTED_PERMUTATIONS

OTHER = {"a": "b", "b": "a"}
ASSOCIATED = {"A": "a", "B": "b"}
FOUR = {"A": "a", "B": "b", "C": "a", "D": "b"}


@pytest.fixture
def few_permutations(monkeypatch):
    """For simulations: a smallest p of 0.005 is enough."""
    monkeypatch.setattr(module, "CORRECTED_PERMUTATIONS", 199)
    monkeypatch.setattr(module, "SIMULATIONS", 99)


def photos(generator, n, tie=0.5):
    """n photos of each of two labels, a group each; a share `tie` by the camera that is associated with the label."""
    label = np.repeat(["a", "b"], n)
    agrees = generator.random(2 * n) < tie
    camera = np.where(agrees, np.char.upper(label), np.char.upper(label[::-1]))
    names = [f"i{i}" for i in range(2 * n)]
    return pd.DataFrame({"image_id": names, "group": names, "label": label, "camera": camera, "truth": label})


def bottles(n):
    """n bottles of each label, each once by every camera of FOUR."""
    frame = photos(np.random.default_rng(0), n)
    taken = [frame.assign(camera=camera, image_id=frame["image_id"] + camera) for camera in FOUR]
    return pd.concat(taken, ignore_index=True)


def predicted(generator, frame, accuracy, follow=0.0, associated=ASSOCIATED):
    """The label with a probability, but for a share of the groups the camera's associated one."""
    right = generator.random(len(frame)) < accuracy
    groups = frame["group"].unique()
    followers = groups[generator.random(len(groups)) < follow]
    named = np.where(right, frame["label"], frame["label"].map(OTHER))
    given = np.where(frame["group"].isin(followers), frame["camera"].map(associated), named)
    return frame.assign(prediction=given)


def mantel_haenszel(frames, associated):
    """Greenland and Robins' risk difference, stratum by stratum."""
    above = below = 0.0
    for frame in frames:
        for _, of_label in frame.groupby("label"):
            for name in sorted(set(associated.values())):
                tied = of_label["camera"].map(associated) == name
                given = of_label["prediction"] == name
                n1, n0 = tied.sum(), (~tied).sum()
                above += (given[tied].sum() * n0 - given[~tied].sum() * n1) / len(tied)
                below += n1 * n0 / len(tied)
    return above / below


@pytest.mark.parametrize("associated", [ASSOCIATED, {"A": "a"}])
def test_risk_difference_is_mantel_and_haenszel_s_over_labels_and_seeds(associated):
    generator = np.random.default_rng(0)
    frames = [predicted(generator, photos(generator, 40, 0.8), 0.7, 0.3) for _ in range(2)]
    assert shortcut_effect(frames, associated).risk_difference.mean == pytest.approx(
        mantel_haenszel(frames, associated)
    )


def test_interval_of_the_risk_difference_agrees_with_two_proportions():
    """With two cameras and one label it is a difference of two proportions, with Wald's error."""
    generator = np.random.default_rng(1)
    frame = predicted(generator, photos(generator, 200, 0.6), 0.7, 0.2).query("label == 'a'")
    given = (frame["prediction"] == "a").groupby(frame["camera"]).agg(["mean", "size"])
    error = 1.96 * np.sqrt((given["mean"] * (1 - given["mean"]) / given["size"]).sum())
    risk_difference = shortcut_effect([frame], ASSOCIATED).risk_difference
    assert risk_difference.mean == pytest.approx(given["mean"]["A"] - given["mean"]["B"])
    assert (risk_difference.low, risk_difference.high) == pytest.approx(
        (risk_difference.mean - error, risk_difference.mean + error), abs=0.015
    )


def test_accuracies_of_both_kinds_are_compared_within_a_label():
    """One label is harder, and more of it conflicts: accuracies differ by far, and within a label hardly."""
    generator = np.random.default_rng(2)
    frames = []
    for _ in range(2):
        frame = pd.concat(
            [photos(generator, 150, 0.9).query("label == 'a'"), photos(generator, 150, 0.3).tail(150)]
        )
        right = generator.random(300) < frame["label"].map({"a": 0.95, "b": 0.6})
        frames.append(frame.assign(prediction=frame["label"].where(right, frame["label"].map(OTHER))))
    found = shortcut_effect(frames, ASSOCIATED)
    assert found.accuracy_aligned.mean - found.accuracy_conflicting.mean > 0.12
    above = below = 0.0
    for frame in frames:
        right, aligned = (
            frame["prediction"] == frame["label"],
            frame["camera"].map(ASSOCIATED) == frame["label"],
        )
        for label in "ab":
            one, two = (right[(frame["label"] == label) & side] for side in (aligned, ~aligned))
            weight = len(one) * len(two) / (len(one) + len(two))
            above, below = above + weight * (one.mean() - two.mean()), below + weight
    assert found.accuracy_difference.mean == pytest.approx(above / below)
    assert found.accuracy_difference.low < 0 < found.accuracy_difference.high
    only = [
        frame.query("label == 'a' and camera == 'A' or label == 'b' and camera == 'A'") for frame in frames
    ]
    assert np.isnan(shortcut_effect(only, ASSOCIATED).accuracy_difference.mean), "no label has both"


def test_p_agrees_with_scipy_where_photos_stand_alone():
    generator = np.random.default_rng(3)
    frame = predicted(generator, photos(generator, 40, 0.7), 0.7, 0.1).query("label == 'a'")
    given = [(frame["prediction"] == "a")[frame["camera"] == camera].to_numpy(float) for camera in "AB"]
    expected = permutation_test(
        given, lambda x, y: x.mean() - y.mean(), alternative="greater", n_resamples=4999,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert shortcut_effect([frame], ASSOCIATED).p == pytest.approx(expected.pvalue, abs=0.03)


def test_p_of_pairs_is_the_exact_sign_test():
    """Each bottle once by A and once by B: exchanging the two flips the sign of a bottle whose predictions differ."""
    generator = np.random.default_rng(4)
    frame = bottles(30).query("camera in ['A', 'B']")
    frame = predicted(generator, frame, 0.8, 0.3)
    follows = (frame["prediction"] == frame["camera"].map(ASSOCIATED)).groupby(frame["group"]).sum()
    with_camera, against = (follows == 2).sum(), (follows == 0).sum()
    expected = binomtest(with_camera, with_camera + against, alternative="greater").pvalue
    assert shortcut_effect([frame], ASSOCIATED).p == pytest.approx(expected, abs=0.01)
    assert counterfactual([frame], ASSOCIATED).p == pytest.approx(expected, abs=0.01)


def test_a_full_cheat_is_certain_and_an_honest_model_is_not_one():
    generator = np.random.default_rng(0)
    frame = photos(generator, 60, 0.9)
    cheat = shortcut_effect([predicted(generator, frame, 1, 1)] * 3, ASSOCIATED)
    assert (cheat.share, cheat.risk_difference.mean) == (1, pytest.approx(1))
    assert cheat.p == 1 / (CORRECTED_PERMUTATIONS + 1)
    assert cheat.risk_difference.low > 0.4  # not one of n_conflicting groups does otherwise
    assert (cheat.accuracy_aligned.mean, cheat.accuracy_conflicting.mean) == (1, 0)
    honest = shortcut_effect([predicted(generator, frame, 1)] * 3, ASSOCIATED)
    assert honest.risk_difference.mean == pytest.approx(0)
    assert honest.p == 1
    assert honest.share == pytest.approx(honest.expected)  # high, since test photos are correlated too
    assert honest.n_aligned + honest.n_conflicting == 120


def test_naming_one_label_for_every_photo_follows_nothing():
    frame = photos(np.random.default_rng(0), 50, 0.8).assign(prediction="a")
    found = shortcut_effect([frame], ASSOCIATED)
    assert (found.risk_difference.mean, found.p) == (pytest.approx(0), 1)


def test_where_no_photo_disagrees_nothing_can_be_said():
    frame = photos(np.random.default_rng(0), 30, 1.0)
    found = shortcut_effect([frame.assign(prediction=frame["label"])], ASSOCIATED)
    assert np.isnan([found.risk_difference.mean, found.p, found.accuracy_conflicting.mean]).all()
    assert (found.share, found.expected, found.n_conflicting) == (1, 1, 0)


def test_no_camera_that_implies_a_label_is_no_number():
    frame = photos(np.random.default_rng(0), 30)
    found = shortcut_effect([frame.assign(prediction=frame["label"])], {})
    assert np.isnan([found.share, found.expected, found.risk_difference.mean, found.p]).all()


def rejections(make, n, level=0.1):
    return np.mean(
        [shortcut_effect(make(np.random.default_rng(seed)), ASSOCIATED).p <= level for seed in range(n)]
    )


@pytest.mark.usefixtures("few_permutations")
def test_bursts_of_one_camera_are_no_evidence_of_their_own():
    """Ten photos of a thing by one camera, all named alike: 24 observations, which would pass for 240."""

    def make(generator):
        frame = predicted(generator, photos(generator, 12), 0.6)
        return [pd.concat([frame.assign(image_id=frame["image_id"] + f"-{i}") for i in range(10)])]

    assert rejections(make, 20) <= 0.25  # more is seen in 1 % of 20 at 0.1


@pytest.mark.usefixtures("few_permutations")
def test_folds_whose_models_and_cameras_differ_are_no_evidence():
    """Each seed tests its own photos; models that favour `a` happen to test those by A."""

    def make(generator):
        folds = []
        for seed, (tie, favour) in enumerate([(0.9, 0.95), (0.1, 0.1)]):
            frame = photos(generator, 20)
            frame["camera"] = np.where(generator.random(40) < tie, "A", "B")
            given = np.where(generator.random(40) < favour, "a", "b")
            names = frame["image_id"] + f"-{seed}"
            folds.append(frame.assign(prediction=given, image_id=names, group=names))
        return folds

    assert rejections(make, 20) <= 0.25


def test_more_seeds_of_the_same_images_are_no_more_evidence():
    generator = np.random.default_rng(3)
    frame = predicted(generator, photos(generator, 40), 0.7, 0.2)
    assert shortcut_effect([frame] * 4, ASSOCIATED).p == shortcut_effect([frame], ASSOCIATED).p


@pytest.mark.usefixtures("few_permutations")
@pytest.mark.parametrize(("accuracy", "n"), [pytest.param(0.8, 60, marks=pytest.mark.slow), (1.0, 30)])
def test_the_detectable_gap_is_detected_four_times_in_five(accuracy, n):
    generator = np.random.default_rng(0)
    risk_difference = np.median(
        [
            minimum_detectable([predicted(generator, photos(generator, n), accuracy)], ASSOCIATED)
            for _ in range(3)
        ]
    )
    ps = [
        shortcut_effect([predicted(generator, photos(generator, n), accuracy, risk_difference)], ASSOCIATED).p
        for _ in range(40)
    ]
    assert 0.6 <= np.mean(np.array(ps) <= 0.01) <= 0.97  # 98 % of 25 at 0.8


def test_nothing_is_detectable_where_even_a_full_cheat_would_not_be():
    frame = bottles(1).assign(prediction="a")
    assert np.isnan(minimum_detectable([frame], FOUR))


def test_recognition_s_chance_is_the_best_guess_that_sees_the_label():
    generator = np.random.default_rng(0)
    frame = photos(generator, 50, 0.8).assign(truth=lambda f: f["camera"])
    alone = frame.head(20).assign(label="z", camera="C", truth="C", prediction="C")  # of one camera: left out
    alone[["image_id", "group"]] += " alone"
    guess = DummyClassifier(strategy="most_frequent")
    labels = [of_label for _, of_label in frame.groupby("label")]
    right = [guess.fit(f[["label"]], f["camera"]).score(f[["label"]], f["camera"]) * len(f) for f in labels]
    named = frame.assign(prediction=np.where(generator.random(100) < 0.9, frame["camera"], "C"))
    found = identification([pd.concat([named, alone])])
    assert found.majority_baseline == pytest.approx(sum(right) / 100)
    assert found.accuracy.mean == (named["prediction"] == named["camera"]).mean()
    assert found.excess.mean == pytest.approx(found.accuracy.mean - found.majority_baseline)
    assert found.normalised_accuracy == pytest.approx(
        (found.accuracy.mean - found.majority_baseline) / (1 - found.majority_baseline)
    )
    assert found.p == 1 / (CORRECTED_PERMUTATIONS + 1)


def test_naming_each_label_s_commonest_camera_recognises_nothing():
    frame = photos(np.random.default_rng(0), 50, 0.8).assign(truth=lambda f: f["camera"])
    found = identification([frame.assign(prediction=frame["label"].str.upper())] * 3)
    assert found.accuracy.mean == pytest.approx(found.majority_baseline)
    assert (found.excess.mean, found.normalised_accuracy, found.p) == (pytest.approx(0), pytest.approx(0), 1)
    assert found.excess.against(0) == "cannot tell"


def test_labels_of_one_camera_each_tell_nothing_of_recognition():
    frame = photos(np.random.default_rng(0), 30, 1.0).assign(truth=lambda f: f["camera"])
    found = identification([frame.assign(prediction=frame["camera"])])
    assert np.isnan(
        [found.accuracy.mean, found.majority_baseline, found.excess.mean, found.p, found.normalised_accuracy]
    ).all()


def by_pairs(frames, associated):
    """Shares and directed share by loops over pairs."""
    found = {"across": [], "noise": [], "directed": []}
    for frame in frames:
        for _, group in frame.groupby("group"):
            shots = list(zip(group["camera"], group["prediction"], strict=True))
            for old, before in shots:
                for new, after in shots:
                    if old == new or old not in associated or new not in associated:
                        continue
                    kind = "noise" if associated[old] == associated[new] else "across"
                    found[kind].append(before != after)
                    if kind == "across":
                        goes_over = after == associated[new] and before != associated[new]
                        goes_against = before == associated[new] and after != associated[new]
                        found["directed"].append(goes_over - goes_against)
    return {name: np.mean(values) for name, values in found.items()}


def test_flips_are_counted_by_pairs():
    generator = np.random.default_rng(0)
    frame = pd.concat(
        [bottles(20), bottles(20).query("camera == 'A'").assign(image_id=lambda f: f["image_id"] + "2")]
    )
    frame = pd.concat(
        [frame, frame.query("camera == 'B'").assign(camera="E", image_id=lambda f: f["image_id"] + "E")]
    )
    frames = [predicted(generator, frame.sample(frac=0.8, random_state=s), 0.7, 0.3, FOUR) for s in range(2)]
    frames = [f.assign(prediction=f["prediction"].fillna("c")) for f in frames]  # of E, which implies nothing
    expected, found = by_pairs(frames, FOUR), counterfactual(frames, FOUR)
    # a seed counts as much as another here too, if they test as many pairs
    for name, value in expected.items():
        assert getattr(found, name).mean == pytest.approx(value, abs=0.005)
    assert found.excess.mean == pytest.approx(found.across.mean - found.noise.mean)


def test_a_cheat_flips_with_the_camera_and_an_unsure_model_flips_anyway():
    generator = np.random.default_rng(0)
    cheat = counterfactual([predicted(generator, bottles(20), 1, 1, FOUR)], FOUR)
    assert (cheat.across.mean, cheat.noise.mean, cheat.excess.mean, cheat.directed.mean) == (1, 0, 1, 1)
    assert cheat.p == 1 / (CORRECTED_PERMUTATIONS + 1)
    assert cheat.directed.n_groups == 40
    unsure = counterfactual([predicted(generator, bottles(40), 0.7) for _ in range(3)], FOUR)
    assert unsure.noise.mean == pytest.approx(2 * 0.7 * 0.3, abs=0.05)
    assert unsure.excess.against(0) == unsure.directed.against(0) == "cannot tell"
    assert unsure.p > 0.01


def test_flips_without_a_pair_are_no_number():
    frame = photos(np.random.default_rng(0), 20)
    found = counterfactual([frame.assign(prediction="a")], ASSOCIATED)
    assert np.isnan(
        [found.across.mean, found.noise.mean, found.excess.mean, found.directed.mean, found.p]
    ).all()
    pairs = counterfactual([bottles(10).query("camera in ['A', 'B']").assign(prediction="a")], FOUR)
    assert (pairs.across.mean, pairs.directed.mean) == (0, 0)
    assert np.isnan([pairs.noise.mean, pairs.excess.mean]).all()


def covered(truth, estimates):
    return np.mean([found.low <= truth <= found.high for found in estimates])


@pytest.mark.usefixtures("few_permutations")
@pytest.mark.slow
def test_interval_of_the_risk_difference_covers_about_as_often_as_it_says():
    """One photo in five disagrees, in bursts; what is given follows the camera in a quarter of the groups."""

    def estimate(seed):
        generator = np.random.default_rng(seed)
        frame = photos(generator, 40, 0.8)
        frame = pd.concat([frame.assign(image_id=frame["image_id"] + f"-{i}") for i in range(3)])
        return shortcut_effect([predicted(generator, frame, 0.9, 0.25)], ASSOCIATED).risk_difference

    assert covered(0.25, [estimate(seed) for seed in range(30)]) >= 0.86
