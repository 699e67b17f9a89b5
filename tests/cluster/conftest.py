"""A cluster that the tests of a session share, on hosts of its own."""

import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside this file

from cluster import BUCKET, Cluster
from hosts import Network, missing_tools

RECIPE = {"base": "demo", "max_steps": 150, "evaluate_every": 25, "batch_size": 32}
STUDY = {
    "title": "short trials",
    "models": ["test_resnet"],
    "seeds": [0, 1],
    "recipe": RECIPE,
    "grids": [{"target": "camera", "settings": ["balanced"]}, {"target": "label", "settings": ["disjoint"]}],
}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A head and two workers, up, with photos in the bucket."""
    if reason := missing_tools():
        pytest.skip(f"hosts of its own: {reason}")
    with Network(tmp_path_factory.mktemp("hosts")) as network:
        cluster = Cluster(network)
        cluster.up()
        photos = [
            "data",
            "simulate",
            f"{BUCKET}/photos",
            "--images",
            "200",
            "--size",
            "64",
            "--executor",
            "local",
        ]
        cluster.on_laptop("camerabias", *photos)
        yield cluster
        cluster.stop_forwarding()


@pytest.fixture
def study(cluster):
    """Writes a study file on the laptop, and returns the arguments of its sweep."""

    def write(name, **changes):
        (cluster.laptop / f"{name}.yaml").write_text(yaml.safe_dump(STUDY | changes))
        data = ["--data", f"{BUCKET}/photos", "--weights", "none"]
        return ["sweep", "run", f"{name}.yaml", *data, "--run", f"{BUCKET}/runs/{name}"]

    return write
