"""Tables of a calibration on designs, of lines whose rates are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from camerabias.analysis.calibration.designs import (
    DealtDesign,
    DesignLine,
    read_designs,
    share_by_world,
    summarise_designs,
)
from camerabias.datasets.schema import CamerabiasError


def line(world, found, truth, least=0.2, planted=None, p=0.001, correlation=0.6, seed=0):
    return DesignLine(
        design=DealtDesign(world=world, seed=seed, cameras=4, correlation=correlation, groups="single"),
        planted=planted if planted is not None else {"noise": 0.5},
        size=64,
        photos=300,
        verdict="cheating" if found else "at risk",
        evidence={
            "shortcut_effect.minimum_detectable": least,
            "shortcut_effect.risk_difference": truth,
        },
        truth=truth,
        truth_p=p,
        seconds=1.0,
        version="1",
    )


def table(lines, caption):
    return next(wide.frame for wide in summarise_designs(lines) if caption in wide.caption)


def test_false_alarms_are_of_designs_whose_heads_do_not_follow():
    lines = [line(n, n == 0, 0.0, planted={}, p=None) for n in range(20)]
    lines += [line(20 + n, n < 2, 0.01, p=0.4) for n in range(10)]
    lines += [line(40 + n, n < 9, 0.4) for n in range(10)]
    shares = table(lines, "Errors").set_index("what")["share [95 %, by world]"]
    assert shares.iloc[0].startswith("1 of 20, 0.050")
    assert shares.iloc[1].startswith("2 of 10, 0.200")
    assert shares.iloc[2].startswith("9 of 10, 0.900")


def test_interval_of_worlds_of_one_design_is_clopper_and_pearson_s():
    found = pd.DataFrame({"world": range(40), "found": [n < 4 for n in range(40)]})
    low, high = binomtest(4, 40).proportion_ci()
    shown = share_by_world(found)
    assert shown.startswith("4 of 40, 0.100")
    assert [float(end) for end in shown.split("[")[1].rstrip("]").split(", ")] == pytest.approx(
        [low, high], abs=0.005
    )


def test_interval_of_alike_designs_counts_worlds():
    """Ten designs of a world that always agree are one."""
    alike = pd.DataFrame(
        {"world": np.repeat(range(40), 10), "found": np.repeat([n < 4 for n in range(40)], 10)}
    )
    low, high = binomtest(4, 40).proportion_ci()
    ends = [float(end) for end in share_by_world(alike).split("[")[1].rstrip("]").split(", ")]
    assert ends == pytest.approx([low, high], abs=0.01)


def test_power_at_the_minimum_detectable_effect_is_that_of_the_logistic_curve():
    generator = np.random.default_rng(1)
    ratios = np.exp(generator.uniform(-1.5, 1.5, 1500))
    chance = 1 / (1 + np.exp(-(np.log(4) + 3 * np.log(ratios))))  # 0.8 at 1
    lines = [
        line(n % 100, found, 0.2 * ratio, seed=n)
        for n, (ratio, found) in enumerate(zip(ratios, generator.uniform(size=1500) < chance, strict=True))
    ]
    shown = table(lines, "Errors")["share [95 %, by world]"].iloc[3]
    mean, low, high = (
        float(text) for text in shown.split(", ", 1)[1].rstrip("]").replace(" [", ", ").split(", ")
    )
    assert mean == pytest.approx(0.8, abs=0.03)
    assert low < 0.8 < high


def test_unidentifiable_designs_are_in_no_error():
    lines = [line(n, False, 0.5, correlation=1.0) for n in range(5)]
    assert table(lines, "Verdicts").set_index("designs").loc["every camera has one label", "n"] == "5"
    assert {*table(lines, "Errors")["share [95 %, by world]"]} == {"none"}


def test_lines_are_read_back_and_a_damaged_one_is_named(tmp_path):
    path = tmp_path / "lines.jsonl"
    assert read_designs(path) == []
    assert summarise_designs([]) == []
    path.write_text(line(1, True, 0.4).model_dump_json() + "\n{}\n")
    with pytest.raises(CamerabiasError, match=r"Line 2 of .*lines.jsonl"):
        read_designs(path)
