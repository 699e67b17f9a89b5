"""Every fault of docs/reliability.md, during a sweep on hosts of their own; part of `make test-all`.

Afterwards every trial has its one record, and it equals that of an undisturbed run to the bit.
"""

import subprocess

import pytest
from cluster import BIN, BUCKET, assert_equal_records, done, wait_for

from camerabias.datasets.io.storage import Folder
from camerabias.trainables.records.run import Run

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("ray")]

TRIAL = "ray::ResourceTrainable"
DRIVER = "camerabias sweep run"
RAYLET = "raylet/raylet"


@pytest.fixture
def run(cluster, request):
    """A run of its own in the bucket; the cluster is whole again by then."""
    cluster.mend()
    return f"{BUCKET}/runs/{request.node.name}"


@pytest.fixture
def begun(cluster, sweep, run):
    """The job of a sweep of which a trial is being trained."""
    job = cluster.submit(*sweep(run))
    wait_for(lambda: trains(cluster), 120)
    return job


def trains(cluster):
    """Whether a worker has a trial."""
    return any(worker.pids(TRIAL) for worker in cluster.workers)


def test_worker_of_a_trial_is_killed(cluster, begun, run, undisturbed):
    assert sum(cluster.kill(worker, TRIAL) for worker in cluster.workers) >= 1
    assert "4 of them run now, 0 failed" in cluster.wait_for_job(begun)
    assert_equal_records(run, undisturbed, 4)


def test_trial_that_loses_every_worker_is_a_named_failure_and_the_others_go_on(
    cluster, sweep, run, undisturbed
):
    two = sweep(run, seeds=[0])
    job = cluster.submit(*two)
    while cluster.job_status(job) in ("PENDING", "RUNNING"):
        # one worker alone can end a trial; then nobody
        for worker in cluster.workers if done(run) else cluster.workers[:1]:
            cluster.kill(worker, TRIAL)
    said = cluster.wait_for_job(job, "FAILED")
    assert "1 failed" in said
    assert "its worker died 5 times" in said
    assert len(done(run)) == 1
    assert "0 failed" in cluster.wait_for_job(cluster.submit(*two, "--retry-failed"))
    assert_equal_records(run, undisturbed, 2)


def test_raylet_is_killed(cluster, begun, run, undisturbed):
    assert cluster.kill(cluster.workers[0], RAYLET) == 1
    assert "4 of them run now, 0 failed" in cluster.wait_for_job(begun)
    assert_equal_records(run, undisturbed, 4)


def test_driver_is_killed(cluster, begun, sweep, run, undisturbed):
    wait_for(lambda: done(run), 120)
    assert cluster.kill(cluster.head, DRIVER) >= 1
    wait_for(lambda: cluster.job_status(begun) == "FAILED", 60)
    before = done_at(run)
    assert 1 <= len(before) < 4
    cluster.wait_for_job(cluster.submit(*sweep(run)))
    assert before.items() <= done_at(run).items()  # what was done has not been run again
    assert_equal_records(run, undisturbed, 4)


def done_at(run):
    """When each trial was done."""
    return {trial: Run(run).record(trial).done().finished_at for trial in done(run)}


def test_head_host_is_lost(cluster, begun, sweep, run, undisturbed):
    wait_for(lambda: done(run), 120)
    cluster.head.kill()
    cluster.head.boot()
    cluster.up()
    said = cluster.wait_for_job(cluster.submit(*sweep(run)))
    assert "0 failed" in said
    assert_equal_records(run, undisturbed, 4)


def test_storage_cannot_be_reached_for_a_while(cluster, begun, run, undisturbed):
    cluster.storage.unplug()
    wait_in_vain(40)
    cluster.storage.plug()
    assert "4 of them run now, 0 failed" in cluster.wait_for_job(begun)
    assert_equal_records(run, undisturbed, 4)


def wait_in_vain(seconds):
    with pytest.raises(AssertionError):
        wait_for(lambda: False, seconds)


