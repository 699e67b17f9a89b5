"""`--json` and `--quiet` of the commands that end in an answer."""

import json
import tarfile
from pathlib import Path

import pandas as pd
import pytest

import camerabias

ARCHIVE = Path(__file__).parents[2] / "fixtures/old_run/old_run.tar.gz"
USAGE, FAIL_ON = 2, 3


@pytest.fixture
def predictions(tmp_path):
    """A table of predictions that are the camera's usual label."""
    cells = [("cat", "x", 40), ("cat", "y", 20), ("dog", "x", 20), ("dog", "y", 40)]
    rows = [
        (label, camera, "cat" if camera == "x" else "dog") for label, camera, n in cells for _ in range(n)
    ]
    path = tmp_path / "predictions.csv"
    pd.DataFrame(rows, columns=["label", "camera", "prediction"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of an audited run."""
    folder = tmp_path_factory.mktemp("audited")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "run"


def test_judge_gives_programs_what_it_writes(command, predictions, tmp_path):
    code, out, err = command("judge", predictions, "--run", tmp_path / "judged", "--json")
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer.pop("report") == str(tmp_path / "judged/report/index.html")
    assert answer.pop("notes") == camerabias.judge(predictions).notes
    assert answer == json.loads((tmp_path / "judged/report/verdict.json").read_text())
    assert answer["verdict"] == "cheating"


def test_quiet_prints_nothing_and_exits_as_ever(command, predictions, tmp_path):
    assert command("judge", predictions, "--quiet", "--fail-on", "cheating") == (FAIL_ON, "", "")
    assert command("judge", predictions, "--quiet", "--run", tmp_path / "judged") == (0, "", "")
    assert (tmp_path / "judged/report/index.html").exists()
    assert "Verdict: cheating" in command("judge", predictions)[1], "what comes after is heard again"


def test_errors_are_said_whatever_is_printed(command, tmp_path):
    for option in ("--json", "--quiet"):
        code, out, err = command("judge", tmp_path / "nowhere.csv", option)
        assert (code, out) == (1, "")
        assert "nowhere.csv" in err


@pytest.mark.parametrize("name", ["check", "judge", "audit", "report"])
def test_json_and_quiet_exclude_each_other(name, command, predictions, tmp_path):
    where = ["--run", tmp_path / "run"] if name == "audit" else []
    code, out, err = command(name, predictions, *where, "--json", "--quiet")
    assert (code, out) == (USAGE, "")
    assert "--json" in err


def test_check_gives_programs_its_frames(command, dataset):
    code, out, _ = command("check", dataset.folder, "--json", "--fail-on", "associated")
    answer, found = json.loads(out), camerabias.check(dataset.folder.path)
    assert code == 0
    assert answer["problems"] == found.problems
    assert answer["sentences"] == found.sentences
    assert [row["answerable"] for row in answer["answers"]] == found.answers["answerable"].tolist()
    assert pd.DataFrame(answer["cells"]).equals(found.cells)
    assert command("check", dataset.folder, "--quiet") == (0, "", "")


def test_report_gives_programs_the_verdict_and_the_tables(command, run):
    code, out, _ = command("report", run, "--json")
    answer = json.loads(out)
    verdict = json.loads((run / "report/verdict.json").read_text())
    assert code == 0
    assert {name: answer[name] for name in verdict} == verdict
    assert answer["report"] == str(run / "report/index.html")
    assert all(table["caption"] and table["rows"] for table in answer["tables"])
    assert command("report", run, "--quiet") == (0, "", "")
