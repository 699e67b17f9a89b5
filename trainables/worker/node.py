"""The checks of a node before it runs trials: that it has the driver's storage, dataset and versions.

Without torch, so that the check costs a node little; GPUs are named by what `nvidia-smi` prints.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import cache
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict

from camerabias.datasets.dataset import open_manifest
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.run import Run

VERSIONED = ("camerabias", "torch", "torchvision", "timm", "numpy")
"""Packages that decide a trial's numbers."""


class NodeError(CamerabiasError):
    """A node that cannot serve a sweep, which is no trial's fault."""


class Expected(BaseModel):
    """What a driver knows and its nodes must find just so; travels through Ray as a dictionary."""

    model_config = ConfigDict(frozen=True)

    run: str
    dataset: str
    fingerprint: str
    owner: str
    """The owner that the run's lease names: a node that reads another one sees another folder."""
    versions: dict[str, str]


class Node(BaseModel):
    """`nodes/HOST.json`: a node that has run trials."""

    model_config = ConfigDict(frozen=True)

    host: str
    cpus: int
    memory_gib: float
    gpus: tuple[str, ...]
    versions: dict[str, str]


def check_node(expected: Expected) -> Node:
    """Check this node, and write `nodes/HOST.json` into the run.

    Raises:
        NodeError: It cannot serve the sweep.
        StorageError: Its storage fails.
    """
    try:
        return _check(expected)
    except (NodeError, StorageError):
        raise
    except Exception as error:  # whatever a node lacks, it cannot serve, and says why
        raise NodeError(
            f"{platform.node()} cannot serve the sweep ({type(error).__name__}: {error})."
        ) from error


def _check(expected: Expected) -> Node:
    run = Run(expected.run)
    node = describe_node()
    differing = [
        f"{name} {found} where the driver has {expected.versions.get(name)}"
        for name, found in node.versions.items()
        if found != expected.versions.get(name)
    ]
    if differing:
        raise NodeError(
            f"{node.host} has {', '.join(differing)}; records would not be equal. Install the same "
            "requirements.lock on every node."
        )
    lease = run.lease()
    if lease is None or lease["owner"] != expected.owner:
        raise NodeError(
            f"{node.host} does not see the driver's folder at {run.folder}: it is not shared between the nodes. Give "
            "an s3:// or gs:// address, or a folder that every node mounts."
        )
    run.folder.check_access()
    if open_manifest(expected.dataset).fingerprint != expected.fingerprint:
        raise NodeError(f"{node.host} sees another dataset at {expected.dataset} than the driver.")
    run.write_node(node.host, node.model_dump(mode="json"))
    return node


@cache
def check_node_once(expected_json: str) -> Node:
    """`check_node`, once per process; `expected_json` is an `Expected` as JSON."""
    return check_node(Expected.model_validate_json(expected_json))


def describe_node() -> Node:
    """This machine, as far as trials care."""
    return Node(
        host=platform.node(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        gpus=find_gpus(),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Versions of Python and of what decides a trial's numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in VERSIONED}}


def find_gpus() -> tuple[str, ...]:
    """What `nvidia-smi` prints of the GPUs of this machine."""
    if shutil.which("nvidia-smi") is None:
        return ()
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    done = subprocess.run(  # noqa: S603 - nothing of a user's is in it
        command, capture_output=True, text=True, check=False, timeout=60
    )
    return tuple(done.stdout.strip().splitlines()) if done.returncode == 0 else ()
