"""`camerabias judge`, as it is typed and read."""

import json

import numpy as np
import pandas as pd
import pytest

USAGE, ERROR, FAIL_ON = 2, 1, 3


@pytest.fixture
def predictions(tmp_path):
    """Writes a table as Kaggle's are, of a classifier that decides by the camera on a share of the photos."""

    def write(follow=0.4, name="predictions.csv", n=600, associated=0.7):
        generator = np.random.default_rng(0)
        label = generator.choice(["cat", "dog"], n)
        own = np.where(label == "cat", "iPhone", "Pixel")
        device = np.where(generator.random(n) < associated, own, generator.choice(["iPhone", "Pixel"], n))
        by_camera = np.where(device == "iPhone", "cat", "dog")
        rows = {
            "y_true": label,
            "y_pred": np.where(generator.random(n) < follow, by_camera, label),
            "device": device,
        }
        pd.DataFrame(rows).to_csv(tmp_path / name, index=False)
        return str(tmp_path / name)

    return write


def test_the_verdict_comes_first_then_reasons_and_all_on_one_screen(command, predictions):
    code, out, _ = command("judge", predictions())
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "Verdict: cheating"
    assert lines[1].startswith("The classifier uses the camera")
    assert "Associated labels, from the judged photos" in lines[2]
    assert "Shortcut effect: " in out
    assert "Next:" in lines
    assert "What was assumed:" in lines
    assert "'y_true' is the label" in " ".join(out.split())
    assert len(lines) <= 40


def test_fail_on_exits_with_3(command, predictions):
    path = predictions()
    assert command("judge", path, "--fail-on", "cheating,at-risk")[0] == FAIL_ON
    assert command("judge", path, "--fail-on", "no-evidence")[0] == 0
    assert command("judge", path, "--fail-on", "lying")[0] == USAGE


def test_associated_labels_may_be_stated(command, predictions):
    path = predictions(associated=0.0)
    assert "Verdict: cannot tell" in command("judge", path)[1]
    code, out, _ = command("judge", path, "--associated", "iPhone=cat", "--associated", "Pixel=dog")
    assert (code, out.splitlines()[0]) == (0, "Verdict: cheating")
    code, _, err = command("judge", path, "--associated", "iPhone")
    assert code == ERROR
    assert "--associated 'iPhone' is no CAMERA=LABEL; write for example iPhone=cat." in " ".join(err.split())


def test_a_run_and_a_table_that_are_not_there_are_said(command, tmp_path):
    code, _, err = command("judge", str(tmp_path / "lacking.csv"))
    assert code == ERROR
    assert "There is no table" in err


def test_report_shows_what_judge_has_written_and_where_its_page_is(command, predictions, tmp_path):
    folder = str(tmp_path / "judged")
    judged = command("judge", predictions(), "--run", folder)[1]
    code, out, _ = command("report", folder)
    assert code == 0
    assert out.splitlines()[:3] == judged.splitlines()[:3]
    assert f"Report: {folder}/report/index.html (as `camerabias judge` wrote it" in out
    document = json.loads(command("report", folder, "--json")[1])
    assert (document["verdict"], document["report"]) == ("cheating", f"{folder}/report/index.html")


def test_details_print_every_sentence(command, predictions):
    assert "more (--details)" in command("judge", predictions())[1]
    assert "more (--details)" not in command("judge", predictions(), "--details")[1]
