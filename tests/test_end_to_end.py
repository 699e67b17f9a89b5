"""The whole path through the real command, in processes of its own: photos to report, killed and resumed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from camerabias import load

COMMAND = Path(sys.executable).parent / "camerabias"

STUDY = {
    "title": "short trials",
    "models": ["test_resnet"],
    "seeds": [0, 1, 2, 3],
    "recipe": {"base": "demo", "max_steps": 60, "evaluate_every": 10, "batch_size": 16},
    "grids": [{"target": "camera", "settings": ["balanced"]}, {"target": "label", "settings": ["disjoint"]}],
}


def start(folder, *arguments):
    """Start the command as the leader of a process group of its own."""
    with open(folder / "out.txt", "a") as out:
        return subprocess.Popen(
            [COMMAND, *map(str, arguments)], cwd=folder, stdout=out, stderr=out, start_new_session=True
        )


def run(folder, *arguments):
    code = start(folder, *arguments).wait(timeout=300)
    assert code == 0, (folder / "out.txt").read_text()


def done(run_folder):
    return {path.parent.name: path.stat().st_mtime_ns for path in run_folder.glob("trials/*/done.json")}


def wait_until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("executor", "steps", "seeds"),
    [
        pytest.param("local", 20, 2, marks=pytest.mark.slow),
        pytest.param("ray", 60, 4, marks=[pytest.mark.slow, pytest.mark.xdist_group("ray")]),
    ],
)
def test_sweep_killed_in_the_middle_goes_on_to_the_same_tables(dataset, tmp_path, executor, steps, seeds):
    """With Ray, workers are killed beside their driver, and a second Ray starts where one has just died."""
    recipe = STUDY["recipe"] | {"max_steps": steps}
    study = STUDY | {"seeds": [*range(seeds)], "recipe": recipe}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(study))
    arguments = ["sweep", "run", "short.yaml", "--data", dataset.folder, "--weights", "none", "--size", 32]
    killed = start(tmp_path, *arguments, "--run", "killed", "--executor", executor)
    wait_until(lambda: len(done(tmp_path / "killed")) >= 2 or killed.poll() is not None)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = done(tmp_path / "killed")
    assert 2 <= len(before) < 2 * seeds
    run(tmp_path, *arguments, "--run", "killed", "--executor", executor)
    after = done(tmp_path / "killed")
    assert len(after) == 2 * seeds
    assert {trial: after[trial] for trial in before} == before  # not run again
    run(tmp_path, *arguments, "--run", "whole", "--executor", "local")
    tables = []
    for name in ("killed", "whole"):
        run(tmp_path, "report", name)
        tables.append((tmp_path / name / "report/tables/short.csv").read_bytes())
    assert tables[0] == tables[1]


@pytest.fixture(scope="module")
def photos(dataset, tmp_path_factory):
    """The simulated photos as a user's folder LABEL/photo.jpg, with the camera in EXIF alone, and a broken file."""
    folder = tmp_path_factory.mktemp("photos")
    for row in dataset.index.itertuples():
        path = folder / "photos" / row.label / f"{row.image_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dataset.read_image(row.image_id))
    (folder / "photos" / "manufacturer 1" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    return folder


def test_audit_of_a_folder_with_cameras_from_exif(photos, dataset):
    (photos / "tiny.yaml").write_text(
        "{learning_rate: 2e-3, weight_decay: 0, batch_size: 8, schedule: one_cycle, max_steps: 8, "
        "patience_steps: null, evaluate_every: 4, precision: float32}"
    )
    run(
        photos, "audit", "photos", "--camera-from", "exif", "--run", "run", "--weights", "none", "--size", 32,
        "--model", "small_cnn", "--seeds", "0", "--recipe", "tiny.yaml", "--executor", "local", "--full",
    )  # fmt: skip
    table = pd.read_csv(photos / "run/report/tables/audit.csv")
    everywhere = table[table["cameras"] == "all"]
    assert {("camera", "natural"), ("label", "natural")} == set(
        zip(everywhere["target"], everywhere["setting"], strict=True)
    )
    settings = pd.read_csv(photos / "run/report/tables/settings.csv")
    assert {"balanced", "disjoint"} <= set(settings["setting"])
    assert (everywhere["n"] == 1).all()
    assert len(set(pd.read_parquet(photos / "run/dataset/index.parquet")["camera"])) == 5
    assert "broken.jpg" in (photos / "run/dataset/rejected.csv").read_text()
    assert (photos / "run/report/index.html").stat().st_size > 10_000
    assert "1 photo was rejected" in (photos / "out.txt").read_text()


def test_recipes_of_a_study_are_told_apart_from_plan_to_report(dataset, tmp_path, command):
    recipe = {"base": "demo", "max_steps": 12, "evaluate_every": 4, "batch_size": 8}
    recipes = {"learning_rate": [2e-4, 2e-3], "weight_decay": [0, 1e-3]}
    grid = {"target": "label", "settings": ["disjoint"], "recipes": recipes}
    study = tmp_path / "recipes.yaml"
    study.write_text(yaml.safe_dump(STUDY | {"recipe": recipe, "seeds": [0], "grids": [grid]}))
    run_folder = tmp_path / "run"
    where = ["--data", dataset.folder.path, "--run", run_folder, "--weights", "none"]
    names = ["base", "weight_decay 0.001", "learning_rate 0.0002", "learning_rate 0.0002, weight_decay 0.001"]
    code, out, _ = command("sweep", "plan", study, *where)
    assert (code, [name in out for name in names[:3]]) == (0, [True] * 3)  # the last takes two lines
    assert command("sweep", "run", study, *where, "--executor", "local")[0] == 0
    _, out, _ = command("sweep", "status", run_folder)
    assert [name in out for name in names[:3]] == [True] * 3
    assert command("report", run_folder)[0] == 0
    table = pd.read_csv(run_folder / "report" / "tables" / "recipes.csv")
    assert {*table["recipe"]} == {*names}
    assert {*load(run_folder).cells()["recipe"]} == {*load(run_folder).accuracy()["recipe"]} == {*names}
    assert (run_folder / "report" / "figures" / "recipes.png").exists()


def test_without_photos_neither_run_nor_report_holds_a_picture(dataset, tmp_path, command):
    recipe = {"base": "demo", "max_steps": 8, "evaluate_every": 4, "batch_size": 8}
    probes = ["training_images", "perturbations"]
    study = tmp_path / "probed.yaml"
    grids = [grid | {"probes": probes} for grid in STUDY["grids"][1:]]
    study.write_text(yaml.safe_dump(STUDY | {"recipe": recipe, "seeds": [0], "grids": grids}))
    where = [
        "--data",
        dataset.folder.path,
        "--run",
        tmp_path / "run",
        "--weights",
        "none",
        "--executor",
        "local",
    ]
    assert command("sweep", "run", study, *where, "--no-photos")[0] == 0
    assert command("report", tmp_path / "run")[0] == 0
    files = {path.name for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert "training_images.npz" in files
    assert not {
        name for name in files if name.endswith((".jpeg", ".jpg")) or name.startswith("perturbations")
    }
    assert not (tmp_path / "run" / "examples").exists()
