"""A cluster that the tests of a session share, on hosts of its own."""

import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside this file

from cluster import BUCKET, Cluster
from hosts import Network, missing_tools

STUDY = {
    "title": "short trials",
    "models": ["test_resnet"],
    "seeds": [0, 1],
    "recipe": {"base": "demo", "max_steps": 150, "evaluate_every": 25, "batch_size": 32},
    "grids": [{"target": "camera", "settings": ["balanced"]}, {"target": "label", "settings": ["disjoint"]}],
}


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A head and two workers, up, with photos in the bucket."""
    if reason := missing_tools():
        pytest.skip(f"hosts of its own: {reason}")
    with Network(tmp_path_factory.mktemp("hosts") / "network") as network:
        cluster = Cluster(network)
        cluster.mend()
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


@pytest.fixture(scope="session")
def sweep(cluster):
    """A function that makes the arguments of the sweep of a study into a run."""

    def arguments(run, **changes):
        name = "study" + "".join(f"-{key}" for key in changes)
        (cluster.laptop / f"{name}.yaml").write_text(yaml.safe_dump(STUDY | changes))
        return [
            "sweep",
            "run",
            f"{name}.yaml",
            "--data",
            f"{BUCKET}/photos",
            "--weights",
            "none",
            "--run",
            run,
        ]

    return arguments


@pytest.fixture(scope="session")
def undisturbed(cluster, sweep):
    """The run of the study that nothing has disturbed: on the laptop, without Ray."""
    run = str(cluster.laptop / "undisturbed")
    cluster.on_laptop("camerabias", *sweep(run), "--executor", "local")
    return run
