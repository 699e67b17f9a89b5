"""What loggers are told, and where it goes: event files read back byte by byte, MLflow and W&B as stand-ins."""

import importlib.machinery
import struct
import subprocess
import sys
import types
from types import SimpleNamespace

import pytest
import yaml
from tensorboard.compat.proto import event_pb2

from camerabias.datasets.io.storage import Folder
from camerabias.sweeps.execution.jobs import KnownJobs
from camerabias.sweeps.execution.watcher import Watchers
from camerabias.sweeps.monitoring import loggers as loggers_module
from camerabias.sweeps.monitoring.loggers import Loggers, TensorBoard, open_loggers, scalars
from camerabias.trainables.records.run import Run
from camerabias.trainables.worker.job import Progress, Validation


def crc32c(data):
    """Bit by bit, as RFC 3720 defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events(path):
    """The events of a file of TFRecords, whose checksums must be right."""
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        payload = content[12 : 12 + length]
        assert struct.unpack("<I", content[8:12]) == (masked(content[:8]),)
        assert struct.unpack("<I", content[12 + length : 16 + length]) == (masked(payload),)
        yield event_pb2.Event.FromString(payload)
        content = content[16 + length :]


def read_scalars(path):
    """By name, the values by step."""
    found = {}
    for event in events(path):
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def running(step, *validations, speed=100.0):
    last = validations[-1] if validations else Validation(0, None, None)
    return Progress("running", step, 12, last.loss, last.accuracy, speed, 1.0, validations=validations)


def done(step=12, accuracy=0.75, validations=()):
    return Progress("done", step, 12, 0.5, 0.5, 100.0, 2.0, validations=validations, test_accuracy=accuracy)


def test_every_validation_stands_at_its_own_step_and_the_test_accuracy_under_its_own_name():
    said = list(scalars(running(10, Validation(4, 0.9, 0.5), Validation(8, 0.8, 0.6))))
    assert said == [
        (4, {"loss": 0.9, "accuracy": 0.5}),
        (8, {"loss": 0.8, "accuracy": 0.6}),
        (10, {"images_per_second": 100.0}),
    ]
    assert list(scalars(done())) == [(12, {"images_per_second": 100.0, "test_accuracy": 0.75})]
    assert list(scalars(running(0, speed=None))) == []


@pytest.mark.parametrize(
    "executor", ["local", pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.xdist_group("ray")])]
)
def test_sweep_leaves_event_files_that_hold_what_the_records_hold(command, dataset, tmp_path, executor):
    study = {
        "title": "quick",
        "models": ["test_resnet"],
        "seeds": [0],
        "recipe": {"base": "demo", "max_steps": 12, "evaluate_every": 4, "batch_size": 8},
        "grids": [{"target": "camera", "settings": ["balanced"]}],
    }
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(study))
    arguments = ["--data", dataset.folder, "--run", tmp_path / "run", "--weights", "none", "--size", 32]
    assert command("sweep", "run", tmp_path / "quick.yaml", *arguments, "--executor", executor)[0] == 0
    ((trial, _),) = Run(str(tmp_path / "run")).statuses().items()
    record = Run(str(tmp_path / "run")).record(trial)
    folder = tmp_path / "run/tensorboard/camera-balanced-rgb-test_resnet-seed0" / trial
    (path,) = folder.iterdir()
    found = read_scalars(path)
    validated = record.history().dropna().set_index("step")
    assert found["loss"] == pytest.approx(validated["validation_loss"].to_dict())
    assert found["accuracy"] == pytest.approx(validated["validation_accuracy"].to_dict())
    assert found["test_accuracy"] == pytest.approx({12: record.done().test_accuracy})
    assert found["images_per_second"][12] > 0


def test_the_first_report_imports_no_torch_for_which_all_trials_would_wait(tmp_path):
    report = f"""
