"""Leases: one driver per run, whether the others are alive, gone, or start in the same moment."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.runs import lease as lease_module
from camerabias.sweeps.runs.lease import Lease
from camerabias.trainables.records.run import Run


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(lease_module, "RENEWAL_SECONDS", 0.05)
    monkeypatch.setattr(lease_module, "PATIENCE_SECONDS", 0.4)


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")


def take(run, said=None):
    return Lease(run, [].append if said is None else said.append)


def state(run):
    return json.loads(run.folder.read_bytes("driver.json"))


def left_behind(run, pid=1, machine="another"):
    """A lease as another driver would have left it."""
    run.write_lease(
        {
            "owner": "other",
            "host": "elsewhere",
            "machine": machine,
            "pid": pid,
            "since": "then",
            "renewals": 3,
        }
    )


def test_lease_names_the_driver_is_renewed_and_ends_with_it(run):
    with take(run) as lease:
        first = state(run)
        assert (first["owner"], first["pid"]) == (lease.owner, os.getpid())
        time.sleep(0.3)
        assert state(run)["renewals"] > first["renewals"]
    assert run.lease() is None


def test_second_driver_is_refused_while_the_first_lives(run):
    said = []
    with take(run), pytest.raises(CamerabiasError, match="is at work on"), take(run, said):
        pytest.fail("two drivers")
    assert "waiting 0 s" in said[0]


def test_lease_of_a_driver_that_is_gone_on_another_host_is_taken_after_a_while(run):
    left_behind(run)
    began = time.monotonic()
    with take(run) as lease:
        assert time.monotonic() - began >= 0.4
        assert state(run)["owner"] == lease.owner


def test_lease_of_a_process_that_is_known_to_have_ended_is_taken_at_once(run, monkeypatch):
    monkeypatch.setattr(lease_module, "PATIENCE_SECONDS", 60.0)
    ended = subprocess.Popen(["true"])
    ended.wait()
    with take(run):
        machine = state(run)["machine"]
    left_behind(run, ended.pid, machine)
    began = time.monotonic()
    with take(run):
        assert time.monotonic() - began < 30


def test_driver_that_another_has_replaced_is_interrupted_and_leaves_the_lease_alone(run):
    def work():
        with take(run):
            left_behind(run)
            for _ in range(400):  # an interruption is seen between sleeps
                time.sleep(0.05)
            pytest.fail("was not interrupted")

    with pytest.raises(CamerabiasError, match="process 1 on elsewhere is at work on"):
        work()
    assert state(run)["owner"] == "other"


def test_driver_that_slept_for_longer_than_others_wait_goes_on(run):
    line = (
        "import sys, time; from camerabias.sweeps.runs import lease\n"
        "from camerabias.trainables.records.run import Run\n"
        "lease.RENEWAL_SECONDS = 0.05\n"
        "with lease.Lease(Run(sys.argv[1]), print): print('began', flush=True); input(); time.sleep(0.3)"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", line, run.folder.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert driver.stdout.readline() == "began\n"
    driver.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    before = state(run)
    time.sleep(2 * lease_module.PATIENCE_SECONDS)
    assert state(run) == before
    driver.send_signal(signal.SIGCONT)
    driver.communicate("\n", timeout=60)
    assert driver.returncode == 0
