"""The command line as a user meets it: the same `main()`, its output and its exit codes."""

import json
import os
import shutil
from functools import partial

import pandas as pd
import pytest
import yaml

from camerabias.datasets.dataset import open_dataset
from camerabias.sweeps.planning.estimate import Speed
from camerabias.trainables.records.run import Run
from camerabias.trainables.worker import fine_tuning

STUDY = {
    "title": "a quick one",
    "models": ["test_resnet"],
    "seeds": [0, 1],
    "recipe": {"base": "demo", "max_steps": 6, "evaluate_every": 3, "batch_size": 8},
    "grids": [
        {"target": "camera", "settings": ["balanced"]},
        {"target": "label", "settings": ["disjoint"], "views": ["gray"]},
    ],
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A quick study's file."""
    path = tmp_path_factory.mktemp("study") / "quick.yaml"
    path.write_text(yaml.safe_dump(STUDY))
    return path


@pytest.fixture(scope="module")
def sweep_into(command, study, dataset):
    """Run the quick study here, into a run."""

    def run(location, *more, executor="local"):
        return command(
            "sweep", "run", study, "--data", dataset.folder, "--run", location, "--weights", "none",
            "--size", 32, "--executor", executor, *more,
        )  # fmt: skip

    return run


@pytest.fixture
def sweep(sweep_into, tmp_path):
    """Run it into `tmp_path/run`."""
    return partial(sweep_into, tmp_path / "run")


@pytest.fixture(scope="module")
def reported(sweep_into, command, tmp_path_factory):
    """A run whose trials are all done, and its report; not to be changed."""
    run = tmp_path_factory.mktemp("done") / "run"
    assert sweep_into(run)[0] == 0
    assert command("report", run)[0] == 0
    return run


@pytest.fixture
def finished(reported, tmp_path):
    """A copy of it without the report, `tmp_path/run`."""
    return shutil.copytree(reported, tmp_path / "run", ignore=shutil.ignore_patterns("report"))


def tables(run):
    """The tables of a run's report, to the byte."""
    return {path.name: path.read_bytes() for path in (run / "report/tables").iterdir()}


def records(run):
    """Everything in the records that must not depend on when and where they were made."""
    names = ("config.json", "history.parquet", "predictions.parquet")
    return {
        (trial.name, name): (trial / name).read_bytes()
        for trial in (run / "trials").iterdir()
        for name in names
    }


def test_help_shows_every_command_with_examples(command):
    code, out, _ = command("--help")
    assert code == 0
    names = ["demo", "check", "audit", "calibrate", "report", "search", "submit", "doctor", "data", "sweep"]
    listed = [word for line in out.splitlines() if (word := line[2:].partition(" ")[0]) in names]
    assert listed == names
    for arguments in (["audit"], ["data", "import"], ["sweep", "run"], ["data", "simulate"]):
        code, out, _ = command(*arguments, "--help")
        assert code == 0
        assert "Example" in out


def test_usage_errors_exit_with_2(command):
    assert command("sweep", "plan", "table1")[0] == 2
    assert command("data", "simulate", "x", "--preset", "papper")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sweep", "plan", "table1", "--data", "nowhere", "--run", "r"], "no complete dataset"),
        (["sweep", "status", "nowhere"], "no run"),
        (["report", "nowhere"], "no run"),
        (["audit", "nowhere", "--run", "r"], "nothing at nowhere"),
        (["audit", "nowhere.csv", "--run", "r"], "no table"),
        (["data", "show", "nowhere"], "nothing at nowhere"),
        (["data", "simulate", "x", "--cues", "jpg=1"], "jpeg_quality"),
        (["sweep", "run", "tabel1", "--data", "d", "--run", "r"], "allowed: audit, cues, cues_used, demo"),
    ],
)
def test_errors_are_a_sentence_and_exit_with_1(command, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = command(*arguments)
    assert code == 1
    assert said in err
    assert "Traceback" not in err


def test_bug_exits_with_70_and_leaves_its_traceback_in_a_file(command, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("camerabias.trainables.records.run.Run.info", lambda self: 1 / 0)
    code, _, err = command("sweep", "status", tmp_path)
    assert code == 70
    assert "ZeroDivisionError" in err
    (log,) = tmp_path.glob("camerabias-*.log")
    assert "Traceback" in log.read_text()


def test_plan_changes_nothing_and_tells_all(command, study, dataset, tmp_path):
    code, out, _ = command(
        "sweep", "plan", study, "--data", dataset.folder, "--run", tmp_path / "run", "--weights", "none"
    )
    assert code == 0
    assert "4 trials, 0 of them ended, 4 to run" in out
    assert "disjoint trains on manufacturer 1 × iPhone, manufacturer 1 × Samsung" in out
    assert "of training steps on one core" in out
    assert "$" not in out
    assert not (tmp_path / "run").exists()


def test_plan_says_what_it_costs_at_a_price(command, study, dataset, tmp_path, monkeypatch):
    # 4 trials of 6 steps of 8 images, at one image per 75 seconds: 4 hours
    monkeypatch.setattr(
        "camerabias.sweeps.execution.executor.measure_here", lambda config: Speed(1 / 75, "core", exact=True)
    )
    options = ["--data", dataset.folder, "--run", tmp_path / "run", "--weights", "none", "--price"]
    code, out, _ = command("sweep", "plan", study, *options, "0.05")
    assert code == 0
    assert "About $0.20 at $0.05 per core and hour" in out
    assert command("sweep", "plan", study, *options, "-1")[0] == 2


def test_missing_weights_stop_the_sweep_before_the_first_trial(
    command, study, dataset, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(
        "torch.hub.download_url_to_file", lambda *a, **k: (_ for _ in ()).throw(OSError("offline"))
    )
    code, _, err = command(
        "sweep", "run", "table1", "--data", dataset.folder, "--run", tmp_path / "run", "--models", "resnet34"
    )
    assert code == 1
    assert "--weights none" in err
    assert not (tmp_path / "run").exists()


def test_sweep_runs_what_is_missing_and_nothing_else(sweep, command, tmp_path):
    code, out, _ = sweep("--seeds", "0")
    assert code == 0
    assert "2 trials, 2 of them run now, 0 failed" in out
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run/trials").rglob("*")}
    assert "4 trials, 2 of them run now, 0 failed" in sweep()[1]
    assert all(path.stat().st_mtime_ns == when for path, when in before.items() if path.is_file())
    assert "4 trials, 0 of them run now, 0 failed" in sweep()[1]
    sweep("--seeds", "1")  # asking for less forgets nothing
    _, out, _ = command("sweep", "status", tmp_path / "run")
    assert out.count("quick: a quick one") == 1
    command("report", tmp_path / "run")
    table = pd.read_csv(tmp_path / "run/report/tables/quick.csv")
    assert table.loc[table["cameras"] == "all", "n"].tolist() == [2, 2]


@pytest.mark.usefixtures("finished")
def test_resuming_a_run_that_is_done_lists_its_records_once(sweep, monkeypatch):
    listed = []
    contents = Run.contents
    monkeypatch.setattr(Run, "contents", lambda run: listed.append(run) or contents(run))
    assert sweep()[0] == 0
    assert len(listed) == 1


def test_failed_trial_is_kept_does_not_stop_the_others_and_is_retried_on_demand(sweep, monkeypatch, tmp_path):
    real = fine_tuning.predict_logits
    calls = []

    def explode_once(*args):
        calls.append(args)
        if len(calls) == 1:
            raise RuntimeError("bang")
        return real(*args)

    monkeypatch.setattr(fine_tuning, "predict_logits", explode_once)
    code, out, _ = sweep()
    assert code == 1
    assert "4 trials, 4 of them run now, 1 failed" in out
    assert "camera-balanced-rgb-test_resnet-seed0: RuntimeError: bang" in out
    (error,) = (tmp_path / "run/trials").glob("*/error.json")
    assert "explode_once" in json.loads(error.read_text())["traceback"]
    assert "4 trials, 0 of them run now, 1 failed" in sweep()[1]
    assert "4 trials, 1 of them run now, 0 failed" in sweep("--retry-failed")[1]


def test_run_of_another_dataset_is_refused(finished, command, study, tmp_path):
    other = tmp_path / "other"
    command("data", "simulate", other, "--images", 100, "--size", 64, "--seed", 5, "--executor", "local")
    options = ["--data", other, "--run", finished, "--weights", "none", "--executor", "local"]
    code, _, err = command("sweep", "run", study, *options)
    assert code == 1
    assert "records of another dataset" in err


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_ray_and_local_leave_equal_records(sweep, study, dataset, tmp_path):
    assert sweep()[0] == 0
    here = records(tmp_path / "run")
    os.rename(tmp_path / "run", tmp_path / "local")
    assert sweep(executor="ray")[0] == 0
    assert records(tmp_path / "run") == here
    assert len(here) == 4 * 3


def test_report_of_a_copied_run_is_the_same(reported, finished, command):
    code, out, _ = command("report", finished)
    assert code == 0
    assert str(finished / "report/index.html") in out.replace("\n", "")
    assert "quick.csv" in tables(reported)
    assert tables(finished) == tables(reported)


def test_build_makes_variants_and_says_where(command, dataset):
    code, out, _ = command(
        "data", "build", dataset.folder, "--views", "left,binary", "--size", 48, "--executor", "local"
    )
    assert code == 0
    assert "48 × 24 × 3" in out
    assert "48 × 48 × 1" in out


def test_import_of_a_folder_takes_the_layout(command, dataset, tmp_path):
    for row in dataset.index.itertuples():
        folder = tmp_path / "photos" / row.camera / row.label
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row.image_id}.jpg").write_bytes(dataset.read_image(row.image_id))
    out = tmp_path / "mine"
    code, _, _ = command(
        "data", "import", tmp_path / "photos", out, "--layout", "camera/label", "--executor", "local"
    )
    assert code == 0
    assert set(open_dataset(str(out)).manifest.cameras) == set(dataset.manifest.cameras)


def test_names_in_brackets_are_printed_as_they_are(command, dataset, tmp_path):
    for number, row in enumerate(dataset.index.head(20).itertuples()):
        folder = tmp_path / "photos" / f"cat [b{number % 2}]" / "[x] cam"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row.image_id}.jpg").write_bytes(dataset.read_image(row.image_id))
    assert command("data", "import", tmp_path / "photos", tmp_path / "odd", "--executor", "local")[0] == 0
    code, out, _ = command("data", "show", tmp_path / "odd")
    assert code == 0
    assert "cat [b1]" in out
    assert "[x] cam" in out


def test_audit_of_photos_from_one_camera_says_what_it_cannot_answer(command, dataset, tmp_path):
    for row in dataset.index[dataset.index["camera"] == "Vivo"].itertuples():
        folder = tmp_path / "photos" / row.label / "Vivo"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row.image_id}.jpg").write_bytes(dataset.read_image(row.image_id))
    command("data", "import", tmp_path / "photos", tmp_path / "one", "--executor", "local")
    options = (
        "--data",
        tmp_path / "one",
        "--run",
        tmp_path / "run",
        "--weights",
        "none",
        "--models",
        "test_resnet",
    )
    code, out, _ = command("sweep", "plan", "audit", *options)
    assert code == 0
    assert "There is only one camera, 'Vivo': nothing to distinguish" in out.replace("\n", " ")


def test_packed_run_reports_the_same_wherever_it_is_unpacked(reported, command, tmp_path):
    archive, theirs = tmp_path / "run.tar.gz", tmp_path / "theirs"
    code, out, _ = command("sweep", "pack", reported, archive)
    assert code == 0
    assert "files" in out
    assert command("sweep", "unpack", archive, theirs)[0] == 0
    assert command("report", theirs)[0] == 0
    assert tables(theirs) == tables(reported)
    assert command("sweep", "unpack", archive, theirs)[0] == 1
