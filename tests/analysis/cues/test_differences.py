import numpy as np
import pandas as pd
import pytest
from scipy import stats

from camerabias.analysis.cues.camera_differences import camera_differences
from camerabias.analysis.cues.differences import find_differences
from camerabias.analysis.cues.wording import describe_differences
from camerabias.datasets.pixels.registry import STATISTICS


def photos(cells, seed=0, per_group=1, **planted):
    """Facts and statistics of photos: {(label, camera): photos}; statistics are normal, of standard deviation 1, with
    the label's mean, and the camera's where it is planted: {statistic: {camera: shift}}."""
    rng = np.random.default_rng(seed)
    rows = [cell for cell, n in cells.items() for _ in range(n)]
    facts = pd.DataFrame(rows, columns=["label", "camera"])
    facts["image_id"] = [f"i{number}" for number in range(len(facts))]
    facts["group"] = [f"g{number // per_group}" for number in range(len(facts))]
    facts["fold"] = np.arange(len(facts)) // per_group % 10
    of_label = 5 * pd.factorize(facts["label"], sort=True)[0]
    pixels = pd.DataFrame({"image_id": facts["image_id"]})
    for name in STATISTICS:
        shift = facts["camera"].map(planted.get(name, {})).fillna(0).to_numpy(float)
        pixels[name] = rng.standard_normal(len(facts)) + of_label + shift
    return facts, pixels


BALANCED = {(label, camera): 40 for label in "ab" for camera in "xyz"}


def said(found):
    return "\n".join(describe_differences(found))


def test_a_planted_difference_is_found_in_standard_deviations_and_said_of_its_camera():
    found = find_differences(*photos(BALANCED, noise_level={"y": 2.0}, warmth={"z": -1.5}))
    rows = found.table.set_index(["camera", "statistic"])
    assert rows.loc[("y", "noise_level"), "effect"] == pytest.approx(2, abs=0.35)
    assert rows.loc[("z", "warmth"), "effect"] == pytest.approx(-1.5, abs=0.35)
    assert found.table["effect"].abs().is_monotonic_decreasing
    sentences = describe_differences(found)
    mean, others = rows.loc[("y", "noise_level"), ["mean", "others"]]
    assert mean - others == pytest.approx(2, abs=0.35)
    assert sentences[0].startswith(
        "Photos of 'y' are noisier or rougher (standard deviation of luma in flat areas: "
    )
    assert f"{mean:.2f} against {others:.2f} of 255" in sentences[0]
    assert any(line.startswith("Photos of 'z' are cooler (") for line in sentences)
    assert len(sentences) <= 6


def test_labels_are_no_difference_of_cameras():
    tied = {("a", "x"): 70, ("a", "y"): 10, ("b", "x"): 10, ("b", "y"): 70}
    found = find_differences(*photos(tied))
    assert found.table["effect"].abs().max() < 1
    assert (found.table["p_holm"] > 0.01).all()
    assert "None of" in said(found)


def test_where_no_label_has_two_cameras_nothing_is_compared_and_nothing_said():
    found = find_differences(*photos({("a", "x"): 40, ("b", "y"): 40}))
    assert found.table.empty
    assert found.camera is None
    assert describe_differences(found) == []


def test_p_is_that_of_the_rank_sum_test_where_there_is_one_label():
    facts, pixels = photos({("a", "x"): 30, ("a", "y"): 50}, contrast={"x": 0.4})
    found = find_differences(facts, pixels).table.set_index("statistic")
    assert set(found["camera"]) == {"x"}, "the other of two says the same"
    for name in ("contrast", "brightness"):
        sides = [pixels.loc[facts["camera"] == camera, name] for camera in "xy"]
        expected = stats.mannwhitneyu(*sides, method="asymptotic", use_continuity=False).pvalue
        assert found.loc[name, "p"] == pytest.approx(expected, rel=1e-6)
        pooled = np.sqrt((29 * sides[0].var() + 49 * sides[1].var()) / 78)
        assert found.loc[name, "effect"] == pytest.approx(
            (sides[0].mean() - sides[1].mean()) / pooled, abs=0.05
        )


def test_false_findings_are_rare_where_nothing_differs():
    smallest = [find_nothing(seed) for seed in range(20)]
    assert np.mean(np.array(smallest) < 0.05) <= 0.15


def find_nothing(seed):
    facts, pixels = photos({("a", "x"): 20, ("a", "y"): 15, ("b", "x"): 10, ("b", "y"): 30}, seed)
    return camera_differences(facts.merge(pixels, on="image_id"))["p_holm"].min()


