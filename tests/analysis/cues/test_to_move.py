import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.cues.to_move import MEASURED_BY, cues_to_move
from camerabias.datasets.interventions.registry import INTERVENTIONS
from camerabias.datasets.pixels.registry import STATISTICS


def differences(*rows):
    return pd.DataFrame(rows, columns=["statistic", "effect", "p_holm"])


def test_every_cue_that_can_be_moved_is_measured():
    assert {*MEASURED_BY} == {*INTERVENTIONS}
    assert {name for names in MEASURED_BY.values() for name in names} <= {*STATISTICS}


@pytest.mark.parametrize(
    ("rows", "cues"),
    [
        ([("noise_level", -3.0, 0.001), ("warmth", 1.0, 0.001)], ["noise", "white balance"]),
        ([("noise_level", 3.0, 0.2), ("warmth", 1.0, 0.001)], ["white balance"]),
        ([("luma_step", np.inf, 0.001), ("noise_red", 2.0, 0.001), ("tint", 1.0, 0.001)], ["jpeg", "noise"]),
        ([("brightness", 2.0, 0.001)], []),
    ],
)
def test_the_two_by_which_cameras_differ_most_are_moved(rows, cues):
    assert cues_to_move(differences(*rows)) == cues
