"""A run of an earlier version is still read, resumed and reported: see `fixtures/old_run/README.md`."""

import json
import shutil
import tarfile
from pathlib import Path

import pytest

from camerabias.analysis.calibration.cases import RENAMED
from camerabias.analysis.records.load import load_records
from camerabias.datasets.dataset import open_dataset
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import search_record
from camerabias.trainables.spec.trial import TrialConfig

ARCHIVE = Path(__file__).parent / "fixtures/old_run/old_run.tar.gz"
AUDIT = [
    "audit", "dataset", "--run", "run", "--model", "small_cnn", "--weights", "none",
    "--recipe", "calibration", "--quick", "--executor", "local",
]  # fmt: skip
SEARCH = ["search", "two_rates.yaml", "--data", "dataset", "--run", "run", "--weights", "none"]


@pytest.fixture
def old(tmp_path, monkeypatch):
    """The folder that holds the old `dataset` and `run`, where the test then works."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def verdict_in(path):
    return json.loads(path.read_text())


def ended(folder):
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("trials/*/done.json")}


def test_its_dataset_trials_and_search_are_read(old):
    dataset, records = open_dataset("dataset"), load_records("run")
    assert dataset.manifest.fingerprint == records.info.dataset
    assert records.trials["status"].value_counts().to_dict() == {"done": 17}
    assert len(records.studies) == 2
    assert records.trials["test_accuracy"].between(0, 1).all()
    candidates = search_record(Run("run"), "small_search").candidates()
    assert [one.state for one in candidates] == ["complete", "complete", "pruned"]
    assert [round(one.loss, 4) for one in candidates if one.loss is not None][:2] == [0.4795, 0.3062]


def test_its_trials_have_the_ids_that_are_computed_today(old):
    configs = [*(old / "run").glob("trials/*/config.json"), *(old / "run/searches").rglob("config.json")]
    assert len(configs) == 17 + 5
    for path in configs:
        assert TrialConfig.model_validate_json(path.read_bytes()).id == path.parent.name


def test_its_report_comes_to_the_verdict_of_that_day(old, command):
    assert command("report", "run")[0] == 0
    then, now = (verdict_in(old / path) for path in ("verdict.json", "run/report/verdict.json"))
    assert now["verdict"] == then["verdict"] == "cheating"
    assert "cues" not in now, "its pixels were never measured"
    then["evidence"] = {
        name: n for name, n in then["evidence"].items() if not name.startswith("cues.")
    }  # distances of views
    redrawn = {
        name: then["evidence"].pop(name)
        for name in ("association.cramers_v_low", "association.cramers_v_high")
    }
    assert {name: now["evidence"][todays_name(name)] for name in then["evidence"]} == pytest.approx(
        then["evidence"], nan_ok=True
    )
    # its interval has been centred on the estimate since
    assert {name: now["evidence"][name] for name in redrawn} == pytest.approx(redrawn, abs=0.01)


def todays_name(name):
    """What schema 2 calls a number of schema 1, or an end of its interval."""
    base = name.removesuffix("_low").removesuffix("_high")
    return RENAMED.get(base, base) + name.removeprefix(base)


def test_its_audit_runs_the_one_trial_that_is_missing_and_no_other(old, command):
    before = ended(old / "run")
    missing = next(
        path.parent
        for path in sorted((old / "run").glob("trials/*/config.json"))
        if TrialConfig.model_validate_json(path.read_bytes()).train_view.name == "rgb"
    )
    shutil.rmtree(missing)
    code, out, _ = command(*AUDIT)
    assert code == 0
    assert "6 trials, 1 of them run now, 0 failed" in out
    after = ended(old / "run")
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {missing.name}


def test_its_search_has_ended_and_runs_nothing(old, command):
    files = {path: path.stat().st_mtime_ns for path in (old / "run/searches").rglob("*.parquet")}
    code, out, err = command(*SEARCH, "--executor", "local")
    assert (code, err) == (0, "")
    assert "try 1: validation" not in out
    assert {path: path.stat().st_mtime_ns for path in (old / "run/searches").rglob("*.parquet")} == files
