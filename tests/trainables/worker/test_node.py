"""What is checked of a node, and the error where a check fails."""

import os
from pathlib import Path

import pytest

from camerabias.datasets.io.storage import StorageError
from camerabias.trainables.records.run import Run
from camerabias.trainables.worker.node import Expected, NodeError, check_node, describe_node, versions


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "run")
    run.write_lease({"owner": "driver"})
    return run


@pytest.fixture
def expected(run, dataset):
    return Expected(
        run=run.folder.uri,
        dataset=dataset.folder.uri,
        fingerprint=dataset.manifest.fingerprint,
        owner="driver",
        versions=versions(),
    )


def test_node_that_serves_is_written_down_and_leaves_nothing_else(expected, run):
    node = check_node(expected)
    assert node.host == os.uname().nodename
    assert run.folder.child("nodes").read_json(f"{node.host}.json") == node.model_dump(mode="json")
    assert run.folder.names() == ["driver.json", "nodes"]


def test_memory_and_processors_are_those_of_the_machine():
    node = describe_node()
    (total,) = (
        line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    assert node.memory_gib == pytest.approx(int(total.split()[1]) / 2**20, abs=0.06)
    assert 1 <= node.cpus <= os.cpu_count()


def test_node_of_other_versions_is_refused_by_name(expected):
    other = expected.model_copy(update={"versions": versions() | {"torch": "1.0"}})
    with pytest.raises(NodeError, match=r"torch .* where the driver has 1\.0"):
        check_node(other)


@pytest.mark.parametrize("lease", [None, {"owner": "somebody else"}])
def test_folder_that_is_not_the_drivers_is_refused(expected, run, lease):
    if lease is None:
        run.drop_lease()
    else:
        run.write_lease(lease)
    with pytest.raises(NodeError, match="not shared between the nodes"):
        check_node(expected)


def test_another_dataset_at_the_same_place_is_refused(expected):
    with pytest.raises(NodeError, match="sees another dataset"):
        check_node(expected.model_copy(update={"fingerprint": "0" * 64}))


def test_storage_that_cannot_be_written_is_named(expected, run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StorageError, match="No space left on device"):
        check_node(expected)
