import os
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.inspection.metadata import gather_facts
from camerabias.datasets.inspection.survey import survey
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


class Counting(LocalExecutor):
    """Counts the photos that are read."""

    n = 0

    def map(self, work, items):
        self.n += sum(map(len, items))
        return super().map(work, items)


@pytest.fixture
def table(tmp_path):
    """A table of twelve photos, two of each by EXIF Canon, in another folder than other tests'."""
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (40 + number, 64, 3), dtype=np.uint8)
        ending, extra = (".jpg", {"exif": exif}) if number % 2 else (".png", {})
        Image.fromarray(noise).save(tmp_path / f"{number}{ending}", **extra)
    rows = [
        (f"{n}.jpg" if n % 2 else f"{n}.png", "ab"[n % 3 > 0], "xy"[n // 6], f"g{n // 2}") for n in range(12)
    ]
    frame = pd.DataFrame(rows, columns=["path", "label", "camera", "group"])
    frame.to_csv(tmp_path / "photos.csv", index=False)
    return tmp_path / "photos.csv"


def look(table, executor=None, **reading):
    return survey(read_source(str(table), Reading(**reading)), executor or LocalExecutor())


@pytest.mark.parametrize("reading", [{}, {"camera_from": "exif"}])
def test_facts_are_those_of_the_dataset_that_an_import_makes(table, tmp_path, reading):
    source = read_source(str(table), Reading(**reading))
    dataset = import_dataset(source, Folder(tmp_path / "out"), LocalExecutor())
    found, expected = look(table, **reading).facts, gather_facts(dataset, LocalExecutor())
    pd.testing.assert_frame_equal(found.fillna("none"), expected.fillna("none"), check_dtype=False)


def test_photos_are_read_once_and_again_where_they_have_changed(table):
    first, second, third = Counting(), Counting(), Counting()
    before = look(table, first).facts
    assert look(table, second).facts.equals(before)
    Image.new("RGB", (99, 77)).save(table.parent / "3.jpg")
    after = look(table, third).facts.set_index("path")
    assert (first.n, second.n, third.n) == (12, 0, 1)
    assert after.loc["3.jpg", ["width", "height"]].tolist() == [99, 77]


def test_words_come_from_the_table_as_it_is_now(table):
    look(table)
    table.write_text(table.read_text().replace(",x,", ",z,"))
    executor = Counting()
    assert set(look(table, executor).facts["camera"]) == {"z", "y"}
    assert executor.n == 0


def test_what_cannot_be_used_is_named_and_too_much_of_it_refused(table):
    (table.parent / "3.jpg").write_bytes(bytes(5000))
    source = read_source(str(table))
    camera = source.photos[3].camera
    counted = rf"1 of '{camera}' \(first: 3.jpg: holds only zero bytes: .*"
    with pytest.raises(CamerabiasError, match=rf"1 of 12 photos cannot be used \({counted}--max-rejected"):
        survey(source, LocalExecutor())
    found = survey(source, LocalExecutor(), max_rejected=0.1)
    assert [*found.rejected] == ["3.jpg"]
    assert re.match(f"Photos that cannot be used are dropped: {counted}", found.notes[0])
    assert len(found.facts) == 11


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(table, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CAMERABIAS_CACHE", str(tmp_path / "file"))
    assert len(look(table).facts) == 12
    assert "not kept for the next time" in caplog.text


def test_what_an_import_would_notice_is_noticed(tmp_path):
    dark = Image.fromarray(np.random.default_rng(0).integers(0, 4096, (30, 40)).astype(np.uint16))
    (tmp_path / "photos/a").mkdir(parents=True)
    for number, model in enumerate(["Go-2", "Go-2", "GO-2", "Go-3"]):
        exif = Image.Exif()
        exif[0x0110] = model
        dark.point(lambda value, n=number: value + n).save(tmp_path / f"photos/a/{number}.png", exif=exif)
    os.rename(tmp_path / "photos/a/0.png", bytes(tmp_path) + b"/photos/a/caf\xe9.png")
    source = read_source(str(tmp_path / "photos"), Reading(camera_from="exif"))
    dataset = import_dataset(source, Folder(tmp_path / "out"), LocalExecutor())
    for _ in range(2):  # the second time from the cache
        found = survey(source, LocalExecutor())
        assert found.notes == dataset.manifest.notes
        assert found.facts["path"].tolist() == ["a/1.png", "a/2.png", "a/3.png", "a/café.png"]
    assert len(found.notes) == 2
    assert "12 bits in 3 photos of 'Go-2'" in found.notes[1]


@pytest.mark.parametrize("swapped", [True, False])
def test_what_exif_calls_the_camera_is_not_the_label(tmp_path, swapped):
    for number in range(8):
        exif, label = Image.Exif(), "AB"[number % 2]
        exif[0x0110] = device = ["Lumen Go-2", "Acme 5"][number // 2 % 2]
        place = tmp_path / (f"{device}/{label}" if swapped else f"{label}/{device}")
        place.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (40, 64, 3), dtype=np.uint8)
        Image.fromarray(noise).save(place / f"{number}.jpg", exif=exif)
    notes = look(tmp_path).notes
    assert (
        any("EXIF names as the camera what is read as the label: 'Acme 5'" in note for note in notes)
        == swapped
    )
    assert look(tmp_path, layout="camera/label" if swapped else "label/camera").notes == ()
