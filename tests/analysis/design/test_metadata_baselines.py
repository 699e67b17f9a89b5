import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from camerabias.analysis.design import metadata_baselines as metadata_baselines_module
from camerabias.analysis.design.metadata_baselines import metadata_baselines
from camerabias.analysis.statistics import association
from camerabias.analysis.statistics.accuracy import accuracy


def facts(n=200, seed=0, **columns):
    """n photos, a group each, of which nothing tells anything."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "group": [f"g{i}" for i in range(n)],
            "fold": np.arange(n) % 10,
            "label": generator.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]),
            "camera": generator.choice(["x", "y"], n),
            "width": 100,
            "height": 100,
            "format": "JPEG",
            "tables": generator.choice(["t1", "t2", "t3"], n),
            "exif": None,
        }
    )
    return frame.assign(**columns)


def baselines(frame):
    return {(guess.target, guess.feature): guess for guess in metadata_baselines(frame)}


def majority(frame, target, feature):
    """Scikit-learn's majority, a classifier per value and fold."""
    right = 0
    for fold, tested in frame.groupby("fold"):
        others = frame[frame["fold"] != fold]
        for value, photos in tested.groupby(feature):
            same = others[others[feature] == value]
            known = same if len(same) else others
            model = DummyClassifier(strategy="most_frequent").fit(known[[feature]], known[target])
            right += (model.predict(photos[[feature]]) == photos[target]).sum()
    return right / len(frame)


@pytest.mark.parametrize("seed", [0, 1])
def test_accuracy_is_that_of_a_majority_per_value_and_fold(seed):
    frame = facts(497, seed)  # no ties, in which scikit-learn takes the first
    found = baselines(frame)["label", "tables"]
    assert found.accuracy.mean == pytest.approx(majority(frame, "label", "tables"))
    assert found.majority_baseline == frame["label"].value_counts(normalize=True).iloc[0]


def test_a_value_that_other_folds_lack_guesses_the_commonest():
    frame = facts(tables=[f"t{i}" for i in range(200)], label=["a"] * 120 + ["b"] * 80)
    assert baselines(frame)["label", "tables"].accuracy.mean == 0.6


def test_what_gives_the_camera_away_is_found():
    frame = facts()
    found = baselines(frame.assign(tables=np.where(frame["camera"] == "x", "t1", "t2")))
    assert found["camera", "tables"].accuracy.mean == 1
    assert found["camera", "tables"].works
    assert found["camera", "all headers"].works
    assert not found["label", "tables"].works
    assert ("camera", "camera") not in found


def test_numbers_of_pages_give_the_camera_away_where_they_are_known():
    frame = facts()
    found = baselines(frame.assign(pages=np.where(frame["camera"] == "x", 3, None)))
    assert found["camera", "pages"].works
    assert ("camera", "pages") not in baselines(frame)


def test_nothing_is_found_where_nothing_is_and_one_value_is_no_test(monkeypatch):
    monkeypatch.setattr(association, "PERMUTATIONS", 99)
    known = accuracy([])
    monkeypatch.setattr(metadata_baselines_module, "accuracy", lambda rows: known)  # only p is looked at
    p = []
    for seed in range(20):
        found = baselines(facts(seed=seed))
        p.append(found["label", "tables"].p)
        assert np.isnan(found["label", "format"].p)
        assert found["label", "format"].values == 1
    assert np.mean(np.array(p) <= 0.05) <= 0.2


def test_photos_of_a_group_do_not_pass_for_many():
    """Twelve leaves, one camera each, that a table happens to go with: as sure as of twelve photos."""
    few = facts(12, 3, label=["a", "b"] * 6, tables=["t1", "t2"] * 5 + ["t2", "t1"])
    many = pd.concat([few] * 20)
    assert baselines(many)["label", "tables"].p == pytest.approx(
        baselines(few)["label", "tables"].p, abs=0.05
    )


def test_rare_sizes_are_told_apart_by_steps():
    frame = facts(width=np.arange(200) + 100, height=np.arange(200) + 100)
    assert baselines(frame)["label", "size"].values == 4  # 100 to 299 px: about 91, 128, 181, 256
    assert baselines(facts(width=[100, 101] * 100))["label", "size"].values == 2
