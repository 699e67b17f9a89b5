"""`import camerabias`, as in a notebook: on a run of an earlier version, so that nothing is trained."""

import doctest
import json
import shutil
import tarfile
from pathlib import Path

import pandas as pd
import pytest

import camerabias
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.execution.outcome import SweepOutcome

ARCHIVE = Path(__file__).parent / "fixtures/old_run/old_run.tar.gz"
AUDIT = {"quick": True, "model": "small_cnn", "weights": "none", "recipe": "calibration"}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The folder that holds `datasets/mine` and its audited `runs/mine`."""
    folder = tmp_path_factory.mktemp("notebook")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    for kind in ("dataset", "run"):
        (folder / f"{kind}s").mkdir()
        (folder / kind).rename(folder / f"{kind}s/mine")
    return folder


@pytest.fixture
def notebook(unpacked, monkeypatch):
    monkeypatch.chdir(unpacked)


@pytest.fixture
def results(notebook):
    return camerabias.load("runs/mine")


@pytest.fixture
def photos(dataset, tmp_path):
    """A frame of 20 photos, with an index of words and a column of the user's own."""
    rows = dataset.index.head(20)
    for image_id in rows["image_id"]:
        (tmp_path / f"{image_id}.jpg").write_bytes(dataset.read_image(image_id))
    paths = [tmp_path / f"{image_id}.jpg" for image_id in rows["image_id"]]
    return rows[["label", "camera", "group"]].assign(path=paths, iso=100).set_index(rows["image_id"] + "!")


@pytest.mark.parametrize(
    "name", ["audit", "check", "compare", "equalise", "import_photos", "judge", "load", "report", "simulate"]
)
def test_examples_come_to_what_they_say(name, notebook, photos):
    function = getattr(camerabias, name)
    given = {"camerabias": camerabias, "pd": pd, **{f"{c}s": photos[c] for c in ("path", "label", "camera")}}
    (example,) = doctest.DocTestFinder(recurse=False).find(function, name, globs=given)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def test_every_name_is_there_and_no_other():
    assert all(hasattr(camerabias, name) for name in camerabias.__all__)
    assert camerabias.__version__.count(".") == 2
    with pytest.raises(AttributeError, match=r"no attribute 'audits'; it has .*audit"):
        camerabias.audits  # noqa: B018


def test_audited_run_says_its_verdict_and_prints_nothing(results, capsys):
    assert results.verdict == "cheating"
    assert "camera" in results.reasons[0]
    assert results.numbers["shortcut_effect.p"] <= 0.01
    assert results.summary().startswith("Verdict: cheating\n")
    assert repr(results).endswith("17 of 17 trials done>")
    assert capsys.readouterr().out == ""


def test_frames_agree_with_each_other(results):
    cells, predictions = results.cells(), results.predictions()
    assert cells["asked"].sum() == cells["done"].sum() == len(results.trials) == 17
    assert set(predictions["trial"]) == set(results.trials.index)
    first_draws = predictions[predictions["draw"] == 0]  # which `test_accuracy` counts
    by_trial = first_draws.groupby("trial")["correct"].mean()
    assert by_trial.to_dict() == pytest.approx(results.trials["test_accuracy"].to_dict())
    rows = results.accuracy(by=["target", "seed", "train_view"])
    assert rows["trials"].sum() == 17
    assert (rows["accuracy_low"].isna() | (rows["accuracy_low"] <= rows["accuracy"])).all()
    label = rows[(rows["target"] == "label") & (rows["seed"] == 0) & (rows["train_view"] == "rgb")]
    same = predictions[(predictions["target"] == "label") & (predictions["seed"] == 0)]
    assert label["accuracy"].item() == pytest.approx(same["correct"].mean())


@pytest.mark.parametrize("by", [["colour"], []])
def test_accuracy_by_what_is_no_column_is_refused(results, by):
    with pytest.raises(CamerabiasError, match=r"give some of target, .*camera"):
        results.accuracy(by=by)


def test_audit_goes_on_and_says_so_where_asked(notebook, capsys):
    """Unless asked it says nothing, which its example shows."""
    camerabias.audit("datasets/mine", "runs/mine", verbose=True, **AUDIT)
    assert "6 trials, 0 of them run now" in capsys.readouterr().out


