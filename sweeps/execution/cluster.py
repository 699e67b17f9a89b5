"""The Ray cluster that a sweep joins: every node is checked before anything starts, and so is who may join."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from camerabias.datasets.io.ray_connection import connect_ray
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.worker.node import Expected, Node, NodeError, check_node

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_SECONDS = 900.0
"""How long a node may take to answer: it waits ten minutes for a storage before it says that it has none."""


def join(address: str | None, expected: Expected, allow_unauthenticated: bool) -> list[Node]:
    """Connect to Ray and, where it is a cluster that was started by others, check its nodes.

    Args:
        address: Of the cluster; None is the one that this process is a job of, or else a Ray of its own.
        expected: What every node must find.
        allow_unauthenticated: Whether a cluster may be one that obeys everybody who reaches its ports.

    Returns:
        Its nodes; of a Ray of this process's own, none.

    Raises:
        CamerabiasError: The cluster asks for no token.
        NodeError, StorageError: A node cannot serve the sweep.
    """
    if not connect_ray(address):
        return []
    nodes = []
    for node, authenticated in _ask_nodes(expected):
        if not (authenticated or allow_unauthenticated):
            raise CamerabiasError(
                f"{node.host} of the cluster asks for no token, so everybody who reaches its ports can run code on "
                "it. Start it with RAY_AUTH_MODE=token (see docs/cluster.md), or force it with "
                "--allow-unauthenticated."
            )
        nodes.append(node)
    return nodes


def _ask_nodes(expected: Expected) -> Iterator[tuple[Node, bool]]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(num_cpus=0, max_retries=0)(_answer)
    asked = {
        node["NodeID"]: ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(expected.model_dump_json())
        for node in _alive()
    }
    for node_id, answer in asked.items():
        try:
            answered = ray.get(answer, timeout=ANSWER_SECONDS)
        except ray.exceptions.RayError as error:
            hosts = [node["NodeManagerHostname"] for node in _alive() if node["NodeID"] == node_id]
            if not hosts:  # lost since: a sweep goes on without it
                continue
            reason = " ".join(str(error).split())[:300]
            raise NodeError(
                f"{hosts[0]} does not answer as a node of this sweep should ({reason})."
            ) from error
        if isinstance(
            answered, CamerabiasError
        ):  # travels as a value, since Ray adds its own words to an exception's
            raise answered
        yield Node.model_validate(answered["node"]), answered["authenticated"]


def _alive() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]


def _answer(expected: str) -> dict[str, Any] | CamerabiasError:
    try:
        node = check_node(Expected.model_validate_json(expected))
    except CamerabiasError as error:
        return error
    return {
        "node": node.model_dump(),
        "authenticated": os.environ.get("RAY_AUTH_MODE", "").lower() == "token",
    }
