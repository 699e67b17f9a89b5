"""A run judged again, and its predictions alone, exported as a table."""

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import camerabias
from camerabias.analysis.records.load import load_records
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.schema import CamerabiasError

ARCHIVE = Path(__file__).parent / "fixtures/old_run/old_run.tar.gz"
BY_CHANCE = ("p", "minimum_detectable")
"""Numbers of a test by permutations."""


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """An audited run, whose verdict is `cheating`, with its dataset."""
    folder = tmp_path_factory.mktemp("audited")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def exported(audited):
    """Its predictions of labels and cameras on photos as they are, as a table."""
    rows = camerabias.load(audited / "run").predictions()
    rows = rows[(rows["setting"] == "natural") & (rows["test_view"] == "rgb") & (rows["draw"] == 0)]
    labels, cameras = (rows[rows["target"] == target] for target in ("label", "camera"))
    keys = ["image_id", "seed"]
    predicted = cameras.set_index(keys)["prediction"].rename("predicted_camera")
    labels = labels[[*keys, "label", "camera", "group", "prediction"]]
    return labels.join(predicted, on=keys).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def training(audited):
    return open_dataset(str(audited / "dataset")).index[["label", "camera", "group"]]


def test_a_run_has_the_verdict_of_its_report_number_by_number(audited, command):
    camerabias.report(audited / "run")
    report = json.loads((audited / "run/report/verdict.json").read_text())
    judged = camerabias.judge(audited / "run")
    assert judged.document.model_dump(mode="json") == report
    code, out, _ = command("judge", audited / "run")
    assert (code, out.splitlines()[0]) == (0, f"Verdict: {report['verdict']}")


def test_its_predictions_alone_come_to_the_same(audited, exported, training, tmp_path):
    for frame, name in ((exported, "predictions.csv"), (training, "training.csv")):
        frame.to_csv(tmp_path / name, index=False)
    run, judged = (
        camerabias.judge(audited / "run"),
        camerabias.judge(tmp_path / "predictions.csv", tmp_path / "training.csv"),
    )
    assert judged.verdict == run.verdict == "cheating"
    first, second = (said.partition(" Photos are")[0] for said in (judged.reasons[1], run.reasons[0]))
    assert first == second, "after the associated labels"
    same = [name for name in run.numbers if name.startswith(("shortcut_effect", "identification"))]
    assert len(same) > 20
    for name in same:
        exact = name.partition(".")[2] not in BY_CHANCE
        expected = pytest.approx(run.numbers[name], abs=1e-9 if exact else 0.03, nan_ok=True)
        assert judged.numbers[name] == expected, name
    assert judged.numbers["association.cramers_v"] == pytest.approx(
        run.numbers["association.cramers_v"], abs=0.02
    )


def test_a_run_that_nobody_audited_has_no_verdict(audited, tmp_path):
    records = load_records(str(audited / "run"))
    for path in (audited / "run").rglob("*"):
        if path.is_file() and path.name != "facts.parquet":
            target = tmp_path / path.relative_to(audited)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    assert records.studies
    with pytest.raises(CamerabiasError, match="nobody has audited"):
        camerabias.judge(tmp_path / "run")


def predictions(n=800, follow=0.0, corr=0.6, seed=0, split=None):
    """Of two labels and two cameras; `follow` is the share of photos whose camera decides."""
    generator = np.random.default_rng(seed)
    label = generator.choice(["cat", "dog"], n)
    own = np.where(label == "cat", "A", "B")
    camera = np.where(generator.random(n) < corr, own, generator.choice(["A", "B"], n))
    decided = np.where(camera == "A", "cat", "dog")
    right = np.where(generator.random(n) < 0.9, label, generator.choice(["cat", "dog"], n))
    rows = {
        "label": label,
        "prediction": np.where(generator.random(n) < follow, decided, right),
        "camera": camera,
    }
    return pd.DataFrame(rows if split is None else rows | {"split": split})


