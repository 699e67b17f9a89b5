import json

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.design.check import check_design
from camerabias.analysis.design.power import minimum_detectable_effect, photos_needed
from camerabias.analysis.design.wording import describe_design
from camerabias.datasets.inspection.metadata import gather_facts
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.schema import NO_EXIF_CAMERA

OWN = {"a": "A", "b": "B", "c": "C"}


def photos(cells, per_group=1, **columns):
    """Facts of photos: {(label, camera): groups}, all hashes far apart."""
    rows = [cell for cell, n in cells.items() for _ in range(n) for _ in range(per_group)]
    frame = pd.DataFrame(rows, columns=["label", "camera"])
    frame["group"] = [f"g{i // per_group}" for i in range(len(frame))]
    frame["image_id"] = [f"i{i}" for i in range(len(frame))]
    frame["fold"] = np.arange(len(frame)) // per_group % 10
    frame["hash"] = np.random.default_rng(0).integers(0, 2**63, len(frame)).astype(np.uint64)
    same = {
        "split": None,
        "width": 100,
        "height": 80,
        "format": "JPEG",
        "tables": "t",
        "exif": None,
        "factor": 1.0,
    }
    return frame.assign(**(same | columns))


def table(cells):
    return pd.Series(cells).unstack(fill_value=0)


def said(design):
    return "\n".join(describe_design(design))


def power(cells, associated, risk_difference, repeats=4000):
    """How often a test of the risk difference at level 0.01 finds a model that follows the camera in a share `risk
    difference` of the photos, and else names the associated labels at random; its null is simulated as well."""
    generator = np.random.default_rng(0)
    label, camera = np.array([cell for cell, n in cells.items() for _ in range(n)]).T
    names = np.array(sorted(set(associated.values())))
    tie = np.array([np.flatnonzero(names == associated[c])[0] for c in camera])

    def differences(follow):
        given = generator.integers(len(names), size=(repeats, len(tie)))
        given = np.where(generator.random(given.shape) < follow, tie, given)
        above = below = 0.0
        for name in range(len(names)):
            for one in np.unique(label):
                tied, other = ((label == one) & ((tie == name) == side) for side in (True, False))
                n1, n0 = tied.sum(), other.sum()
                above = above + (
                    (given[:, tied] == name).sum(1) * n0 - (given[:, other] == name).sum(1) * n1
                ) / (n1 + n0)
                below += n1 * n0 / (n1 + n0)
        return above / below

    found, level = differences(risk_difference), np.quantile(differences(0), 0.99)
    return ((found > level).mean() + (found >= level).mean()) / 2  # differences come in steps


@pytest.mark.parametrize(
    ("cells", "associated"),
    [
        ({("a", "A"): 120, ("a", "B"): 40, ("b", "A"): 30, ("b", "B"): 150}, {"A": "a", "B": "b"}),
        ({("a", "A"): 60, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 60}, {"A": "a", "B": "b"}),
        ({(label, camera): 40 for label in OWN for camera in OWN.values()}, {v: k for k, v in OWN.items()}),
    ],
)
def test_smallest_effect_has_the_power_that_it_says(cells, associated):
    risk_difference = minimum_detectable_effect(table(cells), associated)
    assert power(cells, associated, risk_difference) == pytest.approx(0.8, abs=0.06)
    assert power(cells, associated, 0.6 * risk_difference) < 0.6


def test_smallest_effect_of_one_label_is_that_of_two_proportions():
    """The textbook's (z + z) √(p (1 - p) (1/n + 1/m)) at p = 1/2."""
    expected = (2.3263 + 0.8416) * np.sqrt(0.25 * (1 / 90 + 1 / 60))
    found = minimum_detectable_effect(table({("a", "A"): 90, ("a", "B"): 60}), {"A": "a", "B": "b"})
    assert found == pytest.approx(expected, rel=1e-4)


def test_no_effect_can_be_seen_without_contradictions_or_with_too_few():
    assert np.isnan(minimum_detectable_effect(table({("a", "A"): 90, ("b", "B"): 60}), {"A": "a", "B": "b"}))
    assert np.isnan(minimum_detectable_effect(table({("a", "A"): 900, ("a", "B"): 2}), {"A": "a", "B": "b"}))
    assert np.isnan(minimum_detectable_effect(table({("a", "A"): 9, ("a", "B"): 9}), {}))


def test_photos_needed_are_just_enough():
    cells, associated = {("a", "A"): 300, ("a", "B"): 4, ("b", "B"): 200}, {"A": "a", "B": "b"}
    needed = photos_needed(table(cells), [("a", "B"), ("b", "A")], associated)
    filled = {cell: cells.get(cell, 0) + needed.get(cell, 0) for cell in {*cells, *needed}}
    assert minimum_detectable_effect(table(filled), associated) <= 0.25
    filled = {cell: n - (cell in needed) for cell, n in filled.items()}
    assert minimum_detectable_effect(table(filled), associated) > 0.25


