"""What needs neither torch nor Ray works where only the core is installed."""

import json
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from camerabias.sweeps.cli.main import NOT_IN_CORE

ROOT = Path(__file__).parent.parent
ARCHIVE = ROOT / "tests/fixtures/old_run/old_run.tar.gz"
MOST_MIB = 650


def pinned(lock):
    """Package, version and marker of every pin."""
    return set(re.findall(r"^([\w.-]+==\S+(?: ; [^\\]*)?) \\$", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_core_is_part_of_the_whole_at_the_same_versions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {re.match(r"[\w-]+", line)[0] for line in project["project"]["dependencies"]}
    core = {*project["dependency-groups"]["core"]}
    assert core < needed
    assert {name.replace("-", "_") for name in needed - core} == NOT_IN_CORE
    versions = [
        {pin.partition(" ;")[0] for pin in pinned(f"requirements{part}.lock")} for part in ("-core", "")
    ]
    assert versions[0] < versions[1]
    names = {pin.partition("==")[0] for pin in versions[0]}
    assert {"numpy", "pandas"} < names
    assert not {"torch", "ray", "triton"} & names
    assert "://" not in (ROOT / "requirements-core.lock").read_text()


@pytest.fixture
def core(tmp_path):
    """An environment with nothing but the core, and this package."""
    python, uv = tmp_path / "core/bin/python", ROOT / ".venv/bin/uv"
    if not uv.exists():
        pytest.skip("uv, which `make` installs, makes the environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "core"], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python]
    locked = ["--require-hashes", "--requirement", ROOT / "requirements-core.lock"]
    subprocess.run([*install, *locked], check=True)
    size = sum(path.stat().st_size for path in (tmp_path / "core/lib").rglob("*") if path.is_file())
    assert size <= MOST_MIB * 2**20
    subprocess.run([*install, "--no-deps", ROOT], check=True)
    return python


@pytest.mark.slow
def test_judge_check_load_and_report_work_in_the_core(core, tmp_path):
    """Only here is an import seen that works since torch happens to be installed."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    camera = np.arange(400) % 2
    label = np.where(np.arange(400) % 10 < 7, camera, 1 - camera)
    columns = {"label": label, "prediction": camera, "camera": camera}
    pd.DataFrame(columns).map("abc".__getitem__).to_csv(tmp_path / "predictions.csv", index=False)

    def camerabias(*arguments):
        command = [core.with_name("camerabias"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert "Verdict: cheating" in camerabias("judge", "predictions.csv", "--run", "judged").stdout
    assert "Which questions these photos can test" in camerabias("check", "dataset", "--details").stdout
    assert json.loads(camerabias("report", "run", "--json").stdout)["verdict"] == "cheating"
    assert camerabias("report", "run", "judged").returncode == 0
    loaded = "import camerabias; assert len(camerabias.load('run').accuracy()) > 10"
    subprocess.run([core, "-c", loaded], cwd=tmp_path, check=True)
    audit = camerabias("audit", "dataset", "--run", "audited")
    assert (audit.returncode, audit.stdout) == (1, "")
    assert "which the core install does not have; install what is in requirements.lock" in audit.stderr