def test_photos_of_one_group_count_as_one():
    facts, pixels = photos({("a", "x"): 60, ("a", "y"): 60}, per_group=10)
    shared = np.random.default_rng(1).standard_normal(12).repeat(10)
    pixels["warmth"] = shared + 0.01 * pixels["warmth"]
    found = find_differences(facts, pixels).table.set_index("statistic")
    groups = pixels["warmth"].groupby(facts["group"], sort=False).mean().to_numpy()
    expected = stats.mannwhitneyu(groups[:6], groups[6:], method="asymptotic", use_continuity=False).pvalue
    assert found.loc["warmth", "p"] == pytest.approx(expected)


def test_numbers_that_never_vary_within_cells_differ_without_bound():
    facts, pixels = photos(BALANCED)
    pixels["luma_step"] = np.where(facts["camera"] == "x", 29.1, 1.7)
    pixels["chroma_step"] = 12.3
    found = find_differences(facts, pixels).table.set_index(["camera", "statistic"])
    assert found.loc[("x", "luma_step"), "effect"] == np.inf
    assert found.loc[("y", "luma_step"), "effect"] == -np.inf
    assert "chroma_step" not in found.index.get_level_values("statistic")


def test_a_few_numbers_far_off_make_no_difference():
    facts, pixels = photos({("a", "x"): 100, ("a", "y"): 100})
    pixels.loc[[0, 1], "warmth"] = 1e6
    found = find_differences(facts, pixels).table.set_index("statistic")
    assert abs(found.loc["warmth", "effect"]) < 0.5


def test_what_a_camera_lacks_is_not_compared_for_it():
    facts, pixels = photos(BALANCED)
    pixels.loc[facts["camera"] == "x", "luma_step"] = np.nan
    found = find_differences(facts, pixels).table
    assert set(found.loc[found["statistic"] == "luma_step", "camera"]) == {"y"} | {"z"}


def test_silence_says_what_would_have_been_detected_and_that_is_so():
    facts, pixels = photos(BALANCED)
    found = find_differences(facts, pixels)
    assert "would have been detected" in said(found)
    size = found.table["detectable"].max()
    seen = 0
    for seed in range(20):
        again = find_differences_of_one(seed, size)
        seen += again < 0.01
    assert 11 <= seen <= 20, "power 0.8"


def find_differences_of_one(seed, size):
    facts, pixels = photos(BALANCED, seed=100 + seed, warmth={"x": size})
    found = camera_differences(facts.merge(pixels, on="image_id")).set_index(["camera", "statistic"])
    return found.loc[("x", "warmth"), "p_holm"]


def test_cameras_are_recognised_by_what_is_planted_and_labels_by_theirs():
    found = find_differences(*photos(BALANCED, noise_level={"y": 4.0}, tint={"z": 4.0}))
    assert found.camera.accuracy.mean > 0.9
    assert found.camera.majority_baseline == pytest.approx(1 / 3)
    assert found.camera.works
    assert found.label.accuracy.mean > 0.95
    assert "52 pixel statistics alone identify the camera within a label: accuracy 0.9" in said(found)


def test_cameras_that_do_not_differ_are_not_recognised():
    found = find_differences(*photos({("a", "x"): 90, ("a", "y"): 30, ("b", "x"): 30, ("b", "y"): 90}))
    assert found.camera.majority_baseline == pytest.approx(0.75)
    assert not found.camera.works
    assert "were not shown to identify the camera" in said(found)


def test_missing_numbers_are_no_obstacle():
    facts, pixels = photos(BALANCED, noise_level={"y": 4.0})
    pixels.loc[::3, "noise_level"] = np.nan
    pixels["pixel_step"] = np.nan
    found = find_differences(facts, pixels)
    assert found.camera.works


def test_one_kind_is_named_once_of_a_camera():
    shifts = {
        name: {"y": 3.0} for name in ("noise_level", "noise_red", "noise_green", "noise_blue", "warmth")
    }
    (first, *_) = describe_differences(find_differences(*photos(BALANCED, **shifts)))
    assert first.count("noisier") == 1
    assert "noisier or rougher" in first, "the most general of those that differ about as much"
    assert "warmer" in first


def test_what_nobody_would_notice_is_not_said_however_certain():
    facts, pixels = photos(BALANCED)
    pixels["red_magnification"] = 0.01 * pixels["red_magnification"] + np.where(
        facts["camera"] == "x", 0.5, 0
    )
    found = find_differences(facts, pixels)
    assert abs(found.table.iloc[0]["effect"]) > 10
    assert "in red" not in said(found)