import sys
from types import SimpleNamespace
from camerabias.sweeps.monitoring.loggers import TensorBoard
from camerabias.trainables.records.run import Run
told = SimpleNamespace(validations=[], images_per_second=1.0, test_accuracy=None, step=1, status="done")
TensorBoard(Run({str(tmp_path)!r})).progress(SimpleNamespace(name="trial", id="0"), told)
print("torch" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True).stdout
    assert said == "False\n"
    (path,) = tmp_path.rglob("events.*")
    assert read_scalars(path) == {"images_per_second": {1: 1.0}}


def test_trial_that_goes_on_adds_a_file_and_hides_the_steps_it_repeats(make_job, tmp_path):
    job = make_job()
    run = Run(job.run)
    for steps in ((4, 8), (8, 12)):
        board = TensorBoard(run)
        board.progress(job.config, running(steps[-1], *(Validation(s, 0.5, 0.5) for s in steps)))
        board.close()  # within the same second as the one before
    folder = tmp_path / "run/tensorboard" / job.config.name / job.config.id
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert [sorted(read_scalars(path)["loss"]) for path in files] == [[4, 8], [8, 12]]
    starts = [event.step for event in events(files[1]) if event.session_log.status == 1]
    assert starts == [8]


def test_event_files_of_a_bucket_are_uploaded(make_job, tmp_path, monkeypatch):
    monkeypatch.setattr(Folder, "is_local", False)  # whose files are then written as those of a bucket
    monkeypatch.setattr(loggers_module, "UPLOAD_SECONDS", 0.0)
    first, second = make_job(seed=0), make_job(seed=1)
    board = TensorBoard(Run(first.run))
    for job in (first, second):
        Folder(job.run).filesystem.create_dir(
            f"{job.run}/tensorboard/{job.config.name}/{job.config.id}"
        )  # a bucket has no folders to make
        board.progress(job.config, running(4, Validation(4, 0.5, 0.5)))
    board.progress(first.config, done())
    board.close()
    for job in (first, second):
        (path,) = (tmp_path / "run/tensorboard" / job.config.name / job.config.id).iterdir()
        assert read_scalars(path)["loss"] == {4: 0.5}


def test_logger_that_fails_is_said_so_once_and_the_others_go_on(make_job):
    job = make_job()

    class Broken:
        def progress(self, trial, progress):
            raise ConnectionError("nobody there")

    class Listening:
        heard = 0

        def progress(self, trial, progress):
            self.heard += 1

    said, listening = [], Listening()
    loggers = Loggers({"broken": Broken(), "listening": listening}, said.append)
    for step in (4, 8):
        loggers.progress(job.config, running(step))
    assert listening.heard == 2
    (sentence,) = said
    assert "broken (ConnectionError: nobody there)" in sentence


def test_watchers_are_told_one_after_the_other(make_job):
    job, heard = make_job(), []

    class Watcher:
        def __init__(self, name):
            self.name = name

        def progress(self, trial, progress):
            heard.append((self.name, trial.id, progress.status))

    jobs = KnownJobs([job], Watchers(Watcher("a"), Watcher("b")))
    for status in ("running", "done"):
        jobs.tell(job, SimpleNamespace(status=status))
    assert heard == [(name, job.config.id, status) for status in ("running", "done") for name in "ab"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("mlfow", "There is no logger 'mlfow' (did you mean 'mlflow'?); allowed: mlflow, wandb"),
        ("nowhere,wandb", "'nowhere'"),
    ],
)
def test_unknown_loggers_are_refused_before_anything_starts(command, dataset, tmp_path, asked, said):
    code, _, err = log_sweep(command, dataset, tmp_path, asked)
    assert code == 1
    assert said in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_missing_package_is_named_with_the_remedy(command, dataset, tmp_path, monkeypatch, name):
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    code, _, err = log_sweep(command, dataset, tmp_path, name)
    assert code == 1
    assert f"pip install '{name}" in err


def log_sweep(command, dataset, tmp_path, names):
    return command(
        "sweep", "run", "table1", "--data", dataset.folder, "--run", tmp_path / "run", "--weights", "none",
        "--log", names, "--executor", "local",
    )  # fmt: skip


def stand_in(monkeypatch, name, **content):
    """A module in place of one that need not be installed."""
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, name, module)
    return module


