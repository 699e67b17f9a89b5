"""The path of the manual on hosts of its own: `ray up`, a sweep into a bucket, a host lost, a report, `ray down`."""

import shutil

import numpy as np
import pandas as pd
import pytest
from cluster import BUCKET, assert_equal_records, done, wait_for

from camerabias.trainables.records.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ray")]
"""It alone sees `ray up` set hosts up and the autoscaler set one up again; files for it are read in tests/deploy."""


PROBES = {
    "models": ["linear:test_resnet"],
    "seeds": [*range(40)],  # so many that the second worker has started before the first has done them all
    "rotate_folds": True,
    "grids": [
        {"target": "camera", "settings": ["balanced"]},
        {"target": "label", "settings": ["balanced", "disjoint"], "probes": ["control"]},
    ],
}


def test_linear_probes_on_two_nodes_leave_the_records_of_one_process(cluster, sweep):
    """It alone sees features read, and heads fitted, on several nodes."""
    run, reference = f"{BUCKET}/runs/probes", str(cluster.laptop / "probes")
    said = cluster.wait_for_job(cluster.submit(*sweep(run, **PROBES)))
    assert "90 trials, 90 of them run now, 0 failed" in said
    # the same stored features, for which bits are promised
    cluster.on_laptop("camerabias", *sweep(reference, **PROBES), "--executor", "local")
    assert_equal_records(run, reference, 90)
    assert {Run(run).record(trial).done().host for trial in done(run)} == {"worker-1", "worker-2"}
    for trial in done(run):
        ours, theirs = (Run(place).record(trial) for place in (run, reference))
        assert ours.probe_names() == theirs.probe_names()
        for name in ours.probe_names():
            mine, other = ours.probe(name), theirs.probe(name)
            assert mine.keys() == other.keys()
            assert all(np.array_equal(mine[key], other[key]) for key in mine)


def test_sweep_survives_the_loss_of_a_worker_host_and_is_reported_offline(
    cluster, sweep, undisturbed, tmp_path, command
):
    cluster.mend()
    run, lost = f"{BUCKET}/runs/lost", cluster.workers[0]
    job = cluster.submit(*sweep(run))
    wait_for(lambda: lost.pids("ray::ResourceTrainable"), 120)
    lost.kill()
    wait_for(lambda: done(run), 120)
    lost.boot()
    said = cluster.wait_for_job(job)
    assert "Node worker-1: " in said
    assert "4 trials, 4 of them run now, 0 failed" in said
    assert_equal_records(run, undisturbed, 4)

    cluster.on_laptop("camerabias", "sweep", "pack", run, "run.tar.gz")
    shutil.move(cluster.laptop / "run.tar.gz", tmp_path)
    wait_for(lambda: cluster.n_alive() == 3, 120)  # the autoscaler has set the host up again
    cluster.down()
    assert cluster.n_alive() == 0

    assert command("sweep", "unpack", tmp_path / "run.tar.gz", tmp_path / "run")[0] == 0
    assert command("report", tmp_path / "run")[0] == 0
    table = pd.read_csv(tmp_path / "run/report/tables/study.csv")
    assert (table["n"] == 2).all()
    assert not Run(tmp_path / "run").lease()
