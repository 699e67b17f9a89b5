"""Kill at random during sweeps on hosts of their own, and compare every record with that of an undisturbed run.

    python tests/chaos.py --kills 100 --seed 0

Runs one sweep after another on a head and three workers, and strikes every few seconds: a trial's worker, a raylet,
a worker host, the driver, the head host, the storage's network. Ends when there were so many kills and the last
sweep is done; stops at the first record that is lost or differs. Prints a line for every strike, and what it came to
as JSON. No part of `make test`: it takes half an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "cluster"))

from cluster import BUCKET, Cluster, assert_equal_records, done, wait_for
from hosts import Host, Network, missing_tools

SEEDS = [0, 1, 2, 3]
N_TRIALS = 8
SWEEP_SECONDS = 1800
"""A sweep that takes longer has been lost."""


class Chaos:
    """Sweeps, and what befalls them."""

    def __init__(self, cluster: Cluster, dice: random.Random) -> None:
        self.cluster, self.dice = cluster, dice
        self.kills: Counter[str] = Counter()
        self.named_failures = 0
        self.drivers = 0
        self._job = ""
        self._strikes: dict[Callable[[], bool], int] = {
            self.kill_worker: 6,
            self.kill_raylet: 3,
            self.cut_power_of_worker: 4,
            self.kill_driver: 3,
            self.unplug_storage: 3,
            self.cut_power_of_head: 1,
        }

    # --- strikes: each returns whether there was something to strike ------------------------------------------

    def kill_worker(self) -> bool:
        """A trial's process."""
        return self.cluster.kill(self._worker(), "ray::ResourceTrainable") > 0

    def kill_raylet(self) -> bool:
        """A node's Ray."""
        return self.cluster.kill(self._worker(), "raylet/raylet") > 0

    def cut_power_of_worker(self) -> bool:
        """A worker host, which boots again."""
        host = self._worker()
        if not host.pids("raylet/raylet"):
            return False
        host.kill()
        time.sleep(self.dice.uniform(0, 5))
        host.boot()
        return True

    def kill_driver(self) -> bool:
        """The driver on the head."""
        return self.cluster.kill(self.cluster.head, "camerabias sweep run") > 0

    def unplug_storage(self) -> bool:
        """The storage's network, for a while."""
        self.cluster.storage.unplug()
        time.sleep(self.dice.uniform(3, 20))
        self.cluster.storage.plug()
        return True

    def cut_power_of_head(self) -> bool:
        """The head host, and all that it knew."""
        self.cluster.head.kill()
        time.sleep(self.dice.uniform(0, 5))
        self.cluster.head.boot()
        self.cluster.up()
        return True

    def _worker(self) -> Host:
        return self.dice.choice(self.cluster.workers)

    def strike(self) -> None:
        """Strike once, if there is something to strike."""
        (blow,) = self.dice.choices([*self._strikes], weights=[*self._strikes.values()])
        if blow():
            self.kills[blow.__name__] += 1
            print(f"{time.strftime('%H:%M:%S')} {sum(self.kills.values())} {blow.__name__}", flush=True)

    # --- sweeps ---------------------------------------------------------------------------------------------

    def sweep(self, run: str, kills: int) -> None:
        """Run a sweep to its end, striking until there were enough kills."""
        self._job = ""
        end = time.monotonic() + SWEEP_SECONDS
        while len(done(run)) < N_TRIALS or self._drives():
            assert time.monotonic() < end, f"{run} has not ended: {sorted(done(run))}"
            if not self._drives():
                self._start(run)
            time.sleep(self.dice.uniform(1, 6))
            if sum(self.kills.values()) < kills and len(done(run)) < N_TRIALS:
                self.strike()
        self._look_back()

    def _drives(self) -> bool:
        return bool(self._job) and self.cluster.job_status(self._job) in ("PENDING", "RUNNING")

    def _start(self, run: str) -> None:
        """The same command again, as a user would; what failed is named, and tried again."""
        if self._job:
            self._look_back()
        self._job = self.cluster.submit(*self.cluster.sweep(run, seeds=SEEDS), "--retry-failed")
        self.drivers += 1

    def _look_back(self) -> None:
        """What a driver that has ended had to say; a driver that died cannot be asked, if its head died with it."""
        said = self.cluster.job_logs(self._job)
        assert "bug in camerabias" not in said, said
        self.named_failures += said.count("FAILED, ")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if reason := missing_tools():
        sys.exit(f"hosts of its own: {reason}")
    began = time.monotonic()
    with Network(Path(tempfile.mkdtemp(prefix="camerabias-chaos-")) / "network") as network:
        cluster = Cluster(network, n_workers=3)
        os.environ.update(cluster.s3)
        try:
            chaos, sweeps = _run(cluster, asked.kills, random.Random(asked.seed))
        finally:
            cluster.stop_forwarding()
    summary = {
        "seed": asked.seed,
        "kills": dict(chaos.kills),
        "sweeps": sweeps,
        "equal records": sweeps * N_TRIALS,
        "drivers": chaos.drivers,
        "trials given up and tried again": chaos.named_failures,
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    print(json.dumps(summary))


def _run(cluster: Cluster, kills: int, dice: random.Random) -> tuple[Chaos, int]:
    cluster.up()
    cluster.make_photos()
    reference = str(cluster.laptop / "undisturbed")
    cluster.on_laptop("camerabias", *cluster.sweep(reference, seeds=SEEDS), "--executor", "local")
    chaos, sweeps = Chaos(cluster, dice), 0
    while sum(chaos.kills.values()) < kills:
        sweeps += 1
        run = f"{BUCKET}/runs/{sweeps}"
        wait_for(lambda: cluster.n_alive() >= 2, 300)
        chaos.sweep(run, kills)
        assert_equal_records(run, reference, N_TRIALS)
        print(f"sweep {sweeps}: {N_TRIALS} records, all equal to those of the undisturbed run", flush=True)
    return chaos, sweeps


if __name__ == "__main__":
    main()