class FakeTracking:
    """As much of MLflow's client as is used, over what would be its database."""

    runs: dict

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name):
        return f"experiment of {name}"

    def search_runs(self, experiments, asked, max_results):
        wanted = asked.split("'")[1]
        found = [run for run in self.runs.values() if run.tags["camerabias.key"] == wanted]
        return found[:max_results]

    def create_run(self, experiment, tags, run_name):
        run_id = f"run {len(self.runs)}"
        info = types.SimpleNamespace(run_id=run_id)
        self.runs[run_id] = types.SimpleNamespace(
            info=info, tags=tags, name=run_name, metrics=[], params={}, status="RUNNING"
        )
        return self.runs[run_id]

    def log_batch(self, run_id, metrics=(), params=()):
        self.runs[run_id].metrics += metrics
        self.runs[run_id].params.update(params)

    def update_run(self, run_id, status):
        self.runs[run_id].status = status

    def set_tag(self, run_id, name, value):
        self.runs[run_id].tags[name] = value

    def set_terminated(self, run_id, status):
        self.runs[run_id].status = status


@pytest.fixture
def tracked(monkeypatch):
    """Runs of MLflow, by id."""
    client = type("Client", (FakeTracking,), {"runs": {}})
    stand_in(monkeypatch, "mlflow", MlflowClient=client)
    stand_in(
        monkeypatch,
        "mlflow.entities",
        Metric=lambda name, value, timestamp, step: (name, value, step),
        Param=lambda name, value: (name, value),
    )
    return client.runs


def test_mlflow_gets_a_run_for_each_trial_which_goes_on_after_an_interruption(make_job, tracked):
    job = make_job()
    with open_loggers(["mlflow"], Run(job.run), print) as loggers:
        loggers.progress(job.config, running(4, Validation(4, 0.9, 0.5)))
    (run,) = tracked.values()
    assert run.status == "KILLED"
    with open_loggers(["mlflow"], Run(job.run), print) as loggers:
        loggers.progress(job.config, done(validations=(Validation(12, 0.4, 0.7),)))
    (run,) = tracked.values()
    assert (run.status, run.name) == ("FINISHED", job.config.name)
    assert [metric for metric in run.metrics if metric[0] == "loss"] == [("loss", 0.9, 4), ("loss", 0.4, 12)]
    assert ("test_accuracy", 0.75, 12) in run.metrics
    assert (run.params["seed"], run.params["recipe.max_steps"]) == ("0", "12")
    other = job.run + "-other"
    with open_loggers(["mlflow"], Run(other), print) as loggers:
        loggers.progress(job.config, Progress.of_failure(job.config, "the cheese is gone"))
    assert [run.status for run in tracked.values()] == ["FINISHED", "FAILED"]
    assert tracked["run 1"].tags["camerabias.reason"] == "the cheese is gone"


def test_wandb_gets_a_run_for_each_trial_under_one_name_for_good(make_job, monkeypatch):
    begun = []

    class FakeRun:
        def __init__(self, **how):
            self.how, self.logged, self.summary, self.ended = how, [], {}, None
            begun.append(self)

        def define_metric(self, name, step_metric):
            assert (name, step_metric) == ("*", "step")

        def log(self, values):
            self.logged.append(values)

        def finish(self, exit_code):
            self.ended = exit_code

    stand_in(monkeypatch, "wandb", init=FakeRun, login=lambda: True, Settings=lambda **fields: fields)
    job, other = make_job(seed=0), make_job(seed=1)
    for _ in range(2):
        with open_loggers(["wandb"], Run(job.run), print) as loggers:
            loggers.progress(other.config, running(4))
            loggers.progress(job.config, done(validations=(Validation(12, 0.4, 0.7),)))
    assert [run.how["name"] for run in begun] == 2 * [other.config.name, job.config.name]
    assert begun[0].how["id"] == begun[2].how["id"] != begun[1].how["id"]
    assert [run.ended for run in begun[:2]] == [1, 0]
    assert {"step": 12, "loss": 0.4, "accuracy": 0.7} in begun[1].logged
    assert begun[1].how["config"]["recipe.batch_size"] == 8