def test_where_every_label_has_its_own_camera_nothing_can_be_told():
    design = check_design(photos({("a", "A"): 60, ("b", "B"): 60, ("c", "C"): 60}))
    assert [answer.answerable for answer in design.answers.values()] == [False, False, False]
    assert np.isnan(design.minimum_detectable_effect)
    assert design.associated_labels == {"A": "a", "B": "b", "C": "c"}
    take = design.answers["use"].photos
    for cell in ("'b' with 'A'", "'c' with 'B'", "'a' with 'C'"):
        assert cell in take
    assert describe_design(design)[0].startswith(
        "Can cameras be identified within a label? These photos cannot tell."
    )
    assert "3 of 3 labels come from one camera alone" in said(design)


def test_the_photos_that_are_asked_for_settle_it():
    cells = {("a", "A"): 60, ("b", "B"): 60, ("c", "C"): 60}
    associated = {"A": "a", "B": "b", "C": "c"}
    needed = photos_needed(table(cells), [("b", "A"), ("c", "B"), ("a", "C"), *cells], associated)
    design = check_design(photos(cells | {cell: cells.get(cell, 0) + n for cell, n in needed.items()}))
    assert all(answer.answerable for answer in design.answers.values())
    assert design.minimum_detectable_effect <= 0.25


def test_contradictions_must_be_tested_not_only_there():
    cells = {("a", "A"): 60, ("a", "B"): 20, ("b", "A"): 20, ("b", "B"): 60}
    assert check_design(photos(cells)).answers["use"].answerable
    frame = photos(cells)
    agrees = frame["label"] == frame["camera"].str.lower()
    frame["split"] = np.where(agrees & (frame.index % 2 == 0), "test", "train")
    design = check_design(frame)
    assert not design.answers["use"].answerable
    assert "to the test photos of your split" in design.answers["use"].photos
    frame["split"] = np.where(frame["label"] == "a", "test", "train")
    assert "test photos of your split" in check_design(frame).effects[0].tested


def test_what_a_camera_implies_is_learned_from_training_photos_alone():
    ones, others = photos({("a", "A"): 100, ("b", "B"): 100}), photos({("b", "A"): 150, ("a", "B"): 150})
    elsewhere = photos({("a", "C"): 50, ("b", "C"): 10}, split="test")
    frame = pd.concat([ones.assign(split="train"), others.assign(split="test"), elsewhere])
    frame["group"] = frame["image_id"] = [f"i{n}" for n in range(len(frame))]
    design = check_design(frame)
    assert design.associated_labels == {"A": "a", "B": "b"}, (
        "most photos say the opposite, but those are not trained on"
    )
    assert design.association.cramers_v.mean == 1
    assert design.effects[0].groups == 300
    assert np.isnan(design.minimum_detectable_effect), (
        "every test photo of a label has one camera that trains"
    )


def test_groups_count_and_not_photos():
    cells = {("a", "A"): 30, ("a", "B"): 4, ("b", "A"): 3, ("b", "B"): 30}
    design = check_design(photos(cells, per_group=10))
    assert not design.answers["use"].answerable
    assert "7 bias-conflicting groups" in design.answers["use"].why
    assert design.thin_cells == [("a", "B"), ("b", "A")]
    assert design.photos.loc["a", "B"] == 40
    assert design.groups.loc["a", "B"] == 4


def test_cells_that_the_folds_as_dealt_do_not_test_are_named():
    cells = {("a", "A"): 60, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 60}
    frame = photos(cells)
    assert check_design(frame).thin_cells == []
    frame.loc[(frame["label"] == "a") & (frame["camera"] == "B") & (frame["fold"] == 3), "fold"] = 4
    assert "1 cell has no photos in some fold, which then tests none: 'a' by 'B'." in said(
        check_design(frame)
    )
    frame["split"] = np.where((frame["label"] == "b") & (frame["fold"] == 0), "test", "train")
    assert "no photos among the test photos of your split: 'a' by 'A' and 'a' by 'B'" in said(
        check_design(frame)
    )


def test_one_fold_of_nearly_everything_is_named_and_answers_nothing():
    frame = photos({("a", "A"): 60, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 60}).assign(fold=0)
    design = check_design(frame)
    assert [answer.answerable for answer in design.answers.values()] == [False, False, False]
    assert "240 of 240 photos lie in one fold" in design.answers["use"].why
    assert "groups that share a picture stay together" in design.answers["use"].why
    assert "9 of the 10 folds hold no photo" in said(design)
    alone = check_design(frame.assign(group="visit"))
    assert "the group 'visit' alone has 240" in alone.answers["use"].why
    frame["fold"] = np.where(np.arange(240) % 3, 0, frame.index % 10)
    design = check_design(frame)
    assert "The largest of the 10 folds holds 168 of 240 photos" in said(design)
    assert design.answers["use"].answerable


