import re
from textwrap import wrap

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.design.check import check_design
from camerabias.sweeps.printing.design import LINES_AFTER, print_design
from camerabias.sweeps.printing.results import COLUMNS, LINES


def facts(cells, **columns):
    """Facts of photos that lie far apart, {(label, camera): photos}."""
    rows = [cell for cell, n in cells.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["label", "camera"])
    frame["group"] = frame["image_id"] = [f"i{n}" for n in range(len(frame))]
    frame["fold"] = np.arange(len(frame)) % 10
    frame["hash"] = np.random.default_rng(0).integers(0, 2**63, len(frame)).astype(np.uint64)
    usual = {"split": None, "width": 100, "height": 80, "format": "JPEG", "tables": "t", "exif": None}
    return frame.assign(**(usual | {"factor": 1.0} | columns))


def test_many_labels_and_cameras_are_folded_and_nothing_is_lost(capsys):
    cells = {
        (f"label {i:02d}", f"site {(3 * i + j) % 20:02d}"): 1 + i % 2 for i in range(30) for j in range(3)
    }
    print_design(check_design(facts(cells)))
    out = capsys.readouterr().out
    assert f"{sum(cells.values())} photos, 30 labels, 20 cameras, all JPEG." in out
    cells_alone = out.split("Which questions")[0].splitlines()
    table = [line for line in cells_alone if line.startswith("│") and "associated" not in line]
    assert len(table) == 12
    assert table[-1].startswith("│ 19 others")
    assert sum(int(word) for line in table for word in line.split("│")[2:-1]) == sum(cells.values())


def test_what_cannot_be_answered_says_why_and_what_to_take(capsys):
    design = check_design(facts({("a", "A"): 60, ("b", "B"): 60}))
    print_design(design)
    out = capsys.readouterr().out
    assert (
        "not testable  Does the classifier use the camera?\n              No photo is bias-conflicting" in out
    )
    assert "Which photos to take\n• Can cameras be identified within a label? To detect" in out
    assert [(cell.label, cell.camera) for cell in design.answers["use"].needed] == [("b", "A"), ("a", "B")]


def test_leaks_are_listed_best_first_and_their_sum_only_where_it_says_more(capsys):
    cells = {("a", "A"): 60, ("a", "B"): 60, ("b", "A"): 60, ("b", "B"): 60}
    frame = facts(cells)
    print_design(check_design(frame))
    assert "Nothing significant" in capsys.readouterr().out
    print_design(check_design(frame.assign(format=np.where(frame["label"] == "a", "PNG", "JPEG"))))
    out = capsys.readouterr().out
    assert "120 PNG, 120 JPEG" in out
    assert "│ format │ the label │ 1.000" in out
    assert "all headers" not in out


MANY = {
    (f"a long label {i:02d}", f"a clinic's scanner {(3 * i + j) % 20:02d}"): 1
    for i in range(30)
    for j in range(3)
}


@pytest.mark.parametrize(
    "cells",
    [{("a", "A"): 60, ("b", "B"): 60}, {("a", "A"): 60, ("a", "B"): 9, ("b", "A"): 9, ("b", "B"): 60}, MANY],
    ids=["nothing can be tested", "all", "many"],
)
def test_a_screen_holds_the_design_and_room_for_what_follows(cells, capsys):
    leaking = facts(cells).assign(
        format=lambda rows: np.where(rows["label"] == rows["label"][0], "PNG", "JPEG")
    )
    design = check_design(leaking)
    print_design(design, details=False)
    out = capsys.readouterr().out
    lines = [line for text in out.splitlines() for line in wrap(text, COLUMNS) or [""]]
    assert len(lines) <= LINES - LINES_AFTER
    assert all(answer.question in out for answer in design.answers.values())
    wanting = [answer for answer in design.answers.values() if not answer.answerable]
    assert not wanting or f"• {wanting[0].why}" in out


def test_on_a_screen_each_camera_s_associated_label_has_a_star(capsys):
    print_design(
        check_design(facts({("a", "A"): 60, ("a", "B"): 9, ("b", "A"): 9, ("b", "B"): 60})), details=False
    )
    out = capsys.readouterr().out
    rows = re.findall(r"│ (\S+) +│ (\d+(?: \*)?) +│ (\d+(?: \*)?) +│", out)
    assert rows == [("a", "60 *", "9"), ("b", "9", "60 *")]
    assert "* at a camera's associated label" in out


@pytest.mark.parametrize("details", [True, False])
def test_where_no_camera_has_an_associated_label_no_legend_speaks_of_one(details, capsys):
    print_design(
        check_design(facts(dict.fromkeys([("a", "A"), ("a", "B"), ("b", "A"), ("b", "B")], 60))), details
    )
    assert "associated label" not in capsys.readouterr().out


def test_a_screen_says_which_headers_tell_the_label_and_leaves_the_camera_to_details(capsys):
    """Cameras are often read from EXIF, which a network does not see."""
    cells = dict.fromkeys([("a", "A"), ("a", "B"), ("b", "A"), ("b", "B")], 60)
    frame = facts(cells).assign(exif=lambda rows: rows["camera"])
    telling = check_design(frame.assign(format=np.where(frame["label"] == "a", "PNG", "JPEG")))
    print_design(telling, details=False)
    out = capsys.readouterr().out
    assert "Without a pixel, the label is predicted from format" in " ".join(out.split())
    assert "the camera is predicted" not in out
    print_design(telling)
    assert "the camera" in capsys.readouterr().out.split("What leaks without a pixel")[1]
