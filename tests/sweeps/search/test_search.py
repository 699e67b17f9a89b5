"""Searches through the real command line: what they leave, how they go on, and that test images are left alone."""

import shutil
from functools import partial

import pandas as pd
import pytest
import yaml

from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import search_record
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.worker import fine_tuning
from camerabias.trainables.worker import trial as trial_module

pytestmark = pytest.mark.xdist_group("ray")  # one of them starts it; and they share a search that has ended

SPACE = {
    "title": "a quick one",
    "target": "camera",
    "setting": "balanced",
    "model": "test_resnet",
    "recipe": {"base": "demo", "max_steps": 24, "evaluate_every": 4, "batch_size": 16},
    "trials": 5,
    "prune_after": 5,
    "space": {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}, "batch_size": {"choices": [16, 20]}},
    "confirm_seeds": [],
}


@pytest.fixture(scope="module")
def search_in(command, dataset):
    """Search the quick space, with changes, into a run in a folder."""

    def run(folder, run="run", executor="local", **changes):
        (folder / "quick.yaml").write_text(yaml.safe_dump(SPACE | changes))
        return command(
            "search", folder / "quick.yaml", "--data", dataset.folder, "--run", folder / run,
            "--weights", "none", "--size", 32, "--executor", executor,
        )  # fmt: skip

    return run


@pytest.fixture
def search(search_in, tmp_path):
    """Search into the run `tmp_path/RUN`."""
    return partial(search_in, tmp_path)


@pytest.fixture(scope="module")
def searched(search_in, tmp_path_factory):
    """The run of a search that has ended, its recipe compared on two other seeds, and what was printed."""
    folder = tmp_path_factory.mktemp("searched")
    code, out, _ = search_in(folder, confirm_seeds=[1, 2])
    assert code == 0
    return folder / "run", out


@pytest.fixture
def copied(searched, tmp_path):
    """A copy of that run, `tmp_path/run`."""
    return shutil.copytree(searched[0], tmp_path / "run")


def record_in(folder):
    return search_record(Run(folder), "quick")


def outcomes(record):
    """What candidates came to, without how long they took."""
    return [one.model_dump(exclude={"seconds"}) for one in record.candidates()]


def test_search_leaves_recipe_table_and_plots(searched):
    run, out = searched
    folder = run / "searches/quick"
    candidates = record_in(run).candidates()
    assert {one.state for one in candidates} == {"complete", "pruned"}
    assert out.count(": pruned at step") == sum(one.state == "pruned" for one in candidates)
    best = min((one for one in candidates if one.state == "complete"), key=lambda one: one.loss)
    assert load_recipe(str(folder / "recipe.yaml")) == load_recipe(SPACE["recipe"] | best.params)
    assert (folder / "recipe.yaml").read_text().startswith("# Found by the search quick (camera-balanced")
    table = pd.read_csv(folder / "trials.csv")
    assert table["state"].tolist() == [one.state for one in candidates]
    assert table["learning_rate"].tolist() == pytest.approx(
        [one.params["learning_rate"] for one in candidates]
    )
    assert table["validation_loss"].isna().tolist() == [one.state == "pruned" for one in candidates]
    assert (folder / "history.png").exists()
    assert (folder / "parallel.png").exists()
    assert (folder / "importance.png").exists() or "importance is not drawn" in out


def test_objective_is_the_validation_loss_of_the_weights_that_would_be_tested(search, tmp_path):
    """Of a one-cycle schedule the last; otherwise the best."""
    space = {"schedule": {"choices": ["constant", "one_cycle"]}, "learning_rate": {"low": 0.01, "high": 0.02}}
    search(space=space, prune_after=None)
    record = record_in(tmp_path / "run")
    candidates = record.candidates()
    for one in candidates:
        losses = record.trial(one.trial).history()["validation_loss"].dropna()
        assert one.loss == (losses.min() if one.params["schedule"] == "constant" else losses.iloc[-1])
    assert {one.params["schedule"] for one in candidates} == {"constant", "one_cycle"}


