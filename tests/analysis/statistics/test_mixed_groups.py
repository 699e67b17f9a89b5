from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.effects import shortcut_effect as module
from camerabias.analysis.effects.shortcut_effect import identification, minimum_detectable, shortcut_effect
from camerabias.analysis.statistics.mixed_groups import are_mixed

ASSOCIATED = {"A": "a", "B": "b"}
CAMERA = {"a": "A", "b": "B"}
OTHER = {"a": "b", "b": "a", "A": "B", "B": "A"}


@pytest.fixture
def few_permutations(monkeypatch):
    """For simulations: a smallest p of 0.005 is enough."""
    monkeypatch.setattr(module, "CORRECTED_PERMUTATIONS", 199)
    monkeypatch.setattr(module, "SIMULATIONS", 99)


@pytest.fixture
def photos_permuted(monkeypatch):
    """Also of few groups, whose signs would be flipped."""
    monkeypatch.setattr("camerabias.analysis.statistics.mixed_groups.FEW_GROUPS", 0)


def sessions(generator, n=40, aligned=0.85, photos=(3, 15)):
    """Sessions of several labels, in each of which a label has one camera: nothing to permute within them."""
    sizes = generator.integers(*photos, n)
    group = np.repeat(np.arange(n), sizes)
    label = np.where(generator.random(len(group)) < np.repeat(generator.beta(2, 2, n), sizes), "a", "b")
    own = generator.random((n, 2)) < aligned
    agrees = own[group, (label == "b").astype(int)]
    cameras = pd.Series(label).map(CAMERA)
    camera = np.where(agrees, cameras, cameras.map(OTHER))
    names = [f"i{i}" for i in range(len(group))]
    return pd.DataFrame(
        {
            "image_id": names,
            "group": [f"s{g}" for g in group],
            "label": label,
            "camera": camera,
            "truth": label,
        }
    )


def predicted(generator, frame, accuracy=0.85, follow=0.0, alike=1.0):
    """The label with a probability that varies by session, as does which one is favoured; a share follows cameras."""
    names, group = np.unique(frame["group"], return_inverse=True)
    hard, favour = generator.normal(0, alike, (2, len(names)))
    towards = np.where(frame["label"] == "a", 1, -1)
    logit = towards * (np.log(accuracy / (1 - accuracy)) + hard[group]) + favour[group]
    given = np.where(generator.random(len(frame)) < 1 / (1 + np.exp(-logit)), "a", "b")
    follows = generator.random(len(frame)) < follow
    return frame.assign(prediction=np.where(follows, frame["camera"].map(ASSOCIATED), given))


def mixed(frame):
    images = frame.assign(seeds=0)
    return are_mixed(images, pd.Series(ASSOCIATED | {"C": np.nan}))


def brute_force_of_signs(frame, slope=0.0, side=1):
    """Share of all signs of the groups under which the sum of their scores is as high, by loops over photos."""

    def centred(values):
        return values - values.groupby(frame["label"]).transform("mean")

    scores = 0
    for name in "ab":
        taken = centred((frame["camera"].map(ASSOCIATED) == name).astype(float))
        given = centred((frame["prediction"] == name).astype(float))
        scores = scores + side * (given - slope * taken) * taken
    by_group = [scores[rows].sum() for rows in frame.groupby("group").groups.values()]
    sums = [np.dot(signs, by_group) for signs in product([1, -1], repeat=len(by_group))]
    return np.mean(np.array(sums) >= sums[0] - 1e-9)


def brute_force(frame, slope=0.0, side=1):
    """Share of all exchanges of cameras within labels whose studentised sum is as high, by loops over photos."""

    def centred(values):
        return values - values.groupby(frame["label"]).transform("mean")

    def statistic(camera):
        tied = {name: centred((camera.map(ASSOCIATED) == name).astype(float)) for name in "ab"}
        total, square = 0.0, 0.0
        for _, rows in frame.groupby("group"):
            score = sum((left[name][i] * tied[name][i]) for i in rows.index for name in "ab")
            total, square = total + score, square + score**2
        return side * total / np.sqrt(square) if square > 1e-18 else 0.0

    taken = {name: centred((frame["camera"].map(ASSOCIATED) == name).astype(float)) for name in "ab"}
    left = {name: centred((frame["prediction"] == name).astype(float)) - slope * taken[name] for name in "ab"}
    rows_of = [frame.index[frame["label"] == name] for name in "ab"]
    found = []
    for first in set(permutations(frame["camera"][rows_of[0]])):
        for second in set(permutations(frame["camera"][rows_of[1]])):
            camera = pd.Series([*first, *second], index=[*rows_of[0], *rows_of[1]])[frame.index]
            found.append(statistic(camera))
    return np.mean(np.array(found) >= statistic(frame["camera"]) - 1e-9)


