"""What the tests of the files for clusters share: the files, and what the lock pins."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def read():
    """A function that reads a file of the repository."""
    return lambda name: (ROOT / name).read_text()


@pytest.fixture(scope="session")
def locked(read):
    """A function that tells the version that the lock pins of a package."""

    def version(package):
        (found,) = re.findall(rf"^{package}==(\S+)", read("requirements.lock"), flags=re.MULTILINE)
        return found

    return version


@pytest.fixture
def clusters(read):
    """Both files for `ray up`, by name, read anew for every test."""
    return {name: yaml.safe_load(read(name)) for name in ("cluster.yaml", "deploy/cluster-local.yaml")}