def test_test_images_are_never_predicted(searched, dataset):
    run, _ = searched
    assert not list(run.rglob("predictions.parquet"))
    validation = dataset.index[dataset.index["fold"] == 1].sort_values("image_id")
    files = list(run.rglob("validation.parquet"))
    candidates = record_in(run).candidates()
    assert (
        len(files) == sum(one.state == "complete" for one in candidates) + 4
    )  # two recipes on two other seeds
    for file in files:
        assert pd.read_parquet(file)["image_id"].tolist() == validation["image_id"].tolist()
    for one in candidates:
        if one.state == "complete":
            rows = pd.read_parquet(run / f"searches/quick/trials/{one.trial}/validation.parquet")
            assert one.accuracy == pytest.approx((rows["prediction"] == rows["camera"]).mean())


def test_recipe_found_is_compared_on_other_seeds(searched):
    run, out = searched
    record = record_in(run)
    confirmed = record.confirmed()
    for recipe in (load_recipe(SPACE["recipe"]), load_recipe(str(run / "searches/quick/recipe.yaml"))):
        losses = [
            outcome.loss
            for trial, outcome in confirmed.items()
            if record.trial(trial).config().recipe == recipe
        ]
        assert len(losses) == 2
        for text in (*losses, sum(losses) / 2):
            assert f"{text:#.3g}" in out
    assert {record.trial(trial).config().seed for trial in confirmed} == {1, 2}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("epochs", [1, 5])
def test_killed_search_goes_on_to_the_same_tries(search, searched, tmp_path, monkeypatch, epochs):
    real, left = trial_module.Trial.advance, [epochs]

    def die_after_some(self, seconds):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(self, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(fine_tuning, "CHECKPOINT_SECONDS", 0.0)
        patch.setattr(trial_module.Trial, "advance", die_after_some)
        assert search("killed")[0] != 0
    before = record_in(tmp_path / "killed").candidates()
    assert before[-1].state == "running"
    ended = list((tmp_path / "killed").rglob("validation.parquet"))
    times = {file: file.stat().st_mtime_ns for file in ended}
    assert search("killed")[0] == 0
    assert {file: file.stat().st_mtime_ns for file in ended} == times  # not run again
    ours, theirs = (outcomes(record_in(run)) for run in (tmp_path / "killed", searched[0]))
    for one in (*ours, *theirs):  # what was told before the checkpoint is not told again
        del one["losses"]
    assert ours == theirs


def test_search_that_has_ended_runs_nothing_and_more_trials_may_be_asked_for(search, copied, tmp_path):
    first = outcomes(record_in(copied))
    files = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("validation.parquet")}
    assert search(confirm_seeds=[1, 2])[0] == 0
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("validation.parquet")} == files
    code, out, _ = search(trials=7)
    assert code == 0
    assert "[7/7] candidate 6" in out
    assert outcomes(record_in(tmp_path / "run"))[:5] == first


@pytest.mark.usefixtures("copied")
def test_another_space_of_the_same_name_is_refused(search):
    code, _, err = search(space={"learning_rate": {"low": 1e-3, "high": 1e-2}})
    assert code == 1
    assert "differs in space" in err
    assert "another name" in err


def test_failed_candidate_is_named_and_does_not_stop_the_others(search, tmp_path):
    space = {"learning_rate": {"choices": [1e30, 1e-3]}}
    recipe = SPACE["recipe"] | {"schedule": "constant"}
    code, out, _ = search(space=space, recipe=recipe, prune_after=None)
    assert code == 0
    assert "FAILED, the loss is not a finite number" in out
    table = pd.read_csv(tmp_path / "run/searches/quick/trials.csv")
    assert set(table["state"]) == {"complete", "failed"}
    assert "1 validation" not in out
    assert load_recipe(str(tmp_path / "run/searches/quick/recipe.yaml")).learning_rate == 1e-3


