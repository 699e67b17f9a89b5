"""What more nodes bring where the machine's cores are not what limits, and what the driver costs per trial and part.

    python -m benchmarks nodes [TRIALS [SECONDS [NODES]]]

Clusters of one to NODES nodes (3 by default) of two cores each, all of them Ray's own processes on this machine. 60
trials, and as many parts of work on photos, each wait a second in place of computing. Told are how many of the second
half end per second, since processes start one after the other, against what as many cores could do, and the driver's
seconds of processors for each.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from camerabias.datasets.io.executor import RayExecutor
from camerabias.datasets.io.ray_connection import connect_ray

TRIALS, SECONDS, NODES, CORES = 60, 1.0, 3, 2

Work = Callable[[int, float], list[float]]
"""Does n things that each wait so many seconds; returns when each ended, in order."""


def main(arguments: list[str]) -> None:
    # before Ray is imported, which decides it then: nobody else may join
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    given = dict(zip(("n", "seconds", "nodes"), map(float, arguments), strict=False))
    n, seconds = int(given.get("n", TRIALS)), given.get("seconds", SECONDS)
    for name, work in WORKS.items():
        for nodes in range(1, int(given.get("nodes", NODES)) + 1):
            rate, cost = on_nodes(work, nodes, n, seconds)
            most = nodes * CORES / seconds
            told = {"nodes": nodes, "rate": round(rate, 2), "ratio": round(rate / most, 3)}
            print(json.dumps({"figure": f"nodes {name}", **told, "driver_ms": round(1000 * cost, 1), "n": n}))
            print(
                f"{nodes} nodes: {rate:.2f} {name} per second of {most:.2f} that could be; the driver takes "
                f"{1000 * cost:.0f} ms of processors for each.",
                flush=True,
            )


def on_nodes(work: Work, nodes: int, n: int, seconds: float) -> tuple[float, float]:
    """How many end per second, and the driver's seconds of processors for each, on a cluster of its own."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=CORES)
        cluster.wait_for_nodes()
        connect_ray(cluster.address)
        work(nodes * CORES, 0.0)  # every core has its process before it counts
        began = time.process_time()
        ended = work(n, seconds)
        cost = (time.process_time() - began) / n
    finally:
        ray.shutdown()
        cluster.shutdown()
    half = ended[n // 2 :]
    return float(np.polyfit(half, np.arange(len(half)), 1)[0]), cost


def run_trials(n: int, seconds: float) -> list[float]:
    """Trials of a sweep on Ray Tune."""
    from benchmarks.waiting_trials import run_waiting_trials

    return run_waiting_trials(n, seconds)


def run_parts(n: int, seconds: float) -> list[float]:
    """Parts of work on photos, as an import or an embedding has them."""
    ended = []
    for _ in RayExecutor().map(partial(_wait, seconds), list(range(n))):
        ended.append(time.perf_counter())
    return ended


def _wait(seconds: float, part: int) -> dict[str, Any]:
    time.sleep(seconds)
    return {"part": part}


WORKS: dict[str, Work] = {"trials": run_trials, "parts": run_parts}
