import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import chi2_contingency

from camerabias.datasets.create import import_dataset
from camerabias.datasets.inspect import contact_sheet, cramers_v, describe
from camerabias.datasets.sources import read_source
from camerabias.datasets.storage import Folder

ROWS = [  # path, label, camera, group, split, height, width
    ("1.png", "A", "y", "g1", "train", 40, 90),
    ("2.png", "A", "x", "g1", "test", 70, 50),
    ("3.jpg", "B", "x", "g2", "train", 60, 60),
    ("4.jpg", "A", "x", "g3", "train", 80, 64),
    ("5.jpg", "A", "no EXIF", "g3", "test", 99, 96),
]


@pytest.fixture
def photos(tmp_path, encode, noise):
    """The dataset of `ROWS`."""
    for path, *_, height, width in ROWS:
        file_format = "PNG" if path.endswith("png") else "JPEG"
        (tmp_path / path).write_bytes(encode(noise(height, width), file_format))
    columns = ["path", "label", "camera", "group", "split", "height", "width"]
    pd.DataFrame(ROWS, columns=columns).to_csv(tmp_path / "t.csv", index=False)
    return import_dataset(read_source(str(tmp_path / "t.csv")), Folder(tmp_path / "out"), "local")


@pytest.fixture
def coloured(tmp_path, encode):
    """A function that makes a dataset of plain colours: {label/camera: [colours]}."""

    def make(cells):
        for cell, colours in cells.items():
            for number, colour in enumerate(colours):
                file = tmp_path / "coloured" / cell / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(encode(Image.new("RGB", (30 + number, 40), colour)))
        return import_dataset(read_source(str(tmp_path / "coloured")), Folder(tmp_path / "out"), "local")

    return make


@pytest.mark.parametrize(
    "counts",
    [
        [[20, 5], [3, 40]],
        [[10, 0, 7], [4, 9, 1]],
        [[5, 5], [5, 5]],
        [[8, 0], [0, 8]],
        [[1, 2, 3], [4, 5, 7], [9, 0, 2]],
    ],
)
def test_cramers_v_is_that_of_the_chi_squared_statistic(counts):
    counts = np.array(counts)
    chi2 = chi2_contingency(counts, correction=False).statistic
    expected = np.sqrt(chi2 / counts.sum() / (min(counts.shape) - 1))
    assert cramers_v(pd.DataFrame(counts)) == pytest.approx(expected)


def test_empty_rows_and_columns_do_not_change_cramers_v():
    bare = pd.DataFrame([[20, 5], [3, 40]])
    assert cramers_v(pd.DataFrame([[20, 0, 5], [0, 0, 0], [3, 0, 40]])) == cramers_v(bare)


@pytest.mark.parametrize("counts", [[[3, 4]], [[3], [4]], [[3, 4], [0, 0]]])
def test_cramers_v_of_one_label_or_camera_is_not_a_number(counts):
    assert np.isnan(cramers_v(pd.DataFrame(counts)))


def test_the_overview_counts_each_side_of_the_split(photos):
    tables = describe(photos).tables
    assert set(tables) == {"all", "train", "test"}
    for table in tables.values():
        assert (list(table.index), list(table.columns)) == (["A", "B"], ["no EXIF", "x", "y"])
    assert tables["all"].to_numpy().tolist() == [[1, 2, 1], [0, 1, 0]]
    assert tables["train"].to_numpy().tolist() == [[0, 1, 1], [0, 1, 0]]
    assert tables["test"].to_numpy().tolist() == [[1, 1, 0], [0, 0, 0]]


def test_the_overview_measures_files(photos):
    overview = describe(photos)
    assert overview.formats.to_dict() == {"JPEG": 3, "PNG": 2}
    assert overview.short_sides.loc["x"].tolist() == [50, 60, 64]
    assert overview.short_sides.loc["y"].tolist() == [40, 40, 40]
    assert overview.cramers_v == pytest.approx(cramers_v(overview.tables["all"]))


def test_the_overview_warns_of_groups_across_the_split_and_of_missing_exif(photos):
    overview = describe(photos)
    assert (overview.crossing_groups, overview.no_exif) == (2, 1)  # g1 and g3


def test_without_a_split_there_is_one_table_and_nothing_crosses(dataset):
    overview = describe(dataset)
    assert list(overview.tables) == ["all"]
    assert (overview.tables["all"] == 10).all(axis=None)
    assert overview.cramers_v == 0
    assert overview.crossing_groups == 0


def sheet_of(dataset):
    return np.asarray(Image.open(io.BytesIO(contact_sheet(dataset))).convert("RGB")).astype(int)


def centre(sheet, colour):
    """Mean row and column of the pixels of a colour, as shares of the sheet."""
    rows, columns = np.nonzero((np.abs(sheet - colour) <= 2).all(axis=-1))
    return rows.mean() / sheet.shape[0], columns.mean() / sheet.shape[1]


RED, LIME, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_the_contact_sheet_has_a_row_per_label_and_a_column_per_camera(coloured):
    sheet = sheet_of(coloured({"A/x": [RED, RED], "A/y": [LIME, LIME], "B/y": [BLUE, BLUE]}))
    (red_row, red_column), (lime_row, lime_column), (blue_row, blue_column) = (
        centre(sheet, colour) for colour in (RED, LIME, BLUE)
    )
    assert red_row == pytest.approx(lime_row, abs=0.02)
    assert blue_column == pytest.approx(lime_column, abs=0.02)
    assert red_row < 0.5 < blue_row
    assert red_column < 0.5 < lime_column


def test_a_cell_of_one_photo_leaves_room_beside_it(coloured):
    sheet = sheet_of(coloured({"A/x": [RED], "B/x": [BLUE, BLUE]}))
    n_red, n_blue = ((np.abs(sheet - colour) <= 2).all(axis=-1).sum() for colour in (RED, BLUE))
    assert n_blue / n_red == pytest.approx(2, abs=0.05)


def test_names_are_drawn_as_they_are_and_not_as_formulas(coloured):
    sheet_of(coloured({r"$\no formula$/$\neither this$": [RED]}))