def test_search_without_any_loss_says_why(search):
    recipe = SPACE["recipe"] | {"schedule": "constant"}
    code, _, err = search(space={"learning_rate": {"low": 1e29, "high": 1e30}}, recipe=recipe, trials=2)
    assert code == 1
    assert "None of the 2 candidates" in err
    assert "diverged" in err


@pytest.mark.usefixtures("copied")
def test_study_uses_the_recipe_and_the_report_shows_the_search(command, dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = {
        "title": "with the recipe found",
        "models": ["test_resnet"],
        "seeds": [0],
        "recipe": "run/searches/quick/recipe.yaml",
        "grids": [{"target": "camera", "settings": ["balanced"]}],
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    options = ["--data", dataset.folder, "--run", "run", "--weights", "none", "--size", 32]
    assert command("sweep", "run", "study.yaml", *options, "--executor", "local")[0] == 0
    (trial,) = (tmp_path / "run/trials").iterdir()
    record = Run("run").record(trial.name)
    assert record.config().recipe == load_recipe("run/searches/quick/recipe.yaml")
    assert record.folder.exists("predictions.parquet")
    assert command("report", "run")[0] == 0
    page = (tmp_path / "run/report/index.html").read_text()
    assert "Hyperparameter searches" in page
    assert "quick: a quick one" in page


def test_run_of_another_dataset_is_refused(copied, command, dataset, tmp_path):
    (tmp_path / "quick.yaml").write_text(yaml.safe_dump(SPACE))
    other = tmp_path / "other"
    command("data", "simulate", other, "--images", 100, "--size", 64, "--seed", 5, "--executor", "local")
    code, _, err = command(
        "search", tmp_path / "quick.yaml", "--data", other, "--run", tmp_path / "run", "--weights", "none"
    )
    assert code == 1
    assert "another dataset" in err


def test_candidates_run_side_by_side_where_that_pays(search, monkeypatch, tmp_path):
    monkeypatch.setattr("camerabias.sweeps.execution.executor.WORTH_PROCESSES", 0)
    monkeypatch.setattr("camerabias.sweeps.execution.executor.LocalTrialExecutor.at_once", 2)
    code, out, _ = search(trials=3)
    assert code == 0
    assert "Candidates run in 2 processes of this machine." in out
    ended = search_record(Run(str(tmp_path / "run")), "quick").candidates()
    assert [one.number for one in ended] == [0, 1, 2]
    assert "running" not in {one.state for one in ended}


def test_search_that_tune_left_off_is_not_taken_for_a_whole_one(search, monkeypatch, tmp_path):
    monkeypatch.setattr("camerabias.sweeps.execution.cluster.join", lambda *_: [])
    monkeypatch.setattr("camerabias.sweeps.search.search.build_missing", lambda *_: None)
    # as after Ctrl-C
    monkeypatch.setattr("camerabias.sweeps.execution.ray_tune.run_on_ray", lambda jobs, expected: None)
    code, _, err = search(executor="ray")
    assert code == 1
    assert "interrupted after 0 of 5 candidates; run the same command to resume" in err
    assert not (tmp_path / "run/searches/quick/recipe.yaml").exists()


@pytest.mark.slow
def test_ray_searches_too_and_its_search_is_resumed_by_either(search, tmp_path):
    code, _, _ = search(executor="ray", trials=3)
    assert code == 0
    record = record_in(tmp_path / "run")
    assert len(record.candidates()) == 3
    assert {one.state for one in record.candidates()} <= {"complete", "pruned"}
    assert not list(tmp_path.rglob("predictions.parquet"))
    for one in record.candidates():
        if one.state == "complete":
            assert one.loss == record.trial(one.trial).history()["validation_loss"].iloc[-1]
    shutil.rmtree(record.folder.child("trials").path)  # the candidates alone are what a search goes on from
    assert search(trials=4)[0] == 0
    assert [one.number for one in record.candidates()] == list(range(4))
