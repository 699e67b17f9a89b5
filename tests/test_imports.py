"""Imports run one way, and the heavy ones stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "datasets": {"datasets"},
    "trainables": {"trainables", "datasets"},
    "sweeps": {"sweeps", "trainables", "datasets", "analysis"},
    "analysis": {"analysis", "datasets", "trainables"},
}
WORDS_AND_SCHEMAS = {
    "camerabias.datasets.schema",
    "camerabias.datasets.storage",
    "camerabias.datasets.decode",
    "camerabias.trainables.config",
    "camerabias.trainables.record",
    "camerabias.trainables.search",
}
FILES = [(part, path) for part in ALLOWED for path in sorted((ROOT / part).rglob("*.py"))]


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(("part", "path"), FILES, ids=lambda value: getattr(value, "name", value))
def test_imports_run_one_way(part, path):
    ours = {module for module in imported_modules(path) if module.startswith("camerabias.")}
    assert {module.split(".")[1] for module in ours} <= ALLOWED[part]
    if part == "analysis":
        foreign = {module for module in ours if not module.startswith("camerabias.analysis")}
        assert foreign <= WORDS_AND_SCHEMAS


def test_only_the_adapter_knows_ray_and_trials():
    users = {path.name for part, path in FILES if part == "trainables" and "ray" in set(tops(path))}
    assert users == {"tune_adapter.py"}


def tops(path):
    return (module.split(".")[0] for module in imported_modules(path))


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("camerabias.analysis.report", ["torch", "ray"]),
        ("camerabias.analysis.design", ["torch", "ray", "scipy.stats"]),
        ("camerabias.datasets.create", ["torch", "ray"]),
        ("camerabias.sweeps.sweep", ["torch", "ray", "timm"]),
        ("camerabias.sweeps.cli", ["torch", "ray", "pandas", "numpy"]),
    ],
)
def test_heavy_imports_stay_away(module, absent):
    code = f"import {module}, sys; found = set({absent!r}) & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)
