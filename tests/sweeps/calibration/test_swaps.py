"""Swaps of cues: what is moved and what is simulated of it meet in the same photos."""

import numpy as np
import pandas as pd
import pytest

from camerabias.analysis.calibration.lines import read_documents
from camerabias.analysis.calibration.swaps import SwapLine
from camerabias.datasets.io.decode import decode
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.simulator import CAMERAS, CUES, simulate
from camerabias.sweeps.calibration import bank, swaps
from camerabias.sweeps.calibration.bank import World, make_world


def seen(photos):
    """Features that show the white balance: mean red and blue over green."""
    means = np.stack([np.asarray(photo).mean(axis=(0, 1)) for photo in photos])
    return (means[:, ::2] / means[:, 1:2]).astype(np.float16)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A bank, and a world whose cameras differ in white balance alone, so that a probe of `seen` follows it."""
    monkeypatch.setattr(bank, "PHOTOS", 160)
    monkeypatch.setattr(bank, "SHOT_AGAIN", 0)
    monkeypatch.setattr(bank, "embed_photos", seen)
    monkeypatch.setattr(swaps, "embed_photos", seen)
    monkeypatch.setattr(swaps, "TESTED", 24)
    folder, world = Folder(tmp_path / "bank"), World(3, {"white balance": 1.0}, 64)
    make_world(folder, world)
    return folder, world


def test_cues_that_cannot_be_moved_are_not_asked_for():
    asked = swaps.swaps([World(0, {"noise": 1.0, "sensor pattern": 1.0}, 64), World(1, {}, 64)])
    assert [(world.number, cue) for world, cue in asked] == [(0, "noise")]


def test_photos_moved_come_to_what_is_simulated(world):
    folder, planted = world
    line = swaps.judge_swap(folder, (planted, "white balance"))
    assert line.exact > 0.3, "the probe follows white balance"
    assert line.swapped == pytest.approx(line.exact, abs=0.15)
    assert line.photos == 2 * 24, "each with both cameras of the other label"


def test_simulated_photos_are_those_of_the_rows_with_the_other_cameras_cue(world):
    _, planted = world
    first, second = [*CAMERAS][:2]
    rows = pd.DataFrame({"group": ["bottle-0007"], "camera": [first], "other": [second]})
    (found,) = swaps._simulated(planted, "white balance", rows)
    expected = simulate(planted.spec, 7 * len(CAMERAS), second, CUES)
    np.testing.assert_array_equal(found, decode(expected.jpeg))


def test_swaps_that_have_a_line_are_not_judged_again(world, tmp_path, here_and_now, monkeypatch):
    folder, planted = world
    asked, out = swaps.swaps([planted]), tmp_path / "swaps.jsonl"
    (line,) = swaps.run_swaps(asked, folder, out, 1)
    monkeypatch.setattr(swaps, "judge_swap", lambda bank, swap: pytest.fail("judged again"))
    assert list(swaps.run_swaps(asked, folder, out, 1)) == []
    assert read_documents(out, SwapLine) == [line]
