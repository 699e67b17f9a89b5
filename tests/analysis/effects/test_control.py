"""The control's comparison, against the risk difference computed the long way."""

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.effects.control import control_effect
from camerabias.analysis.effects.shortcut_effect import shortcut_effect

ASSOCIATED = {"x": "cat", "y": "dog"}
CLASSES = np.array(["bird", "cat", "dog"])


def make_rows(follow, seed=0, n=300):
    """Photos of two cameras, a share of which is predicted as the camera's associated label."""
    generator = np.random.default_rng(seed)
    cameras = generator.choice(["x", "y"], n)
    labels = np.where(
        generator.random(n) < 0.7, pd.Series(cameras).map(ASSOCIATED), generator.choice(CLASSES, n)
    )
    follows = generator.random(n) < follow
    prediction = np.where(follows, pd.Series(cameras).map(ASSOCIATED), labels)
    ids = [f"{seed}-{k}" for k in range(n)]
    return pd.DataFrame(
        {
            "image_id": ids,
            "label": labels,
            "camera": cameras,
            "group": ids,
            "draw": 0,
            "prediction": prediction,
        }
    ).assign(truth=labels)


def make_control(rows, follow, shams, seed=9):
    """Arrays as the probe leaves them, its images in another order."""
    order = np.random.default_rng(seed).permutation(len(rows))

    def codes(share, number):
        again = make_rows(share, number)["prediction"]
        return pd.Categorical(again, categories=CLASSES).codes

    assert rows["label"].tolist() == make_rows(follow)["label"].tolist(), "the same photos"
    return {
        "image_id": rows["image_id"].to_numpy()[order],
        "classes": CLASSES,
        "control": codes(follow, 0)[order],
        "shams": np.stack([codes(share, 0)[order] for share in shams]),
        "effective": np.array(0.7),
    }


def test_risk_differences_are_those_of_the_shortcut_effect():
    rows = make_rows(0.5)
    found = control_effect([rows], [make_control(rows, 0.1, np.full(99, 0.5))], ASSOCIATED)
    for follow, ours in ((0.5, found.exposed), (0.1, found.control)):
        assert ours == pytest.approx(shortcut_effect([make_rows(follow)], ASSOCIATED).risk_difference.mean)
    assert found.p == pytest.approx(0.01)
    assert found.effective == 0.7


def test_shams_that_do_as_much_say_so():
    rows = make_rows(0.5)
    found = control_effect([rows], [make_control(rows, 0.1, np.linspace(0.02, 0.5, 99))], ASSOCIATED)
    assert found.p > 0.1


def test_photos_of_unseen_cameras_are_left_to_the_exposed_head_s_frame():
    rows = make_rows(0.5)
    arrays = make_control(rows, 0.1, np.full(19, 0.5))
    fewer = rows[rows["camera"] == "x"].iloc[:50]
    mixed = pd.concat([fewer, rows[rows["camera"] == "y"]])
    assert control_effect([mixed], [arrays], ASSOCIATED).exposed == pytest.approx(
        shortcut_effect([mixed], ASSOCIATED).risk_difference.mean
    )


def test_none_where_cells_could_not_be_weighted():
    rows = make_rows(0.5)
    assert control_effect([rows], [{"why": np.array("some cameras have none")}], ASSOCIATED) is None
    assert control_effect([rows], [], ASSOCIATED) is None