def test_where_no_photo_names_its_camera_no_photos_are_asked_for():
    answers = check_design(photos({("a", NO_EXIF_CAMERA): 60, ("b", NO_EXIF_CAMERA): 60})).answers.values()
    assert [(answer.answerable, answer.photos) for answer in answers] == [(False, "")] * 3
    assert {answer.why for answer in answers} == {"No photo names its camera, so there are none to compare."}


def test_one_picture_with_two_labels_is_said_before_all_else():
    frame = photos({("a", "A"): 60, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 60})
    frame.loc[[0, 130], "image_id"] = ["0" * 20, "0" * 20 + "-1"]
    assert describe_design(check_design(frame))[0].startswith("1 picture has two labels")


def test_more_folds_show_smaller_effects():
    design = check_design(photos({("a", "A"): 200, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 200}))
    assert [effect.groups for effect in design.effects] == [12, 36, 60, 120]
    differences = [effect.risk_difference for effect in design.effects]
    assert differences == sorted(differences, reverse=True)
    assert design.minimum_detectable_effect == differences[-1] < differences[0] / 3


def test_balanced_photos_imply_nothing(dataset):
    facts = gather_facts(dataset, LocalExecutor())
    design = check_design(facts)
    assert design.associated_labels == {}
    assert all(answer.answerable for answer in design.answers.values())
    assert "JPEG quantisation tables alone predict the camera: accuracy 1.000" in said(design)
    assert not any(guess.works for guess in design.baselines if guess.target == "label")


@pytest.mark.parametrize(
    "cells",
    [
        {("a", "A"): 40, ("b", "A"): 30},
        {("a", "A"): 40, ("a", "B"): 30},
        {("a", "A"): 40},
        {("a", "A"): 3, ("b", "B"): 2},
    ],
)
def test_odd_designs_are_told(cells):
    design = check_design(photos(cells))
    assert len(design.answers) == 3
    assert not design.answers["use"].answerable
    assert describe_design(design)
    assert json.loads(design.model_dump_json())["n_photos"] == sum(cells.values())


def test_a_label_from_one_camera_is_named_with_what_to_add():
    cells = {("a", "A"): 100, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 100, ("health", "A"): 100}
    found = said(check_design(photos(cells)))
    # 3.168² / (4 · 0.25²) = 40.1 ≤ 100 n / (100 + n), thus n = 68
    assert "All 100 photos of 'health' come from one camera, 'A'" in found
    assert "Add 68 photos of it with 'B'" in found


def test_what_crosses_the_split_is_counted():
    frame = photos({("a", "A"): 60, ("b", "B"): 60}, per_group=2)
    frame["split"] = "train"
    frame.loc[:40, "split"] = "test"  # the last of them parts a group
    design = check_design(frame)
    assert (design.crossing_groups, design.crossing_photos) == (1, 1)
    assert "1 group lies on more than one side of your split" in said(design)


def test_scaling_is_told_where_it_depends_on_the_camera():
    cells = {("a", "A"): 60, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 60}
    frame = photos(cells)
    assert "scaled" not in said(check_design(frame))
    frame["factor"] = np.where(frame["camera"] == "A", 0.5, 2)
    design = check_design(frame)
    assert [(resize.camera, resize.median) for resize in design.resizes] == [("A", 0.5), ("B", 2)]
    assert "in the median 2.00 for 'B', 0.500 for 'A'" in said(design)


def test_with_a_split_test_photos_are_counted_and_said_to_be():
    frame = photos({(label, camera): 25 for label in "ab" for camera in "AB"})
    frame["split"] = np.where(frame.index % 3 == 0, "test", "train")
    answers = check_design(frame).answers
    assert "No label has 10 test photos or more by each of two cameras" in answers["recognise"].why
    assert "No camera has 10 test photos or more of each" in answers["unseen"].why
    assert "No label" not in check_design(frame.assign(split=None)).answers["recognise"].why


def test_a_label_of_a_few_photos_may_be_left_out():
    text = said(
        check_design(
            photos({("a", "A"): 40, ("a", "B"): 40, ("b", "A"): 40, ("b", "B"): 40, ("nan", "A"): 1})
        )
    )
    assert "All 1 photos of 'nan' come from one camera" in text
    assert "for instance, or drop that label." in text


def test_names_with_escapes_stand_in_sentences_as_in_tables():
    text = said(check_design(photos({("a", r"Evil \x1b[31m"): 40, ("b", "B"): 40})))
    assert r"'Evil \x1b[31m'" in text