def test_neither_torch_nor_ray_is_imported(tmp_path):
    predictions().to_csv(tmp_path / "p.csv", index=False)
    code = (
        "import camerabias, sys; camerabias.judge('p.csv', run='run'); "
        "assert not {'torch', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_the_risk_difference_is_that_of_a_table_worked_by_hand():
    rows = predictions(follow=0.3)
    judged = camerabias.judge(rows)
    weights, differences = [], []
    for _, part in rows.groupby("label"):  # Mantel and Haenszel, of two labels and cameras
        cat = {camera: (of["prediction"] == "cat").mean() for camera, of in part.groupby("camera")}
        n = part["camera"].value_counts()
        weights.append(n["A"] * n["B"] / (n["A"] + n["B"]))
        differences.append(cat["A"] - cat["B"])
    expected = np.average(differences, weights=weights)
    assert judged.numbers["shortcut_effect.risk_difference"] == pytest.approx(expected)
    assert judged.verdict == "cheating"


def test_what_training_lacks_and_what_the_camera_alone_comes_to_are_said(tmp_path):
    training = pd.DataFrame(
        [("a", "x")] * 30 + [("b", "x")] * 4 + [("a", "y")] * 9 + [("b", "y")] * 20,
        columns=["label", "camera"],
    )
    judged = training.assign(prediction=training["camera"].map({"x": "a", "y": "b"}))
    verdict = camerabias.judge(judged, training=training, run=str(tmp_path / "run"))
    assert verdict.verdict == "cheating"
    assert verdict.next_steps[0].endswith("labels alike: 26 of 'b' by 'x', 11 of 'a' by 'y'.")
    assert verdict.next_steps[1].startswith("Quote both accuracies: 0.000 on bias-conflicting photos, 1.000")
    assert verdict.numbers["shortcut_effect.camera_baseline"] == pytest.approx(50 / 63)
    cells = pd.read_csv(tmp_path / "run/report/tables/right_by_cell.csv", index_col="label")
    assert cells.to_dict("index") == {
        "a": {"x": "30 of 30", "y": "0 of 9"},
        "b": {"x": "0 of 4", "y": "20 of 20"},
    }
    assert (
        "For instance, 9 of 9 photos of 'a' by 'y' are called 'b', and 0 of 30 by cameras that do not go with that."
        in verdict.reasons
    )


def test_without_training_the_judged_rows_tell_and_that_is_said():
    judged = camerabias.judge(predictions())
    assert judged.verdict == "no evidence"
    assert judged.reasons[0].startswith("Associated labels, from the judged photos: 'A' with 'cat'")
    assert "Where training was otherwise, so is the verdict" in judged.reasons[0]
    assert "shortcut_effect.minimum_detectable" in judged.numbers


def test_judged_rows_that_are_not_associated_cannot_tell_and_what_is_undirected_stands_beside():
    rows = predictions(corr=0.0, follow=0.4)
    judged = camerabias.judge(rows)
    assert judged.verdict == "cannot tell"
    assert "not significantly associated in the judged photos" in judged.reasons[0]
    assert any(reason.startswith("Camera-sensitive") for reason in judged.reasons)
    assert camerabias.judge(rows, associated={"A": "cat", "B": "dog"}).verdict == "cheating"
    assert camerabias.judge(rows, training=predictions(corr=0.5, seed=5)).verdict == "cheating"


def test_rows_of_split_train_are_the_training(tmp_path):
    trained = predictions(corr=0.6, seed=1, split="train").assign(
        camera=lambda t: t["camera"].map({"A": "B", "B": "A"})
    )
    rows = pd.concat([predictions(corr=0.0, follow=0.4, split="test"), trained])
    judged = camerabias.judge(rows)
    assert judged.verdict == "no evidence", "the direction of training is the other one"
    assert judged.numbers["shortcut_effect.risk_difference"] < -0.3
    assert judged.reasons[0] == (
        "Associated labels, from the 800 rows of split train: 'A' with 'dog' and 'B' with 'cat'."
    )


def test_cameras_that_training_never_saw_do_not_count():
    rows = predictions(follow=0.3)
    odd = rows.head(50).assign(camera="C", prediction="cat")
    judged = camerabias.judge(pd.concat([rows, odd]), training=predictions(seed=1))
    assert judged.numbers == camerabias.judge(rows, training=predictions(seed=1)).numbers
    assert "50 rows of cameras that training never saw (C) do not count." in judged.notes
    cameras = judged.cameras.set_index("camera")
    assert cameras["seen"].to_dict() == {"A": True, "B": True, "C": False}
    assert cameras.loc["C", "accuracy"] == (odd["label"] == "cat").mean()
    assert cameras["associated_label"].dropna().to_dict() == {"A": "cat", "B": "dog"}


def test_at_risk_takes_predictions_of_the_camera():
    rows = predictions()
    judged = camerabias.judge(rows.assign(predicted_camera=rows["camera"]))
    assert judged.verdict == "at risk"
    assert "identifies the camera within a label" in judged.reasons[1]


def test_one_camera_cannot_tell():
    judged = camerabias.judge(predictions().assign(camera="A"))
    assert judged.verdict == "cannot tell"
    assert "All photos come from one camera" in judged.reasons[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"training": predictions().assign(camera="Z")},
            "No camera of the judged photos .'A', 'B'. is one of training",
        ),
        ({"associated": {"Z": "cat"}}, "no judged photo has the camera 'Z'; they have 'A', 'B'"),
        ({"associated": {"A": "owl"}}, "no judged photo has the label 'owl'; they have 'cat', 'dog'"),
        ({"associated": {"A": "cat"}, "training": predictions()}, "give one"),
    ],
)
def test_what_contradicts_itself_is_said(given, said):
    with pytest.raises(CamerabiasError, match=said):
        camerabias.judge(predictions(), **given)


