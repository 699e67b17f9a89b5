"""The contract of what runs trials, which every executor passes."""

import pytest

from camerabias.datasets.io.executor import EXECUTORS
from camerabias.datasets.io.storage import StorageError
from camerabias.sweeps.execution.executor import LocalTrialExecutor, RayTrialExecutor, trial_executor
from camerabias.sweeps.execution.jobs import KnownJobs
from camerabias.sweeps.execution.sweep import expect
from camerabias.sweeps.runs.lease import Lease
from camerabias.trainables.records.run import Run
from camerabias.trainables.worker.node import NodeError

pytestmark = pytest.mark.xdist_group("ray")


@pytest.fixture(params=[*EXECUTORS, "processes"])
def executor(request, monkeypatch):
    """Every executor in turn, the local one in both of its ways."""
    if request.param == "ray":
        request.getfixturevalue("_ray")
    if request.param == "processes":
        monkeypatch.setattr("camerabias.sweeps.execution.executor.WORTH_PROCESSES", 0)
    return trial_executor("ray" if request.param == "ray" else "local")


@pytest.fixture
def run_source(executor, dataset, tmp_path):
    """A function that lets the executor run a source of jobs, as a sweep does."""

    def run_all(source, **changes):
        with Lease(Run(str(tmp_path / "run")), print) as lease:
            expected = expect(Run(str(tmp_path / "run")), dataset, lease).model_copy(update=changes)
            assert executor.join(expected) == []
            executor.run(source, expected)

    return run_all


class Watcher:
    """Takes down what trials say, by their seeds."""

    def __init__(self):
        self.said = {}

    def progress(self, trial, progress):
        self.said.setdefault(trial.seed, []).append(progress)


def test_every_job_is_run_and_told_to_its_end_whatever_becomes_of_others(run_source, make_job, tmp_path):
    jobs = [make_job(seed=0), make_job(seed=1, weights="sha256:other"), make_job(seed=2)]
    watcher = Watcher()
    run_source(KnownJobs(jobs, watcher))
    assert {seed: said[-1].status for seed, said in watcher.said.items()} == {
        0: "done",
        1: "failed",
        2: "done",
    }
    assert all(
        [one.status for one in said[:-1]] == ["running"] * (len(said) - 1) for said in watcher.said.values()
    )
    assert "the weights are none here" in watcher.said[1][-1].reason
    contents = Run(str(tmp_path / "run")).contents()
    assert {job.config.seed: contents[job.config.id].status for job in jobs} == {
        0: "done",
        1: "failed",
        2: "done",
    }


class Stopping:
    """A source of unknown length, whose first job is stopped at its first report."""

    n_jobs, pixels, threads = None, 0, 1

    def __init__(self, make_job):
        self._make_job = make_job
        self.asked, self.told = [], []

    def ask(self):
        if len(self.asked) == 2:
            return None
        self.asked.append(self._make_job(purpose="search", seed=len(self.asked)))
        return self.asked[-1]

    def tell(self, job, progress):
        self.told.append((job.config.seed, progress.status))
        return job.config.seed == 0

    def give_up(self, job, reason, traceback):
        raise AssertionError(reason)


def test_job_that_its_source_stops_is_asked_for_no_more(run_source, make_job):
    source = Stopping(make_job)
    run_source(source)
    assert [seed for seed, _ in source.told if seed == 0] == [0]
    assert [status for seed, status in source.told if seed == 1] == ["running", "done"]  # of every epoch


def test_storage_that_fails_ends_the_run_as_itself(run_source, make_job, tmp_path, executor):
    broken = make_job()
    (tmp_path / "run" / "trials").mkdir(parents=True)
    (tmp_path / "run" / "trials" / broken.config.id).write_text("a file where a folder belongs")
    with pytest.raises(StorageError, match="folder"):
        run_source(KnownJobs([broken], Watcher()))


def test_machine_that_has_another_version_runs_nothing(executor, run_source, make_job):
    if isinstance(executor, LocalTrialExecutor):
        pytest.skip("this process is the machine that expects")
    watcher = Watcher()
    with pytest.raises(NodeError, match="torch"):
        run_source(KnownJobs([make_job()], watcher), versions={"torch": "0.1"})
    assert watcher.said == {}


def test_where_no_executor_is_named_ray_has_gpus_and_clusters(monkeypatch):
    found = "camerabias.sweeps.execution.executor.find_gpus"
    monkeypatch.setattr(found, tuple)
    assert isinstance(trial_executor(None), LocalTrialExecutor)
    assert isinstance(trial_executor(None, "10.0.0.1:6379"), RayTrialExecutor)
    monkeypatch.setattr(found, lambda: ("NVIDIA H200",))
    assert isinstance(trial_executor(None), RayTrialExecutor)


def test_executors_by_name():
    assert isinstance(trial_executor("local"), LocalTrialExecutor)
    ray = trial_executor("ray", "10.0.0.1:6379")
    assert isinstance(ray, RayTrialExecutor)
    assert ray.is_cluster


def test_tests_that_start_ray_are_kept_together(request):
    """Where the version of pytest is one that pytest-xdist does not know, groups are lost and nothing says so."""
    if not request.config.getoption("loadgroup", False):
        pytest.skip("one process runs all tests")
    assert request.node.nodeid.endswith("@ray")