TINY = pd.DataFrame(
    {
        "image_id": list("ijklmnopqr"),
        "group": list("ttttuuvvvv"),
        "label": list("aabbabaabb"),
        "camera": list("ABBBBAABBA"),
        "truth": list("aabbabaabb"),
        "prediction": list("bababaaaba"),
    }
)


@pytest.mark.usefixtures("photos_permuted")
def test_p_is_that_of_all_permutations():
    assert mixed(TINY)
    cheat = TINY.assign(prediction=list("abbbbaaaba"))
    for frame in (TINY, cheat):
        assert shortcut_effect([frame], ASSOCIATED).p == pytest.approx(brute_force(frame), abs=0.02)


@pytest.mark.usefixtures("photos_permuted")
def test_the_interval_holds_the_slopes_that_brute_force_does_not_reject(monkeypatch):
    monkeypatch.setattr("camerabias.analysis.statistics.mixed_groups.MIN_GROUPS", 1)
    monkeypatch.setattr("camerabias.analysis.statistics.mixed_groups.CONFIDENCE", 0.5)
    found = shortcut_effect([TINY], ASSOCIATED).risk_difference
    assert found.low < found.mean < found.high
    for end, side in ((found.low, 1), (found.high, -1)):
        inside, outside = (brute_force(TINY, end + step * side, side) for step in (0.02, -0.02))
        assert outside - 0.015 <= 0.25 <= inside + 0.015


@pytest.mark.parametrize("seed", range(3))
def test_of_few_groups_p_is_exactly_that_of_all_signs_and_the_interval_agrees(seed, monkeypatch):
    monkeypatch.setattr("camerabias.analysis.statistics.mixed_groups.MIN_GROUPS", 1)
    generator = np.random.default_rng(seed)
    frame = predicted(generator, sessions(generator, 11), follow=seed / 4)
    assert mixed(frame)
    found = shortcut_effect([frame], ASSOCIATED)
    assert found.p == pytest.approx(brute_force_of_signs(frame))
    low, high = found.risk_difference.low, found.risk_difference.high
    assert low < found.risk_difference.mean < high
    assert (found.p <= 0.025) == (low > 0)
    for end, side in ((low, 1), (high, -1)):
        if abs(end) < 1:
            assert brute_force_of_signs(frame, end + 0.002 * side, side) > 0.025
            assert brute_force_of_signs(frame, end - 0.002 * side, side) <= 0.025


def test_six_groups_cannot_reject_at_the_level_of_a_verdict():
    frame = sessions(np.random.default_rng(0), 6)
    assert mixed(frame)
    cheat = shortcut_effect([frame.assign(prediction=frame["camera"].map(ASSOCIATED))], ASSOCIATED)
    assert cheat.p == 1 / 2**6
    assert np.isnan(minimum_detectable([frame.assign(prediction=frame["label"])], ASSOCIATED))


def test_groups_of_one_kind_are_not_mixed():
    """Photos alone, bursts, and objects that all cameras took, one of them without a photo by one camera."""
    generator = np.random.default_rng(0)
    labels = generator.choice(list("ab"), 60)
    single = pd.DataFrame({"label": labels, "camera": generator.choice(list("ABC"), 60)})
    single = single.assign(image_id=range(60), group=range(60))
    bursts = single.loc[single.index.repeat(generator.integers(1, 9, 60))].assign(
        image_id=lambda f: range(len(f))
    )
    crossed = pd.concat([single.assign(camera=camera) for camera in "ABC"]).assign(image_id=range(180))
    assert not any(map(mixed, (single, bursts, crossed, crossed.tail(-1))))


def test_large_groups_in_which_cameras_vary_are_exchanged_within():
    """Twelve sessions of sixty photos: what a session's photos have in common would cost more than half the power."""
    generator = np.random.default_rng(0)
    frame = sessions(generator, 12, photos=(55, 65))
    frame["camera"] = np.where(generator.random(len(frame)) < 0.6, frame["label"].map(CAMERA), "A")
    assert not mixed(frame)
    assert mixed(sessions(generator))


@pytest.mark.parametrize("seed", range(3))
def test_an_effect_in_mixed_sessions_is_found_and_its_interval_says_so(seed):
    generator = np.random.default_rng(seed)
    frame = sessions(generator, 60)
    assert mixed(frame)
    found = shortcut_effect([predicted(generator, frame, 0.9, 0.35)], ASSOCIATED)
    assert found.p <= 0.01
    assert 0 < found.risk_difference.low < found.risk_difference.mean < found.risk_difference.high