def test_trials_that_failed_are_an_error_unless_nobody_checks(notebook, monkeypatch):
    failed = SweepOutcome(2, 2, [("seed0", "bang"), ("seed1", "bang")], [], [], 0)
    monkeypatch.setattr("camerabias.auditing.run_audits", lambda *_: [failed])
    with pytest.raises(CamerabiasError, match="2 trials failed, first seed0: bang"):
        camerabias.audit("datasets/mine", "runs/mine", **AUDIT)
    results = camerabias.audit("datasets/mine", "runs/mine", check=False, **AUDIT)
    assert results.outcomes == [failed]
    assert results.verdict == "cheating"
    assert list(camerabias.load("runs/mine").outcomes) == []


def test_what_contradicts_itself_is_refused(notebook):
    with pytest.raises(CamerabiasError, match="quick=True is the opposite of full=True"):
        camerabias.audit("datasets/mine", "runs/mine", quick=True, full=True)
    with pytest.raises(CamerabiasError, match="imported already: label, layout would change nothing"):
        camerabias.audit("datasets/mine", "runs/mine", label="x", layout="label")


def test_frame_is_imported_as_its_table_would_be(photos, tmp_path, capsys):
    photos.to_csv(tmp_path / "photos.csv", index=False)
    of_frame = camerabias.import_photos(photos, tmp_path / "frame")
    of_table = camerabias.import_photos(tmp_path / "photos.csv", tmp_path / "table")
    assert of_frame.manifest.fingerprint == of_table.manifest.fingerprint
    assert of_frame.index["iso"].tolist() == [100] * 20
    assert capsys.readouterr().out == ""
    camerabias.import_photos(photos, tmp_path / "told", verbose=True)
    assert "Importing photos" in capsys.readouterr().out


def test_gap_in_a_frame_is_counted_whatever_its_index(photos, tmp_path):
    photos.iloc[3, photos.columns.get_loc("label")] = None
    with pytest.raises(CamerabiasError, match=r"has no label in 1 of 20 rows \(first: data row 4\)"):
        camerabias.import_photos(photos, tmp_path / "out")


def test_run_that_nobody_audited_has_no_verdict(results):
    (Path("runs/mine") / "facts.parquet").rename("facts.aside")
    try:
        plain = camerabias.load("runs/mine")
        assert (plain.verdict, plain.reasons, plain.numbers) == (None, None, None)
        assert "accuracy_low" in plain.summary()
    finally:
        Path("facts.aside").rename("runs/mine/facts.parquet")


@pytest.mark.parametrize("other", [False, True], ids=["of these photos", "of others"])
def test_equalised_photos_are_compared_as_what_they_were_before(notebook, tmp_path, other):
    run, dataset = tmp_path / "run", tmp_path / "dataset"
    shutil.copytree("runs/mine", run)
    shutil.copytree("datasets/mine", dataset)
    index = pd.read_parquet(dataset / "index.parquet")
    before = index["image_id"].str[::-1] if other else index["image_id"]
    index.assign(original_image_id=before).to_parquet(dataset / "index.parquet")
    document = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**document, "dataset_location": str(dataset)}))
    assert camerabias.compare("runs/mine", run, out=tmp_path).same_photos != other


def test_check_gives_frames_and_sentences_in_silence(photos, capsys):
    found = camerabias.check(photos)
    assert capsys.readouterr().out == ""
    assert repr(found) == "<camerabias.DesignCheck of 20 photos, 2 labels, 5 cameras>"
    assert found.cells["photos"].sum() == found.cameras["photos"].sum() == len(found.photos) == 20
    assert found.answers["answerable"].tolist() == [False, False, False]
    assert set(found.baselines["target"]) == {"label", "camera"}
    assert "cannot-tell" in found.problems
    assert found.pixels["image_id"].tolist() == found.photos["image_id"].tolist()
    assert {*found.camera_differences} > {"camera", "statistic", "mean", "others", "effect", "p_holm"}
    assert set(found.recognition["target"]) == {"camera", "label"}
    assert found.sentences[0] in found.summary()
    camerabias.check(photos, verbose=True)
    assert found.answers["why"][0] in capsys.readouterr().out
    assert set(found.needed["label"]) <= set(photos["label"])


def test_check_of_a_dataset_refuses_to_read_it_otherwise(notebook):
    assert len(camerabias.check("datasets/mine").photos) > 0
    with pytest.raises(CamerabiasError, match="imported already: camera would change nothing"):
        camerabias.check("datasets/mine", camera="phone")