def test_many_labels_and_cameras_are_judged_together():
    generator = np.random.default_rng(0)
    label = generator.integers(6, size=3000)
    camera = np.where(generator.random(3000) < 0.5, label, generator.integers(6, size=3000))
    prediction = np.where(generator.random(3000) < 0.2, camera, label)
    judged = camerabias.judge(pd.DataFrame({"target": label, "pred": prediction, "scanner": camera}))
    assert judged.verdict == "cheating"
    assert judged.numbers["shortcut_effect.risk_difference"] == pytest.approx(0.2, abs=0.05)


def test_scores_of_every_label_may_take_the_place_of_predictions():
    rows = predictions(follow=0.3)
    scored = rows.drop(columns="prediction").assign(
        prob_cat=(rows["prediction"] == "cat") * 0.6 + 0.2, prob_dog=(rows["prediction"] == "dog") * 0.6 + 0.2
    )
    judged = camerabias.judge(scored)
    numbers = camerabias.judge(rows).numbers
    assert {name: judged.numbers[name] for name in numbers} == numbers
    assert any("the label with the highest score is the prediction" in note for note in judged.notes)
    with pytest.raises(CamerabiasError, match="'prob_cat' is the only score of 'cat' and 'dog'"):
        camerabias.judge(scored.drop(columns="prob_dog"))


@pytest.fixture
def photographed(tmp_path):
    """A table with photos beside it."""
    rows = predictions(200, follow=0.5)
    cv2.imwrite(str(tmp_path / "a.png"), np.full((8, 8, 3), 99, np.uint8))
    rows["file_name"] = ["a.png", *[f"lacking{number}.png" for number in range(199)]]
    rows.loc[0, ["label", "camera", "prediction"]] = ["dog", "A", "cat"]
    rows.to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path / "predictions.csv"


def test_a_run_keeps_rows_verdict_and_page_and_is_judged_again(photographed, tmp_path, command):
    run = tmp_path / "runs/mine"
    judged = camerabias.judge(photographed, run=run)
    assert judged.page == str(run / "report/index.html")
    rows = pd.read_parquet(run / "judged.parquet")
    assert len(rows) == 200
    assert {"image_id", "label", "camera", "group", "prediction", "associated_label"} <= {*rows}
    assert json.loads((run / "report/verdict.json").read_text())["verdict"] == judged.verdict == "cheating"
    page = (run / "report/index.html").read_text()
    assert all(text in page for text in ("cheating", "Accuracy by camera", "Associated labels, from"))
    made = page.split("How it was made")[1]
    assert f"{photographed}, 200 rows" in made
    assert "<dt>Training</dt><dd>not known</dd>" in made
    assert re.search(rf"200 predictions, by camerabias {camerabias.__version__} on \d{{4}}-\d\d-\d\d", made)
    assert (run / "report/figures/accuracy_by_camera.png").exists()
    assert (run / "report/figures/given_associated.png").exists(), "one photo can be read"
    assert camerabias.judge(run).document == judged.document
    assert "Verdict: cheating" in command("judge", run)[1]
    code, out, _ = command("report", run)
    assert code == 0
    assert "as `camerabias judge` wrote it" in out


def test_the_verdict_is_printed_before_a_page_that_fails(photographed, audited, command):
    code, out, err = command("judge", photographed, "--run", audited / "run")
    assert code == 1
    assert out.startswith("Verdict: cheating")
    assert "choose another folder" in err


def test_photos_stay_out_where_that_is_asked_and_runs_of_trials_are_not_written_to(
    photographed, audited, tmp_path
):
    camerabias.judge(photographed, run=tmp_path / "without", no_photos=True)
    assert not (tmp_path / "without/report/figures/given_associated.png").exists()
    with pytest.raises(CamerabiasError, match="is a run of trials; choose another folder"):
        camerabias.judge(photographed, run=audited / "run")
