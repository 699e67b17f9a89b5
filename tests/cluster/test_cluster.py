"""The path of the manual on hosts of its own: `ray up`, a sweep into a bucket, a host lost, a report, `ray down`."""

from cluster import BUCKET, wait_for


def test_sweep_survives_the_loss_of_a_worker_host(cluster, study, tmp_path):
    sweep = study("lost")
    job = cluster.submit(*sweep)
    run = f"{BUCKET}/runs/lost"
    lost = cluster.workers[0]
    wait_for(lambda: len(cluster.records(run)) >= 1, 120)
    lost.kill()
    wait_for(lambda: cluster.n_alive() == 2, 90)
    lost.boot()
    said = cluster.wait_for_job(job)
    assert "4 trials, 4 of them run now, 0 failed" in said
    records = cluster.records(run)
    assert len(records) == 4
    wait_for(lambda: cluster.n_alive() == 3, 120)  # the autoscaler has set it up again
    cluster.on_laptop("camerabias", *sweep[:-1], str(tmp_path / "here"), "--executor", "local")