@pytest.mark.usefixtures("few_permutations")
def test_interval_and_p_never_contradict_each_other():
    for seed in range(8):
        generator = np.random.default_rng(seed)
        frame = predicted(generator, sessions(generator, 60), follow=seed % 4 / 15)
        found = shortcut_effect([frame], ASSOCIATED)
        assert (found.p <= 0.025) == (found.risk_difference.low > 0)


def test_a_model_that_is_always_right_has_no_effect_and_an_interval():
    frame = sessions(np.random.default_rng(0), 60)
    found = shortcut_effect([frame.assign(prediction=frame["label"])] * 2, ASSOCIATED)
    assert (found.risk_difference.mean, found.p) == (pytest.approx(0), 1)
    assert found.risk_difference.low < 0 < found.risk_difference.high


def test_a_full_cheat_is_certain():
    frame = sessions(np.random.default_rng(0), 60)
    found = shortcut_effect([frame.assign(prediction=frame["camera"].map(ASSOCIATED))], ASSOCIATED)
    assert (found.risk_difference.mean, found.risk_difference.high) == (pytest.approx(1), 1)
    assert found.p == 1 / (module.CORRECTED_PERMUTATIONS + 1)


def test_cameras_without_an_associated_label_count_for_the_mean_of_their_label_alone():
    generator = np.random.default_rng(0)
    frame = predicted(generator, sessions(generator, 60), 0.9, 0.35)
    others = predicted(generator, sessions(generator, 10), 0.9)
    others = others.assign(camera="C", image_id="c" + others["image_id"], group="c" + others["group"])
    found = shortcut_effect([pd.concat([frame, others])], ASSOCIATED)
    assert found.p <= 0.01
    assert found.risk_difference.low > 0


def test_more_seeds_of_the_same_images_are_no_more_evidence():
    generator = np.random.default_rng(3)
    frame = predicted(generator, sessions(generator), follow=0.1)
    one, four = (shortcut_effect([frame] * n, ASSOCIATED) for n in (1, 4))
    assert four.p == one.p
    assert four.risk_difference.low == pytest.approx(one.risk_difference.low)


def rejected(make, times, level=0.1):
    return np.mean(
        [shortcut_effect([make(np.random.default_rng(seed))], ASSOCIATED).p <= level for seed in range(times)]
    )


@pytest.mark.usefixtures("few_permutations")
@pytest.mark.parametrize("times", [15, pytest.param(300, marks=pytest.mark.slow)])
def test_sessions_whose_predictions_are_alike_are_no_evidence(times):
    """300 know the level to within 0.035, 15 see gross errors; of single photos it would be 0.3."""
    share = rejected(lambda g: predicted(g, sessions(g), alike=1.5), times)
    assert share <= 0.1 + 3 * np.sqrt(0.09 / times)


@pytest.mark.usefixtures("few_permutations")
@pytest.mark.parametrize(
    ("accuracy", "n", "times"),
    [
        (0.9, 40, 10),
        (0.9, 11, 10),
        *(pytest.param(a, n, 60, marks=pytest.mark.slow) for a, n in ((0.9, 40), (1.0, 40), (0.9, 11))),
    ],
)
def test_the_detectable_effect_is_detected_four_times_in_five(accuracy, n, times):
    """The slow ones: tighter bounds, and a model that is always right, whose scores are all 0."""

    def model(generator, follow=0.0):
        frame = sessions(generator, n)
        names = frame["group"].unique()
        follows = frame["group"].isin(names[generator.random(len(names)) < follow])
        given = (
            predicted(generator, frame, accuracy, alike=0.5)["prediction"] if accuracy < 1 else frame["label"]
        )
        return frame.assign(prediction=given.where(~follows, frame["camera"].map(ASSOCIATED)))

    detectable = np.median(
        [minimum_detectable([model(np.random.default_rng(seed))], ASSOCIATED) for seed in range(3)]
    )
    share = rejected(lambda g: model(g, detectable), times, 0.01)
    assert abs(share - 0.8) <= 3 * np.sqrt(0.16 / times)


def test_cameras_are_identified_in_mixed_sessions():
    generator = np.random.default_rng(0)
    frame = sessions(generator, 60).assign(truth=lambda f: f["camera"])
    camera = frame["camera"]
    named = camera.where(generator.random(len(frame)) < 0.95, camera.map(OTHER))
    assert identification([frame.assign(prediction=named)]).p <= 0.01
