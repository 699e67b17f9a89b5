"""A cluster that the tests of a session share, on hosts of its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside this file

from cluster import Cluster
from hosts import Network, missing_tools


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A head and two workers, up, with photos in the bucket."""
    if reason := missing_tools():
        pytest.skip(f"hosts of its own: {reason}")
    with Network(tmp_path_factory.mktemp("hosts") / "network") as network:
        cluster = Cluster(network)
        cluster.mend()
        cluster.make_photos()
        yield cluster
        cluster.stop_forwarding()


@pytest.fixture(autouse=True)
def _bucket(cluster, monkeypatch):
    """Let the test itself look into the bucket; other tests have AWS of their own."""
    for name, value in cluster.s3.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def sweep(cluster):
    """A function that makes the arguments of a sweep into a run."""
    return cluster.sweep


@pytest.fixture(scope="session")
def undisturbed(cluster, sweep):
    """The run of the study that nothing has disturbed: on the laptop, without Ray."""
    run = str(cluster.laptop / "undisturbed")
    cluster.on_laptop("camerabias", *sweep(run), "--executor", "local")
    return run
