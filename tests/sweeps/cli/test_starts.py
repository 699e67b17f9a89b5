"""A command imports what it uses: how soon it starts is decided by what it leaves alone. Nothing is timed here."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pandas as pd
import pytest

TRAINING = {"torch", "torchvision", "timm", "ray", "kornia", "captum"}
NUMBERS = {"numpy", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib"}

RUN = """
import sys
from camerabias.sweeps.cli.main import main
sys.argv = ["camerabias", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("imported:", *sorted(sys.modules), file=sys.stderr)
"""


def imported_by(*command):
    """Modules that a command, run in a process of its own, has imported when it ends."""
    ended = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, command)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.rpartition("imported:")[2].split())


@pytest.fixture
def predictions(tmp_path):
    """A table of a classifier's predictions."""
    rows = {
        "label": ["cat", "dog"] * 30,
        "camera": ["A", "A", "B", "B"] * 15,
        "prediction": ["cat", "dog"] * 30,
    }
    pd.DataFrame(rows).to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path / "predictions.csv"


@pytest.mark.parametrize("command", [["--help"], ["audit", "--help"], ["sweep", "run", "--help"]])
def test_help_imports_nothing_that_computes(command):
    assert not (TRAINING | NUMBERS) & imported_by(*command)


def test_judge_imports_nothing_that_trains_or_draws(predictions):
    assert not (TRAINING | {"sklearn", "scipy.stats", "matplotlib"}) & imported_by("judge", predictions)


def test_check_imports_nothing_that_trains(dataset):
    assert not (TRAINING | {"optuna"}) & imported_by("check", dataset.folder)


def test_report_imports_nothing_that_trains(tmp_path):
    archive = Path(__file__).parents[2] / "fixtures/old_run/old_run.tar.gz"
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    assert not TRAINING & imported_by("report", tmp_path / "run")