def test_storage_is_full(cluster, sweep, run, undisturbed):
    shared = cluster.network.shared
    filler = shared / "filler"
    run = str(shared / "run")
    job = cluster.submit(*sweep(run))
    wait_for(lambda: trains(cluster), 120)
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], capture_output=True, check=False)
    said = cluster.wait_for_job(job, "FAILED")
    assert "No space left on device" in said
    assert "to resume" in said
    assert "bug" not in said
    filler.unlink()
    cluster.wait_for_job(cluster.submit(*sweep(run)))
    assert_equal_records(run, undisturbed, 4)


def test_checkpoint_is_cut_short(cluster, sweep, run):
    long = {
        "seeds": [0],
        "recipe": {"base": "demo", "max_steps": 1500, "evaluate_every": 500, "batch_size": 32},
        "grids": [{"target": "camera", "settings": ["balanced"]}],
    }
    reference = f"{run}-undisturbed"
    jobs = [cluster.submit(*sweep(place, **long)) for place in (run, reference)]
    checkpoints = wait_for_checkpoints(run)
    cluster.on_laptop("ray", "job", "stop", *cluster.address, jobs[0])
    for checkpoint in checkpoints:
        content = checkpoint.read_bytes("checkpoint.safetensors")
        checkpoint.write_bytes("checkpoint.safetensors", content[: len(content) // 2])
    cluster.wait_for_job(cluster.submit(*sweep(run, **long)), seconds=500)
    cluster.wait_for_job(jobs[1], seconds=500)
    assert_equal_records(run, reference, 1)


def wait_for_checkpoints(run):
    trials = Folder(run).child("trials")

    def found():
        return [trial for trial in trials.names() if "checkpoint.json" in trials.child(trial).names()]

    wait_for(found, 300)
    return [trials.child(trial) for trial in found()]


def test_two_drivers_on_the_same_run(cluster, begun, sweep, run, undisturbed):
    said = cluster.wait_for_job(cluster.submit(*sweep(run)), "FAILED")
    assert "is at work on" in said
    cluster.wait_for_job(begun)
    assert_equal_records(run, undisturbed, 4)


def test_folder_that_is_not_shared_is_refused(cluster, sweep, run):
    said = cluster.wait_for_job(cluster.submit(*sweep("/root/run")), "FAILED")
    assert "does not see the driver's folder at /root/run: it is not shared between the nodes" in said


def test_wrong_token_is_refused(cluster, sweep, run):
    token = cluster.laptop / ".ray/auth_token"
    right = token.read_text()
    token.write_text("wrong" * 8)
    try:
        said = cluster.on_laptop("camerabias", "submit", *cluster.address, "--", *sweep(run), check=False)
    finally:
        token.write_text(right)
    assert said.startswith("Error: ")
    assert "token" in said


def test_cluster_without_tokens_is_refused_unless_insisted_on(cluster, sweep, run):
    host, arguments = cluster.storage, sweep(run)
    (host.home / arguments[2]).write_text((cluster.laptop / arguments[2]).read_text())
    exports = " ".join(
        f"{name}={value}" for name, value in (cluster.s3 | {"RAY_AUTH_MODE": "disabled"}).items()
    )
    in_home = f"cd ~; export PATH={BIN}:$PATH {exports};"
    # what goes on running must not hold the line
    start = (
        "ray start --head --port=6379 --num-cpus=1 --dashboard-host=127.0.0.1 --object-store-memory=100000000"
    )
    host.ssh(f"{in_home} {start} > ray.log 2>&1 < /dev/null")
    sweep_there = f"{in_home} camerabias {' '.join(arguments)} --address auto"
    try:
        refused = host.ssh(sweep_there, check=False)
        assert refused.returncode == 1
        assert "asks for no token" in refused.stderr
        assert "4 trials, 4 of them run now" in host.ssh(f"{sweep_there} --allow-unauthenticated").stdout
    finally:
        host.ssh(f"{in_home} ray stop --force", check=False)
