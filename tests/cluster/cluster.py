"""A Ray cluster on hosts of its own, with a bucket beside it, as a user runs it: `ray up`, `camerabias submit`."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from hosts import Host, Network, run

from camerabias.trainables.records.run import Run

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
BUCKET = "s3://camerabias-test"
S3_PORT = 5000
HEALTH_CHECKS = ("period_ms=2000", "timeout_ms=4000", "failure_threshold=3")
"""A host without power is noticed within some 15 s; with Ray's own figures it is a minute."""
SET_UP_SECONDS = 600
"""How long setting up may take, each step of it: on two cores that others worked on a whole one took 422 s."""


STUDY = {
    "title": "short trials",
    "models": ["test_resnet"],
    "seeds": [0, 1],
    "recipe": {"base": "demo", "max_steps": 150, "evaluate_every": 25, "batch_size": 32},
    "grids": [{"target": "camera", "settings": ["balanced"]}, {"target": "label", "settings": ["disjoint"]}],
}


class Cluster:
    """A head without trials, workers of one slot each, a storage host, and this machine as the laptop.

    Args:
        network: The hosts' network.
        n_workers: Number of workers.
    """

    def __init__(self, network: Network, n_workers: int = 2) -> None:
        self.network = network
        self.laptop = network.folder / "laptop"
        self.laptop.mkdir()
        self.head = network.host("head")
        self.workers = [network.host(f"worker-{number}") for number in range(1, n_workers + 1)]
        self.storage = network.host("storage")
        self.dashboard_port = free_port()
        self._forward: subprocess.Popen[bytes] | None = None
        self._start_storage()
        self._write_config()

    # --- the bucket -----------------------------------------------------------------------------------------

    @property
    def s3(self) -> dict[str, str]:
        """Environment that leads to the bucket."""
        return {
            "AWS_ENDPOINT_URL": f"http://{self.storage.address}:{S3_PORT}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def _start_storage(self) -> None:
        self.storage.ssh(f"nohup {BIN}/moto_server -H 0.0.0.0 -p {S3_PORT} > ~/s3.log 2>&1 &")
        wait_for(self._make_bucket, SET_UP_SECONDS)

    def _make_bucket(self) -> bool:
        place = f"{self.s3['AWS_ENDPOINT_URL']}/{BUCKET.removeprefix('s3://')}"
        try:
            with urllib.request.urlopen(urllib.request.Request(place, method="PUT"), timeout=5):
                return True
        except OSError:
            return False

    def make_photos(self) -> None:
        """Put simulated photos into the bucket."""
        simulate = f"data simulate {BUCKET}/photos --images 200 --size 64 --executor local"
        self.on_laptop("camerabias", *simulate.split())

    def sweep(self, run: str, **changes: Any) -> list[str]:
        """Write a study of short trials, changed, on the laptop; returns the arguments of its sweep into `run`."""
        name = "study" + "".join(f"-{key}" for key in changes)
        (self.laptop / f"{name}.yaml").write_text(yaml.safe_dump(STUDY | changes))
        return f"sweep run {name}.yaml --data {BUCKET}/photos --weights none --run {run}".split()

    # --- the cluster ----------------------------------------------------------------------------------------

    @property
    def config(self) -> Path:
        """The file for `ray up`."""
        return self.laptop / "cluster.yaml"

    def _write_config(self) -> None:
        """The shipped file, with these hosts filled in and an install that takes seconds."""
        config = yaml.safe_load((ROOT / "deploy/cluster-local.yaml").read_text())
        wheels = self.laptop / "dist"
        run(BIN / "uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", wheels, ROOT)
        (self.laptop / ".ray").mkdir()
        token = self.laptop / ".ray/auth_token"
        token.write_text(secrets.token_hex(32))
        token.chmod(0o600)
        config["cluster_name"] = self.network.tag
        config["provider"] |= {
            "head_ip": self.head.address,
            "worker_ips": [worker.address for worker in self.workers],
        }
        config["auth"] = {"ssh_user": "root", "ssh_private_key": str(self.network.key)}
        config["file_mounts"] = {"~/dist": str(wheels), "~/.ray/auth_token": str(token)}
        config["setup_commands"] = ["chmod 600 ~/.ray/auth_token", *self._install()]
        small = "--object-store-memory=200000000"
        quick = " ".join(f"RAY_health_check_{name}" for name in HEALTH_CHECKS)
        config["head_start_ray_commands"][-1] = config["head_start_ray_commands"][-1].replace(
            "RAY_AUTH_MODE", f"{quick} RAY_AUTH_MODE"
        )
        config["head_start_ray_commands"][-1] += f" --num-cpus=0 {small}"
        config["worker_start_ray_commands"][-1] += f" --num-cpus=1 {small}"
        self.config.write_text(yaml.safe_dump(config))

    def _install(self) -> list[str]:
        """Put the wheel into a virtual environment that finds this machine's packages, but not this clone."""
        site = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        # a machine may choose the kernels of its linear algebra, which round each in their own way
        kernels = {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
        exports = {
            "RAY_AUTH_MODE": "token", "PATH": "$HOME/venv/bin:$PATH", "CAMERABIAS_CACHE": "/tmp/cache", **self.s3
        } | kernels  # fmt: skip
        words = " ".join(f'{name}="{value}"' for name, value in exports.items())
        entry = "#!$HOME/venv/bin/python\\nfrom ray.scripts.scripts import main\\nmain()\\n"
        return [
            f"{BIN}/uv venv --quiet --allow-existing --python {sys.executable} ~/venv",
            f"{BIN}/uv pip install --quiet --offline --python ~/venv/bin/python --no-deps ~/dist/*.whl",
            f"echo {Path(sys.prefix) / site} > ~/venv/{site}/packages.pth",
            f'printf "{entry}" > ~/venv/bin/ray && chmod +x ~/venv/bin/ray',
            f"echo 'export {words}' > ~/.bashrc",
        ]

    @property
    def environment(self) -> dict[str, str]:
        """The laptop's."""
        own = {
            "HOME": str(self.laptop),
            "RAY_AUTH_MODE": "token",
            "CAMERABIAS_CACHE": str(self.laptop / "cache"),
        }
        return {**os.environ, **own, **self.s3}

    def on_laptop(self, *command: str | Path, check: bool = True, timeout: float = SET_UP_SECONDS) -> str:
        """Run a command of this environment (`ray`, `camerabias`) on the laptop; returns what it prints."""
        name, *arguments = map(str, command)
        done = subprocess.run(
            [BIN / name, *arguments], env=self.environment, cwd=self.laptop, capture_output=True, text=True,
            check=False, timeout=timeout,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def up(self) -> None:
        """`ray up`, and wait for the workers; `ray dashboard` goes on in the background."""
        self.on_laptop("ray", "up", "--yes", "--no-config-cache", self.config)
        wait_for(lambda: self.n_alive() == 1 + len(self.workers), SET_UP_SECONDS)
        self.forward()

    def mend(self) -> None:
        """Boot what is dead, plug in what is unplugged, and bring Ray up where it is not."""
        for host in (self.head, *self.workers, self.storage):
            if host.is_dead:
                host.boot()
            host.plug()
        if self.n_alive() == 0:
            self.up()
        wait_for(lambda: self.n_alive() == 1 + len(self.workers), SET_UP_SECONDS)

    def forward(self) -> None:
        """Bring the dashboard to the laptop, anew."""
        self.stop_forwarding()
        log = open(self.laptop / "forward.log", "ab")  # noqa: SIM115 - the process keeps it
        self._forward = subprocess.Popen(
            [BIN / "ray", "dashboard", "--port", str(self.dashboard_port), self.config], env=self.environment,
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        wait_for(
            lambda: "refused" not in self.on_laptop("ray", "job", "list", *self.address, check=False),
            SET_UP_SECONDS,
        )

    def stop_forwarding(self) -> None:
        """End `ray dashboard`."""
        if self._forward is not None:
            os.killpg(self._forward.pid, 15)
            self._forward.wait()
            self._forward = None

    @property
    def address(self) -> list[str]:
        """Options that name the dashboard."""
        return ["--address", f"http://127.0.0.1:{self.dashboard_port}"]

    def n_alive(self) -> int:
        """Nodes that Ray counts as alive."""
        command = "ray list nodes --format json --filter state=ALIVE 2>/dev/null"
        done = self.head.ssh(f"source ~/.bashrc; {command}", check=False)
        start = done.stdout.find("[")
        return len(json.loads(done.stdout[start:])) if start >= 0 else 0

    def submit(self, *command: str | Path) -> str:
        """`camerabias submit`; returns the job's id."""
        said = self.on_laptop("camerabias", "submit", *self.address, "--", *command)
        return said.split("Submitted as ")[1].split(".")[0]

    def job_status(self, job: str) -> str:
        """`RUNNING`, `SUCCEEDED`, `FAILED` or `STOPPED`."""
        said = self.on_laptop("ray", "job", "status", *self.address, job, check=False).upper()
        return next(
            (word for word in ("SUCCEEDED", "FAILED", "STOPPED", "RUNNING", "PENDING") if word in said), said
        )

    def kill(self, host: Host, pattern: str) -> int:
        """`kill -9` the processes of a host whose command line matches; returns how many there were."""
        pids = host.pids(pattern)
        if pids:
            host.ssh(f"kill -9 {' '.join(map(str, pids))}", check=False)
        return len(pids)

    def job_logs(self, job: str) -> str:
        """What a job has printed."""
        return self.on_laptop("ray", "job", "logs", *self.address, job, check=False)

    def wait_for_job(self, job: str, status: str = "SUCCEEDED", seconds: float = 300) -> str:
        """Wait until a job has ended, as it should; returns what it printed."""
        wait_for(lambda: self.job_status(job) in {"SUCCEEDED", "FAILED", "STOPPED"}, seconds)
        said = self.job_logs(job)
        assert self.job_status(job) == status, said
        return said

    def down(self) -> None:
        """`ray down`."""
        self.stop_forwarding()
        self.on_laptop("ray", "down", "--yes", self.config)


def done(run_folder: str) -> set[str]:
    """Ids of the trials that are done."""
    return {trial for trial, status in Run(run_folder).statuses().items() if status == "done"}


def assert_equal_records(run_folder: str, reference: str, n_trials: int) -> None:
    """So many trials, all done; configuration, history and predictions are to the bit those of the reference."""
    ours, theirs = Run(run_folder), Run(reference)
    assert list(ours.statuses().values()) == ["done"] * n_trials
    for trial in ours.statuses():
        mine, other = ours.record(trial), theirs.record(trial)
        assert mine.config() == other.config()
        pd.testing.assert_frame_equal(mine.history(), other.history(), check_exact=True)
        pd.testing.assert_frame_equal(mine.predictions(), other.predictions(), check_exact=True)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.5)
