"""Every figure is produced, at its smallest size: none stands broken unnoticed. What it says is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import figures

ROOT = Path(__file__).parents[2]

SMALL = {
    "audit": ["check"],
    "crops": ["1"],
    "embeddings": ["1", "10"],
    "growth": ["images", "1000"],
    "importing": ["64", "1", "40"],
    "judge": ["200"],
    "memory": ["2", "40"],
    "nodes": ["6", "0.1", "1"],
    "on_gpu": ["FOLDER", "--small"],
    "peers_domainbed": [".", "4", "1", "1", "50", "ours"],
    "peers_training": [".", "1", "1", "96", "ours-local"],
    "pixels": ["1"],
    "precision": ["1", "1"],
    "reading": ["10", "1"],
    "simulating": ["64"],
    "starting": ["local"],
    "sweep": ["1", "1", "96"],
    "training": ["1", "2"],
}
"""Figures that print JSON, with arguments; FOLDER stands for one to work in. Of peers our own side alone: their
checkouts are the user's."""

STATISTICS = {
    "association": ["1"],
    "duplicates": ["PHOTOS"],
    "exchanges": ["1", "cameras"],
    "intervals": ["1"],
    "judged_truth": ["100"],
    "mixed_groups": ["1", "huge"],
}
"""Figures that print a table; PHOTOS stands for a folder of some."""

LACKING = {
    "cue_naming": "a bank of datasets, hours of work; its steps have tests of their own",
    "edited_photos": "ImageMagick and RawTherapee",
    "peers": "packages of others",
}
"""Figures that need more than there is here."""


def test_every_figure_is_produced_by_a_test_or_needs_what_is_not_here():
    assert {*SMALL, *STATISTICS, *LACKING} == {*figures()}


def run(name, arguments):
    command = [sys.executable, "-m", "benchmarks", name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.xdist_group("ray")  # of which `nodes` starts one; two at a time would only slow each other
@pytest.mark.parametrize("name", SMALL)
def test_figure_is_told_as_json(name, tmp_path):
    told = run(name, [str(tmp_path) if word == "FOLDER" else word for word in SMALL[name]])
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert name in {line["figure"].split()[0] for line in lines}
    assert all(value >= 0 for line in lines for value in line.values() if isinstance(value, float))


@pytest.mark.slow
@pytest.mark.parametrize("name", STATISTICS)
def test_figure_of_statistics_is_told(name, tmp_path):
    generator = np.random.default_rng(0)
    for number in range(4):
        pixels = generator.integers(0, 256, (96, 128, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), cv2.GaussianBlur(pixels, (0, 0), 4))
    told = run(name, [str(tmp_path) if word == "PHOTOS" else word for word in STATISTICS[name]])
    assert any(character.isdigit() for character in told)
