"""`sweep status`: what records alone tell of a run while it goes on."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.monitoring import console as display
from camerabias.sweeps.monitoring.status import read_status
from camerabias.trainables.records.record import Done, Failure, Running
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import PlannedStudy, StudyCell

CELL = {
    "target": "label",
    "setting": "disjoint",
    "train_view": "rgb",
    "test_view": "gray",
    "model": "resnet34",
    "size": 224,
    "seen_cameras": ["a", "b"],
}


def ago(seconds):
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds")


def note(step=40, age=5, **changes):
    fields = {"step": step, "max_steps": 200, "validation_loss": 0.41234}
    fields |= {"validation_accuracy": 0.875, "images_per_second": 312.4}
    return Running(**fields | changes, seconds=9.0, host="node7", written_at=ago(age))


def finished(accuracy, age):
    return Done(
        stopped="converged", steps=200, tested_step=100, validation_accuracy=0.9, test_accuracy=accuracy,
        train_images=1, validation_images=1, test_images=1, seconds=9.0, images_per_second=300.0,
        finished_at=ago(age), host="node7", device="x86_64 CPU", threads=1, versions={},
    )  # fmt: skip


class Written:
    """A run whose records are written by hand: `trials` by seed, of one cell."""

    def __init__(self, folder, seeds):
        self.run = Run(str(folder))
        self.run.write_info({"dataset": "x"})
        cell = StudyCell(**CELL, trials={seed: f"id{seed}" for seed in range(seeds)})
        self.run.write_study(
            PlannedStudy(
                name="mine", title="my study", paper=None, note=None, models=["resnet34"], seeds=range(seeds),
                cells=[cell], skipped=[],
            )
        )  # fmt: skip

    def folder(self, seed):
        return self.run.record(f"id{seed}").folder

    def start(self, seed, progress=None):
        self.folder(seed).write_json("config.json", {})
        if progress is not None:
            self.run.record(f"id{seed}").write_progress(progress)

    def end(self, seed, accuracy=0.5, age=1):
        self.folder(seed).write_json("config.json", {})
        self.folder(seed).write_bytes("history.parquet", b"")
        self.folder(seed).write_bytes("predictions.parquet", b"")
        self.folder(seed).write_json("done.json", finished(accuracy, age).model_dump())
        self.folder(seed).delete("progress.json")

    def fail(self, seed, reason):
        failure = Failure(reason=reason, traceback="", failed_at=ago(1), host="node7")
        self.run.record(f"id{seed}").fail(failure)


@pytest.fixture
def written(tmp_path):
    return lambda seeds: Written(tmp_path / "run", seeds)


def test_running_trials_are_named_with_all_that_they_say(written, command):
    run = written(3)
    run.start(0, note())
    run.start(
        1, note(step=0, validation_loss=None, validation_accuracy=None, images_per_second=None, age=700)
    )
    _, out, _ = command("sweep", "status", run.run.folder)
    (row,) = [line for line in out.splitlines() if "seed0" in line]
    told = [cell.strip() for cell in row.strip("│ ").split("│")]
    assert told[:-1] == [
        "label-disjoint-rgb-to-gray-resnet34-seed0", "40/200", "0.412", "0.875", "312", "node7",
    ]  # fmt: skip
    assert told[-1] in {"5 s ago", "6 s ago", "7 s ago"}
    (row,) = [line for line in out.splitlines() if "seed1" in line]
    assert "0/200" in row
    assert "11 min 4" in row
    assert "its worker may be gone" in row
    assert "0 of 3 trials have ended" in out
    assert "left" not in out


def test_progress_of_an_earlier_version_is_shown_without_its_loss(written, command):
    run = written(1)
    run.start(0, note())
    old = {**run.folder(0).read_json("progress.json"), "loss": 0.4, "accuracy": 0.875}
    del old["validation_loss"], old["validation_accuracy"]
    run.folder(0).write_json("progress.json", old)
    code, out, _ = command("sweep", "status", run.run.folder)
    assert code == 0
    assert "40/200" in out
    assert "0.875" not in out


def test_failures_and_the_latest_results_are_told(written, command):
    run = written(12)
    for seed in range(7):
        run.fail(seed, f"cheese {seed}\nand a second line")
    run.end(7, accuracy=0.123, age=90)
    _, out, _ = command("sweep", "status", run.run.folder)
    assert "7 failed" in out
    assert out.count("cheese") == 5
    assert "and 2 more" in out
    assert "second line" not in out
    assert "label-disjoint-rgb-to-gray-resnet34-seed7: test accuracy 0.123 (1 min 3" in out
    assert "8 of 12 trials have ended" in out


def test_time_left_is_told_at_the_pace_since_the_sweep_began_and_only_while_somebody_works(
    written, monkeypatch
):
    run = written(4)
    began = run.run.folder.changed("run.json")
    run.end(0)
    run.end(1)
    assert read_status(run.run).seconds_left is None
    run.start(2, note(age=0))
    now = time.time
    monkeypatch.setattr(time, "time", lambda: began + 100)
    assert read_status(run.run).seconds_left == pytest.approx(2 * 100 / 2, abs=1)
    monkeypatch.setattr(time, "time", now)
    run.start(2, note(age=1000))
    assert read_status(run.run).seconds_left is None


def test_one_listing_and_few_reads_whatever_the_number_of_trials(written, monkeypatch):
    run = written(400)
    for seed in range(100):
        run.end(seed)
        run.fail(100 + seed, "cheese")
        run.start(200 + seed, note())
        run.start(300 + seed)
    read, listed = [], []
    real_read, real_walk = Folder.read_bytes, Folder.walk_times
    monkeypatch.setattr(
        Folder, "read_bytes", lambda self, name: (read.append(name), real_read(self, name))[1]
    )
    monkeypatch.setattr(Folder, "walk_times", lambda self: (listed.append(self.uri), real_walk(self))[1])
    status = read_status(run.run)
    assert (len(status.running), status.n_running, len(status.failed), len(status.ended)) == (40, 100, 5, 3)
    assert status.count("started") == 200
    assert len(read) == 3 + 40 + 5 + 3  # run.json, driver.json and the study besides
    assert len(listed) == 1


def test_trial_that_ends_while_somebody_looks_is_no_error(written, monkeypatch):
    run = written(2)
    run.start(0, note())
    run.fail(1, "cheese")
    listed = run.run.contents()
    run.folder(0).delete("progress.json")
    run.folder(1).delete("error.json")
    monkeypatch.setattr(Run, "contents", lambda self: listed)
    status = read_status(run.run)
    assert (status.running, status.failed) == ([], [])


def test_damaged_progress_is_named(written):
    run = written(1)
    run.start(0, note())
    run.folder(0).write_bytes("progress.json", b"{")
    with pytest.raises(CamerabiasError, match=r"progress\.json"):
        read_status(run.run)


def test_watching_prints_a_block_when_a_trial_begins_or_ends_and_stops_when_all_have(
    written, command, monkeypatch
):
    run = written(2)
    things = iter(
        [
            lambda: run.start(0, note(step=1)),
            lambda: run.start(0, note(step=2)),  # nothing new: it goes on
            lambda: run.end(0),
            lambda: run.start(1, note()),
            lambda: run.fail(1, "cheese"),
        ]
    )
    monkeypatch.setattr(display.time, "sleep", lambda seconds: next(things)())
    code, out, _ = command("sweep", "status", run.run.folder, "--watch")
    assert code == 0
    assert out.count("---") == 5
    assert next(things, None) is None
    assert "2 of 2 trials have ended" in out


def test_watching_ends_quietly_when_it_is_interrupted(written, command, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(display.time, "sleep", interrupt)
    code, out, err = command("sweep", "status", written(1).run.folder, "--watch")
    assert (code, err) == (0, "")
    assert "0 of 1 trials have ended" in out


@pytest.mark.usefixtures("impatient")
def test_tries_of_a_search_are_shown_by_number(command, dataset, tmp_path, monkeypatch):
    from camerabias.sweeps.search.tuning import Tuning
    from camerabias.trainables.worker import fine_tuning

    monkeypatch.setattr(fine_tuning, "PROGRESS_SECONDS", 0.0)
    space = tmp_path / "space.yaml"
    space.write_text(
        json.dumps(
            {
                "title": "quick", "name": "quick", "target": "camera", "setting": "balanced", "model": "test_resnet",
                "recipe": {"base": "demo", "max_steps": 30, "evaluate_every": 5, "batch_size": 8},
                "space": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}},
                "trials": 2, "prune_after": None, "confirm_seeds": [],
            }
        )
    )  # fmt: skip

    def interrupt(self, number, progress):
        raise KeyboardInterrupt

    options = ["--data", dataset.folder, "--run", tmp_path / "run", "--weights", "none", "--size", 32]
    with monkeypatch.context() as patch:
        patch.setattr(Tuning, "tell", interrupt)
        command("search", space, *options, "--executor", "local")
    _, out, _ = command("sweep", "status", tmp_path / "run")
    assert "Search quick: 1 of 2 candidates (1 running)" in out
    assert "quick, candidate 0" in out
    assert not read_status(Run(str(tmp_path / "run"))).is_over
    command("search", space, *options, "--executor", "local")
    assert read_status(Run(str(tmp_path / "run"))).is_over
    assert not list((tmp_path / "run").rglob("progress.json"))


def test_status_says_who_drives_and_when_nobody_does(written, command):
    run = written(1)
    run.start("0")
    _, idle, _ = command("sweep", "status", run.run.folder)
    assert "no driver is running" in idle
    run.run.write_lease({"owner": "o", "host": "head", "pid": 12, "since": "then", "renewals": 1})
    _, driven, _ = command("sweep", "status", run.run.folder)
    assert "driven by process 12 on head" in driven
