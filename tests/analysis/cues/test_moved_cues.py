"""Moved cues: risk differences against those of the shortcut effect, and shares counted by hand."""

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.cues.moved_cues import moved_cue
from camerabias.analysis.effects.shortcut_effect import shortcut_effect

ASSOCIATED = {"x": "cat", "y": "dog", "z": "dog"}


def arrays(seed=0, n=400, before=0.8, equalised=0.1, sham=0.6, swapped=0.5):
    """Photos of which shares are predicted as the associated label of their camera, or of the one they are given."""
    generator = np.random.default_rng(seed)
    cameras, labels = generator.choice(["x", "y", "z"], n), generator.choice(["cat", "dog"], n)
    other = np.array([generator.choice([name for name in "xyz" if name != camera]) for camera in cameras])
    chance = generator.random(n)

    def predicted(share, of):
        return np.where(chance < share, pd.Series(of).map(ASSOCIATED), labels)

    ids = np.array([f"{seed}-{k}" for k in range(n)])
    return {
        "image_id": ids, "label": labels, "camera": cameras, "group": ids, "classes": np.array(["cat", "dog"]),
        "before": predicted(before, cameras), "equalised": predicted(equalised, cameras),
        "sham": predicted(sham, cameras), "swapped": predicted(swapped, other), "swapped_camera": other,
        "swapped_sham": predicted(0.2, cameras), "swapped_sham_camera": np.where(chance < 0.9, "x", ""),
    }  # fmt: skip


@pytest.mark.parametrize("seeds", [1, 3])
def test_risk_differences_are_those_of_the_shortcut_effect(seeds):
    made = [arrays(seed) for seed in range(seeds)]
    found = moved_cue(made, ASSOCIATED)
    for arm in ("before", "equalised", "sham"):
        frames = [
            pd.DataFrame(one).assign(prediction=one[arm], truth=one["label"], draw=0)
            for one in [
                {name: one[name] for name in ("image_id", "label", "camera", "group", arm)} for one in made
            ]
        ]
        frames = [frame.drop(columns=arm) for frame in frames]
        expected = shortcut_effect(frames, ASSOCIATED).risk_difference
        assert getattr(found, arm).mean == pytest.approx(expected.mean)
    assert found.drop.mean == pytest.approx(found.sham.mean - found.equalised.mean)
    assert found.drop.low < found.drop.mean < found.drop.high
    assert found.is_used
    assert found.is_most


def test_what_the_sham_does_as_well_is_no_use_of_the_cue():
    found = moved_cue([arrays(equalised=0.3, sham=0.3)], ASSOCIATED)
    assert found.drop.mean == 0
    assert not found.is_used
    assert moved_cue([arrays(equalised=0.6, sham=0.8)], ASSOCIATED).is_most is False


@pytest.mark.parametrize("arm", ["swapped", "swapped_sham"])
def test_swapped_predictions_are_counted_towards_the_new_label_and_against_it(arm):
    one = arrays()
    found = moved_cue([one], ASSOCIATED)
    old, new = (pd.Series(one[name]).map(ASSOCIATED).to_numpy() for name in ("camera", "swapped_camera"))
    before, after = one["before"], one[arm]
    across = (old != new) & (one[f"{arm}_camera"] != "")
    towards = ((before != new) & (after == new))[across].mean()
    against = ((before == new) & (after != new))[across].mean()
    assert getattr(found, arm).mean == pytest.approx(towards - against)
    assert found.photos == 400


def test_groups_are_resampled_as_wholes():
    one = arrays()
    many = moved_cue([one], ASSOCIATED)
    few = moved_cue([one | {"group": np.array([f"g{n // 20}" for n in range(400)])}], ASSOCIATED)
    assert few.drop.n_groups < many.drop.n_groups
    assert few.drop.mean == pytest.approx(many.drop.mean)


def test_nothing_is_said_where_levels_are_not_known_or_no_photo_tells():
    assert moved_cue([], ASSOCIATED) is None
    assert moved_cue([arrays(), {"why": np.array("unknown")}], ASSOCIATED) is None
    assert moved_cue([arrays()], {}) is None


def test_without_swaps_they_are_not_known():
    none = dict.fromkeys(["swapped_camera", "swapped_sham_camera"], np.full(400, ""))
    found = moved_cue([arrays() | none], ASSOCIATED)
    assert np.isnan(found.swapped.mean)
    assert np.isnan(found.swapped_sham.mean)


def test_arrays_of_an_earlier_version_tell_nothing_and_stop_nothing():
    earlier = {name: array for name, array in arrays().items() if not name.startswith("swapped_sham")}
    assert moved_cue([arrays(), earlier], ASSOCIATED) is None
