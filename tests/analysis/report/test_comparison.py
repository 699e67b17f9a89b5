"""Two runs side by side: what has changed, and between which photos."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import camerabias
from camerabias.analysis.report.answer_charts import paired_charts
from camerabias.analysis.report.comparison import NUMBERS
from camerabias.datasets.schema import CamerabiasError

ARCHIVE = Path(__file__).parents[2] / "fixtures/old_run/old_run.tar.gz"


def predictions(by_camera, photos=600, first=0):
    """Of two labels by two cameras that lean on one each; a share is predicted by the camera, the rest is right."""
    generator = np.random.default_rng(first)
    camera = generator.integers(2, size=photos)
    label = np.where(generator.random(photos) < 0.75, camera, 1 - camera)
    given = np.where(generator.random(photos) < by_camera, camera, label)
    words = np.array(["cat", "dog"])
    return pd.DataFrame(
        {
            "label": words[label],
            "prediction": words[given],
            "camera": np.array(["A", "B"])[camera],
            "image": [f"{first + n}.jpg" for n in range(photos)],
        }
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Judged runs: before a repair, after it, after it on other photos; and the dataset and run of an audit."""
    folder = tmp_path_factory.mktemp("compared")
    for name, (share, first) in {"before": (0.4, 0), "after": (0.0, 0), "others": (0.0, 5000)}.items():
        camerabias.judge(predictions(share, first=first), run=folder / name)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    camerabias.report(folder / "run")
    return folder


@pytest.fixture
def compared(runs, tmp_path):
    return camerabias.compare(runs / "before", runs / "after", tmp_path)


def test_differences_are_after_minus_before_with_newcombes_intervals(runs, compared):
    verdicts = [
        json.loads((runs / f"{name}/report/verdict.json").read_text()) for name in ("before", "after")
    ]
    rows = compared.numbers.set_index("number")
    assert {*rows.index} <= {*NUMBERS.values()}
    for name, shown in NUMBERS.items():
        before, after = (
            [verdict["evidence"].get(f"{name}{end}") for end in ("", "_low", "_high")] for verdict in verdicts
        )
        if None not in before + after:
            row, difference = rows.loc[shown], after[0] - before[0]
            below, above = (
                np.hypot(after[0] - after[1], before[2] - before[0]),
                np.hypot(after[2] - after[0], before[0] - before[1]),
            )
            assert row["difference"] == pytest.approx(difference)
            assert row["difference_low"] == pytest.approx(difference - below)
            assert row["difference_high"] == pytest.approx(difference + above)
    assert rows.loc["shortcut effect", "difference_high"] < 0
    tidy = pd.read_csv(Path(compared.page).parent / "tables/compared.csv")
    pd.testing.assert_frame_equal(tidy, compared.numbers)


def test_sentences_say_what_fell_what_rose_and_of_which_photos(runs, compared, tmp_path):
    effect, accuracy, photos = compared.sentences
    assert effect.startswith("The shortcut effect fell by ")
    assert accuracy.startswith("The accuracy rose by ")
    assert "the same photos;" in photos
    back = camerabias.compare(runs / "after", runs / "before", tmp_path)
    assert back.sentences[0].startswith("The shortcut effect rose by ")
    same = camerabias.compare(runs / "after", runs / "after", tmp_path)
    assert same.sentences[0].startswith(
        "The shortcut effect was not shown to change: 0 points before, 0 after"
    )
    others = camerabias.compare(runs / "before", runs / "others", tmp_path)
    assert not others.same_photos
    assert "not about the same photos" in others.sentences[-1]


def test_other_models_are_named_where_the_runs_are_about_others(runs, compared, tmp_path):
    assert not any("was judged" in sentence for sentence in compared.sentences)
    mixed = camerabias.compare(runs / "run", runs / "after", tmp_path)
    audited = json.loads((runs / "run/report/verdict.json").read_text())["models"][0]["name"]
    assert (
        f"Before, {audited} was judged, and after, the classifier: what changed may come from that."
    ) in mixed.sentences


def test_an_audit_and_a_judged_table_are_compared_in_one_page(runs, command):
    code, out, err = command("report", runs / "run", runs / "after")
    written = (runs / "after/report/compared.html").read_text()
    page = written.replace("\N{NO-BREAK SPACE}", " ")  # which keeps a number on a line
    assert (code, err) == (0, "")
    assert len(out.splitlines()) <= 25
    assert f"Before: cheating ({runs / 'run'})" in out
    assert "After: no evidence" in out
    for name in ("run", "after"):
        verdict = json.loads((runs / name / "report/verdict.json").read_text())
        for sentence in (*verdict["reasons"], *verdict["next_steps"] * (name == "after")):
            assert sentence.replace("'", "&#39;").replace("<", "&lt;") in page.replace("<code>", "`").replace(
                "</code>", "`"
            )
    assert page.count("<svg") == 5, "nobody has predicted the cameras of the judged table"
    assert "The numbers are not known." in page


def test_programs_get_both_verdicts_and_the_differences(runs, command, tmp_path):
    code, out, _ = command("report", runs / "before", runs / "after", "--out", tmp_path, "--json")
    answer = json.loads(out)
    assert code == 0
    assert [answer[when]["verdict"] for when in ("before", "after")] == ["cheating", "no evidence"]
    assert answer["same_photos"] is True
    assert answer["report"] == str(tmp_path / "compared.html")
    assert [row["number"] for row in answer["numbers"]][:2] == ["accuracy", "accuracy, bias-aligned"]
    assert "minimum detectable effect" in command("report", runs / "before", runs / "after", "--details")[1]


def test_charts_of_two_runs_have_common_axes():
    low, high = (
        {"shortcut_effect.risk_difference": value, "shortcut_effect.accuracy": 0.9} for value in (-0.3, 0.9)
    )
    ((first, second),) = paired_charts(low, high)
    assert (first.start, first.end) == (second.start, second.end) == pytest.approx((-0.35, 0.95))
    ((only, nothing),) = paired_charts(low, {})
    assert nothing is None
    assert only.end == 0.4


def test_runs_without_a_verdict_are_refused_with_what_is_allowed(runs, tmp_path, make, command):
    run = make.run(tmp_path / "run", {"s": [make.cell("label", "balanced", make.right("label", 0.9))]})
    with pytest.raises(CamerabiasError, match=r"has no verdict; compare two runs .* shows this one alone"):
        camerabias.compare(runs / "before", run.folder.path)
    with pytest.raises(CamerabiasError, match=r"has no verdict; compare two runs .*written\.$"):
        camerabias.compare(tmp_path / "nowhere", runs / "after")
    assert command("report", runs / "before", "--out", tmp_path)[0] == 2
