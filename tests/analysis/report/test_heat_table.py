"""Labels × cameras, shaded."""

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.design.check import check_design
from camerabias.analysis.report.heat_table import heat_table
from camerabias.analysis.report.page import template


def design(counts, photos_per_group=1):
    """Of photos that lie far apart, {(label, camera): photos}."""
    rows = [cell for cell, n in counts.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["label", "camera"])
    numbers = np.arange(len(frame))
    hashes = np.random.default_rng(0).integers(0, 2**63, len(frame)).astype(np.uint64)
    return check_design(
        frame.assign(
            image_id=[f"i{n}" for n in numbers], group=numbers // photos_per_group, fold=numbers % 10, split=None,
            width=64, height=64, format="PNG", tables=None, exif=None, factor=1.0, hash=hashes,
        )
    )  # fmt: skip


LEANING = {("a", "A"): 80, ("a", "B"): 20, ("b", "A"): 20, ("b", "B"): 60}


def test_the_fullest_cell_is_darkest_and_a_camera_s_associated_label_is_marked():
    table = heat_table(design(LEANING))
    assert table.cameras == ["A", "B"]
    cells = dict(table.rows)
    assert [cell.text for cell in cells["a"]] == ["80", "20"]
    assert [cell.share for cell in cells["b"]] == [0.25, 0.75]
    assert [cell.aligned for label in "ab" for cell in cells[label]] == [True, False, False, True]


@pytest.mark.parametrize(
    ("photos_per_group", "text", "noun"), [(1, "80", "photos"), (4, "80 (20)", "groups")]
)
def test_groups_stand_in_brackets_only_where_they_hold_several_photos(photos_per_group, text, noun):
    table = heat_table(design(LEANING, photos_per_group))
    assert table.rows[0][1][0].text == text
    html = template("report.html").environment.from_string(
        '{% import "macros.html" as show %}{{ show.heat(cells) }}'
    )
    assert ("groups in brackets" in html.render(cells=table)) == (noun == "groups")
    assert html.render(cells=table).count('class="aligned"') == 2


@pytest.mark.parametrize(("counts", "has"), [(LEANING, True), (dict.fromkeys(LEANING, 30), False)])
def test_the_frame_is_explained_where_a_camera_has_an_associated_label(counts, has):
    html = template("report.html").environment.from_string(
        '{% import "macros.html" as show %}{{ show.heat(cells) }}'
    )
    assert ("associated label" in html.render(cells=heat_table(design(counts)))) == has


def test_many_cameras_are_counted_together_and_none_is_lost():
    table = heat_table(design({("a", f"camera {n:02d}"): 3 + n for n in range(20)}))
    assert len(table.cameras) == 8
    assert table.cameras[-1] == "13 others"
    assert sum(int(cell.text) for cell in table.rows[0][1]) == sum(3 + n for n in range(20))
