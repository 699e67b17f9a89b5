"""Imports run one way: between top-level folders, between rooms, and without a circle between files."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ROOMS = [
    "datasets.schema",
    "datasets.near_names",
    "datasets.io",
    "datasets.dataset",
    "datasets.sampling",
    "datasets.simulator",
    "datasets.views",
    "datasets.reading",
    "datasets.sources",
    "datasets.predictions",
    "datasets.ingest",
    "datasets.pixels",
    "datasets.interventions",
    "datasets.cues",
    "datasets.inspection",
    "trainables.spec",
    "trainables.records",
    "trainables.models",
    "trainables.training",
    "trainables.embeddings",
    "trainables.linear_probe",
    "trainables.probes",
    "trainables.worker",
    "analysis.statistics",
    "analysis.records",
    "analysis.design",
    "analysis.effects",
    "analysis.cues",
    "analysis.verdict",
    "analysis.judged",
    "analysis.paper",
    "analysis.report",
    "analysis.calibration",
    "sweeps.planning",
    "sweeps.runs",
    "sweeps.monitoring",
    "sweeps.execution",
    "sweeps.search",
    "sweeps.printing",
    "sweeps.audit",
    "sweeps.calibration",
    "sweeps.remote",
    "api",
    "sweeps.cli",
]
"""Each room may use those above it; `FORBIDDEN` takes some of that back."""

FORBIDDEN = {
    "analysis": {
        "datasets.sampling",
        "datasets.views",
        "datasets.reading",
        "datasets.sources",
        "datasets.ingest",
        "datasets.inspection",
        "datasets.dataset",
    }
    | {
        "datasets.simulator",
        "trainables.models",
        "trainables.training",
        "trainables.embeddings",
        "trainables.linear_probe",
        "trainables.probes",
        "trainables.worker",
    },
    "datasets.reading": {"datasets.views", "datasets.simulator", "datasets.sampling"},
    "datasets.sources": {"datasets.views", "datasets.simulator", "datasets.sampling"},
    "datasets.ingest": {"datasets.views"},
}
"""Analysis reads words and schemas of datasets and trainables alone; photos are imported without views."""

MAX_FILES, MAX_LINES, MAX_BODY = 12, 400, 30

PACKAGES = ("api", "datasets", "trainables", "sweeps", "analysis")
FILES = {
    "camerabias." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removeprefix("api."): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def imported_modules(path):
    """Modules that a file imports, at any depth of its code and for types alone, too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from {name if name in FILES else node.module for name in names}
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def room(module):
    if FILES[module].parent == ROOT / "api":
        return "api"
    return next((name for name in ROOMS if f"{module}.".startswith(f"camerabias.{name}.")), None)


IMPORTS = {
    module: {name for name in imported_modules(path) if name in FILES} for module, path in FILES.items()
}


@pytest.mark.parametrize("module", [name for name in FILES if not name.endswith("__init__")])
def test_rooms_use_those_above_them_alone(module):
    assert room(module), f"{module} is in no room of ROOMS"
    used = {room(other) for other in IMPORTS[module]} - {None, room(module)}
    assert used <= {*ROOMS[: ROOMS.index(room(module))]}
    for name, forbidden in FORBIDDEN.items():
        if f"{module}.".startswith(f"camerabias.{name}."):
            assert not used & forbidden


def test_no_file_imports_in_a_circle():
    TopologicalSorter(IMPORTS).prepare()  # raises with the circle


def test_every_package_is_installed():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {name.removesuffix(".__init__") for name in FILES if name.endswith("__init__")}
    assert {*tool["packages"]} == found


def test_every_room_says_what_it_is_for():
    for name in ROOMS:
        folder = ROOT / name.replace(".", "/")
        if folder.is_dir():
            assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder
            assert len([*folder.glob("*.py")]) <= MAX_FILES, f"{folder} has more than {MAX_FILES} files"


def public_types(path):
    """Names of the classes of a file, and of what it calls a type: `Rows = npt.NDArray[np.int64]`."""
    for node in ast.parse(path.read_text()).body:
        targets = getattr(node, "targets", [])
        names = [node.name] if isinstance(node, ast.ClassDef) else [getattr(t, "id", "") for t in targets]
        yield from (name for name in names if re.fullmatch("[A-Z]+[a-z]+[A-Za-z]*", name))


def test_a_type_has_a_name_of_its_own():
    files = {}
    for path in FILES.values():
        for name in public_types(path):
            files.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in files.items() if len(found) > 1} == {}


def test_only_the_adapter_knows_ray_and_trials():
    tops = {module: {name.split(".")[0] for name in imported_modules(path)} for module, path in FILES.items()}
    users = {module for module, found in tops.items() if "ray" in found and ".trainables." in module}
    assert users == {"camerabias.trainables.worker.tune_adapter"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("camerabias", ["torch", "ray", "pandas", "numpy"]),
        ("camerabias.results", ["torch", "ray"]),
        ("camerabias.judging", ["torch", "ray", "matplotlib", "scipy.stats"]),
        ("camerabias.analysis.report.report", ["torch", "ray"]),
        ("camerabias.analysis.design.check", ["torch", "ray", "scipy.stats"]),
        ("camerabias.datasets.ingest.create", ["torch", "ray"]),
        ("camerabias.sweeps.execution.sweep", ["torch", "ray", "timm"]),
        ("camerabias.sweeps.cli.main", ["torch", "ray", "pandas", "numpy"]),
    ],
)
def test_heavy_imports_stay_away(module, absent):
    code = f"import {module}, sys; found = set({absent!r}) & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)


BENCHMARKS = [*(ROOT / "benchmarks").glob("*.py")]


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.name)
def test_benchmarks_import_what_is_there(path):
    """They are not run by tests, and so would rot."""
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    imports += [
        node
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and "\nimport " in text.value
        for node in ast.walk(ast.parse(text.value))
        if isinstance(node, ast.ImportFrom)
    ]
    for node in imports:
        if node.module and node.module.startswith("camerabias"):
            module = importlib.import_module(node.module)
            missing = [
                name.name
                for name in node.names
                if not hasattr(module, name.name)
                and importlib.util.find_spec(f"{node.module}.{name.name}") is None
            ]
            assert not missing, f"{path.name}: {node.module} has no {missing}"


def functions():
    for path in FILES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def test_files_and_functions_are_read_at_one_go():
    long_files = [str(path) for path in FILES.values() if path.read_text().count("\n") > 400]
    long_functions = []
    for path, function in functions():
        body = function.body[ast.get_docstring(function) is not None :]
        if body and body[-1].end_lineno - body[0].lineno >= 30:
            long_functions.append(f"{path}: {function.name}")
    assert long_files == long_functions == []
