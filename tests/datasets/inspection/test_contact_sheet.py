import io

import numpy as np
import pytest
from PIL import Image

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.inspection.contact_sheet import contact_sheet
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def coloured(tmp_path, encode):
    """A function that makes a dataset of plain colours: {label/camera: [colours]}."""

    def make(cells):
        for cell, colours in cells.items():
            for number, colour in enumerate(colours):
                file = tmp_path / "coloured" / cell / f"{number}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(encode(Image.new("RGB", (30 + number, 40), colour)))
        return import_dataset(
            read_source(str(tmp_path / "coloured")), Folder(tmp_path / "out"), LocalExecutor()
        )

    return make


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
