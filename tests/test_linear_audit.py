"""The audit as it begins, with a linear probe: on features whose content is known, and on those of a network."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from camerabias.analysis.records.load import load_records
from camerabias.trainables.spec.trial import TrialConfig

COUNTS = {("cat", "x"): 48, ("cat", "y"): 12, ("dog", "x"): 12, ("dog", "y"): 48}


@pytest.fixture
def photos(tmp_path):
    """A table of photos of noise, whose labels and cameras go together, and its frame."""
    generator = np.random.default_rng(0)
    rows = [
        {"path": f"{label}-{camera}-{k}.png", "label": label, "camera": camera}
        for (label, camera), n in COUNTS.items()
        for k in range(n)
    ]
    for row in rows:
        level = 60 if row["camera"] == "x" else 180
        pixels = (level + generator.normal(0, 10, (64, 64, 3))).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / row["path"])
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "photos.csv", index=False)
    return frame


@pytest.fixture
def audit(command, photos, tmp_path):
    """Run the audit; returns its exit code, its verdict as written, and what was printed."""

    def run(*options):
        where = ["--run", tmp_path / "run", "--executor", "local"]
        code, out, err = command("audit", tmp_path / "photos.csv", *where, *options)
        return code, json.loads((tmp_path / "run/report/verdict.json").read_text()), out + err

    return run


@pytest.fixture
def features(photos, tmp_path):
    """A table of features that show the label, the camera, or both, each as much as asked."""

    def make(label, camera):
        generator = np.random.default_rng(1)
        numbers = pd.DataFrame(generator.normal(size=(len(photos), 6)), columns=[*"abcdef"])
        numbers["a"] += label * (photos["label"] == "cat")
        numbers["b"] += camera * (photos["camera"] == "x")
        numbers.assign(path=photos["path"]).to_parquet(tmp_path / "features.parquet")
        return tmp_path / "features.parquet"

    return make


def test_features_that_show_the_camera_alone_are_cheated_with(audit, features):
    code, verdict, printed = audit("--embeddings", features(0, 8), "--fail-on", "cheating")
    assert code == 3
    assert verdict["verdict"] == "cheating"
    evidence = verdict["evidence"]
    assert evidence["shortcut_effect.risk_difference"] > 0.7
    assert evidence["control.risk_difference"] < 0.7 * evidence["control.exposed_risk_difference"]
    assert evidence["control.p"] <= 0.01
    assert evidence["identification.accuracy"] > 0.85
    assert "Judged: a linear probe on your own features" in printed
    assert [model["name"] for model in verdict["models"]] == ["linear:embeddings"]


def test_photos_that_are_wrong_because_of_their_camera_are_on_the_page(audit, features, tmp_path, command):
    audit("--embeddings", features(0, 8))
    folder = tmp_path / "run/report"
    records = load_records(str(tmp_path / "run"))
    rows = pd.concat(records.test_rows(records.cells("label")[0]).values())
    camera_s = rows["camera"].map({"x": "cat", "y": "dog"})
    wrong = rows[(rows["label"] != camera_s) & (rows["prediction"] == camera_s)]["camera"].value_counts()
    heading = re.search(r"<h2>(\d+) photos by .*?; (\d+) by others", (folder / "index.html").read_text())
    assert [*map(int, heading.groups())] == [wrong.max(), wrong.min()]
    assert (folder / "figures/misled.png").exists()
    (tmp_path / "run/dataset").rename(tmp_path / "moved")
    shutil.rmtree(folder)
    assert command("report", tmp_path / "run")[0] == 0
    assert "photos by " in (folder / "index.html").read_text()
    assert not (folder / "figures/misled.png").exists(), "the photos are gone"
    (tmp_path / "moved").rename(tmp_path / "run/dataset")
    shutil.rmtree(tmp_path / "run/examples")  # as with --no-photos
    assert command("report", tmp_path / "run")[0] == 0
    assert not (folder / "figures/misled.png").exists()


@pytest.mark.slow
def test_features_that_show_the_label_alone_cannot_be_cheated_with(audit, features):
    """What it alone catches: a head that follows cameras which its features do not show."""
    _, verdict, _ = audit("--embeddings", features(8, 0))
    assert verdict["verdict"] == "cannot tell", "24 bias-conflicting photos are too few for `no evidence`"
    assert verdict["reasons"][0].startswith("Nothing was found, but only effects from")
    assert verdict["evidence"]["task.accuracy"] > 0.9
    assert verdict["evidence"]["shortcut_effect.p"] > 0.01
    assert verdict["evidence"]["shortcut_effect.minimum_detectable"] > 0.25


def test_every_photo_is_tested_once_by_a_probe_on_a_network(audit, photos, tmp_path):
    code, verdict, printed = audit("--backbone", "test_resnet", "--weights", "none", "--size", "32")
    assert code == 0
    assert "Computing rgb features" in printed
    records = load_records(str(tmp_path / "run"))
    (cell,) = records.cells("label")
    tested = pd.concat(records.test_rows(cell).values())
    assert len(tested) == tested["image_id"].nunique() == len(photos)
    assert verdict["evidence"]["identification.accuracy"] > 0.95, "one camera's photos are brighter"
    page = (tmp_path / "run/report/index.html").read_text()
    assert "learned first" not in page, "a probe is fitted at once"
    _, again, printed = audit("--backbone", "test_resnet", "--weights", "none", "--size", "32")
    assert again == verdict
    assert "10 trials, 0 of them run now" in printed
    _, _, printed = audit("--backbone", "test_resnet", "--weights", "none", "--size", "32", "--json")
    assert {name: json.loads(printed)[name] for name in verdict} == verdict


def test_a_split_of_one_s_own_is_tested_once_and_a_run_of_five_equal_seeds_goes_on(
    audit, photos, features, tmp_path, monkeypatch
):
    table = features(0, 8)
    photos.assign(split=["test" if k % 2 else "train" for k in range(len(photos))]).to_csv(
        tmp_path / "photos.csv", index=False
    )
    with monkeypatch.context() as before:
        before.setattr(TrialConfig, "seed_matters", True)
        audit("--embeddings", table)
    records = load_records(str(tmp_path / "run"))
    (cell,) = records.cells("label")
    predictions = [records.predictions(trial) for trial in cell.trials.values()]
    assert len(predictions) == 5
    assert all(other.equals(predictions[0]) for other in predictions[1:])
    _, five, printed = audit("--embeddings", table)
    assert "2 trials, 0 of them run now" in printed
    shutil.rmtree(tmp_path / "run/trials")
    shutil.rmtree(tmp_path / "run/studies")
    _, one, printed = audit("--embeddings", table)
    assert "2 trials, 2 of them run now" in printed
    assert "(1 seed)" in (tmp_path / "run/report/index.html").read_text()
    names = [f"shortcut_effect.{name}" for name in ("p", "risk_difference", "risk_difference_low")]
    assert [one["evidence"][name] for name in names] == pytest.approx(
        [five["evidence"][name] for name in names]
    )


def test_a_backbone_and_features_of_one_s_own_are_not_given_together(command, photos, tmp_path):
    code, _, err = command(
        "audit",
        tmp_path / "photos.csv",
        "--run",
        tmp_path / "run",
        "--backbone",
        "resnet34",
        "--embeddings",
        "x.csv",
    )
    assert code == 1
    assert "give one of them" in err


def test_photos_without_features_are_named(command, photos, features, tmp_path):
    table = pd.read_parquet(features(1, 1)).iloc[:-1]
    table.to_parquet(tmp_path / "features.parquet")
    code, _, err = command(
        "audit", tmp_path / "photos.csv", "--run", tmp_path / "run", "--executor", "local",
        "--embeddings", tmp_path / "features.parquet",
    )  # fmt: skip
    assert code == 1
    assert "lacks features of 1 of 56 photos" in err, "of the first shard of 64, byte-identical ones once"
