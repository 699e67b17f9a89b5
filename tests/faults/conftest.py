"""A small world that every kind of fault is tried on."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside this file

from world import make_world


@pytest.fixture(scope="session")
def whole_world(tmp_path_factory):
    """The world as it was made; who changes anything copies it, or puts it back."""
    folder = tmp_path_factory.mktemp("world")
    make_world(folder)
    return folder


@pytest.fixture
def world(whole_world, tmp_path):
    """A copy of the world, to be damaged."""
    shutil.copytree(whole_world, tmp_path / "world")
    return tmp_path / "world"
