import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.inspection.kept import keep
from camerabias.datasets.inspection.pixels import pixels_of, survey_pixels
from camerabias.datasets.inspection.survey import survey
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.pixels.registry import STATISTICS, measure_pixels
from camerabias.datasets.schema import PIXELS_FILE
from camerabias.datasets.sources.registry import read_source


class Counting(LocalExecutor):
    """Counts the work items that are done."""

    n = 0

    def map(self, work, items):
        self.n += len(items)
        return super().map(work, items)


@pytest.fixture
def source(make_photos, noise, encode):
    folder = make_photos(
        *[f"{label}/{camera}/{n}.jpg" for label in "ab" for camera in "xy" for n in range(3)]
    )
    for n, file in enumerate(sorted(folder.rglob("*.jpg"))):
        file.write_bytes(encode(noise(40 + n, 64), "JPEG"))
    (folder / "a/x/twin.jpg").write_bytes((folder / "a/x/0.jpg").read_bytes())
    return read_source(str(folder))


@pytest.fixture
def imported(source, tmp_path):
    return import_dataset(source, Folder(tmp_path / "out"), LocalExecutor())


def test_a_row_per_image_holds_what_is_measured_on_it(imported):
    found = pixels_of(imported, LocalExecutor())
    assert found["image_id"].tolist() == imported.index["image_id"].tolist()
    for row in found.to_dict("records"):
        expected = measure_pixels(imported.read_image(row.pop("image_id")))
        assert row == pytest.approx(expected, nan_ok=True)


def test_photos_where_they_lie_have_the_numbers_of_the_dataset(source, imported):
    facts = survey(source, LocalExecutor()).facts
    found = survey_pixels(source, facts, LocalExecutor())
    pd.testing.assert_frame_equal(found, pixels_of(imported, LocalExecutor()))


def test_a_second_look_measures_nothing(source, imported):
    facts = survey(source, LocalExecutor()).facts
    for look in (lambda by: pixels_of(imported, by), lambda by: survey_pixels(source, facts, by)):
        first, second = Counting(), Counting()
        before = look(first)
        pd.testing.assert_frame_equal(look(second), before)
        assert first.n > 0
        assert second.n == 0


def test_a_file_that_has_changed_is_measured_again(source, encode):
    survey_pixels(source, survey(source, LocalExecutor()).facts, LocalExecutor())
    changed = np.full((50, 50, 3), 90, np.uint8)
    source.root.write_bytes("b/y/1.jpg", encode(changed))
    facts = survey(source, LocalExecutor()).facts
    found = survey_pixels(source, facts, LocalExecutor()).set_index(facts["path"])
    assert found.loc["b/y/1.jpg", "brightness"] == 90


@pytest.mark.parametrize("damage", ["garbage", "another version", "another dataset"])
def test_what_is_kept_of_other_photos_or_damaged_is_measured_again(imported, damage):
    before = pixels_of(imported, LocalExecutor())
    folder = imported.folder
    table = folder.read_table(PIXELS_FILE).to_pandas()
    if damage == "garbage":
        folder.write_bytes(PIXELS_FILE, b"no table")
    else:
        changed = {"another version": table.assign(version=0), "another dataset": table.iloc[::-1]}[damage]
        keep(folder, PIXELS_FILE, changed)
    executor = Counting()
    pd.testing.assert_frame_equal(pixels_of(open_dataset(folder), executor), before)
    assert executor.n > 0


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("1", (40, 40), 1),
        Image.new("L", (40, 40), 9),
        Image.new("LA", (40, 40), (9, 100)),
        Image.new("P", (40, 40), 3),
        Image.new("I;16", (40, 40), 30000),
        Image.new("RGB", (5, 90), "red"),
    ],
    ids=lambda picture: picture.mode,
)
def test_whatever_can_be_imported_is_measured(picture, encode):
    assert set(measure_pixels(encode(picture))) == set(STATISTICS)


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_jpegs_of_any_colours_are_measured(mode, encode, noise):
    picture = Image.fromarray(noise(64, 64)).convert(mode)
    assert measure_pixels(encode(picture, "JPEG", quality=75))["luma_step"] > 1


def test_every_statistic_is_a_column(imported):
    assert [*pixels_of(imported, LocalExecutor())] == ["image_id", *STATISTICS]


def test_of_many_photos_as_many_of_every_cell_are_measured(monkeypatch, source, imported):
    monkeypatch.setattr("camerabias.datasets.inspection.pixels.MAX_PHOTOS", 9)
    found = pixels_of(imported, LocalExecutor(), most=9)
    measured = imported.index.set_index("image_id").loc[found["image_id"]]
    assert measured.groupby(["label", "camera"]).size().tolist() == [2, 2, 2, 2]
    facts = survey(source, LocalExecutor()).facts
    pd.testing.assert_frame_equal(survey_pixels(source, facts, LocalExecutor()), found)
