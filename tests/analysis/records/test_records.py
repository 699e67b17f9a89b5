import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from camerabias.analysis.records.load import load_records
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.record import Record


def test_every_trial_of_a_study_has_a_row(demo_run):
    trials = load_records(demo_run.folder.path).trials
    assert trials["status"].value_counts().to_dict() == {"done": 13, "failed": 1, "missing": 1, "started": 1}
    failed = trials[trials["status"] == "failed"].iloc[0]
    assert (failed["setting"], failed["seed"], failed["reason"]) == ("partial", 3, "CUDA out of memory")
    assert failed["name"] == "label-partial-rgb-test_resnet-seed3"
    done = trials[trials["status"] == "done"]
    assert (done["learning_rate"] == 2e-3).all()
    assert (done["seconds"] == 30).all()
    assert trials.loc[trials["status"] != "done", "test_accuracy"].isna().all()


def test_predictions_tell_the_truth_of_their_target(demo_run):
    records = load_records(demo_run.folder.path)
    for target in ("camera", "label"):
        cell = records.cells(target, "balanced")[0]
        rows = records.predictions(cell.trials[0])
        assert (rows["truth"] == rows[target]).all()
        assert (rows["prediction"] == rows["truth"]).mean() == pytest.approx(
            {"camera": 0.99, "label": 0.96}[target]
        )


def test_photos_without_a_group_stand_alone(demo_run):
    trial = load_records(demo_run.folder.path).cells("camera")[0].trials[0]
    record = demo_run.record(trial)
    record.finish(record.history(), record.predictions().assign(group=None), record.done())
    assert load_records(demo_run.folder.path).predictions(trial)["group"].nunique() == 100


def test_seen_and_unseen_cameras(demo_run):
    records = load_records(demo_run.folder.path)
    cell = records.cells("label", "disjoint")[0]
    assert records.unseen_cameras(cell) == ("Vivo",)
    assert sorted(records.done(cell)) == [0, 1]
    assert {len(frame) for frame in records.test_rows(cell, "unseen").values()} == {20}
    assert {len(frame) for frame in records.test_rows(cell, "seen").values()} == {80}
    assert records.tied_labels(cell) == {
        "iPhone": "Manufacturer 1",
        "Samsung": "Manufacturer 1",
        "Huawei": "Manufacturer 2",
        "Redmi": "Manufacturer 2",
    }
    for setting in ("balanced", "partial"):
        assert records.tied_labels(records.cells("label", setting)[0]) == {}


def test_weights_of_a_setting_tie_a_camera_to_the_label_with_most(make, tmp_path, monkeypatch):
    cells = tuple((f"Manufacturer {n}", camera) for camera in ("iPhone", "Huawei", "Redmi") for n in (1, 2))
    monkeypatch.setitem(make.run.__globals__["CELLS"], "strength-0.5", cells)
    asked = make.cell(
        "label", "strength-0.5", make.right("label", 0.9), weights=(0.75, 0.25, 0.25, 0.75, 0.5, 0.5)
    )
    records = load_records(make.run(tmp_path, {"s": [asked]}).folder.path)
    (cell,) = records.cells("label")
    assert records.tied_labels(cell) == {"iPhone": "Manufacturer 1", "Huawei": "Manufacturer 2"}


@pytest.mark.parametrize("name", ["config.json", "done.json", "history.parquet", "predictions.parquet"])
@pytest.mark.parametrize("harm", ["cut", "deleted"])
def test_a_damaged_file_of_a_finished_trial_is_named(demo_run, name, harm):
    trial = load_records(demo_run.folder.path).cells("label", "balanced")[0].trials[1]
    folder = demo_run.record(trial).folder
    if harm == "cut":
        folder.write_bytes(name, folder.read_bytes(name)[:-20])
    else:
        folder.delete(name)
    records = load_records(demo_run.folder.path)
    if harm == "deleted" and name != "config.json":  # then the trial counts as unfinished, and is run again
        assert records.status(trial) == "started"
        return
    assert records.status(trial) == "damaged"
    assert f"{trial}/{name}" in records.trials.at[trial, "reason"]
    assert 1 not in records.test_rows(records.cells("label", "balanced")[0])


def test_damage_inside_a_table_is_named_when_it_is_read(demo_run):
    records = load_records(demo_run.folder.path)
    trial = records.cells("label", "balanced")[0].trials[1]
    folder = demo_run.record(trial).folder
    content = bytearray(folder.read_bytes("predictions.parquet"))
    content[4:400] = bytes(396)
    folder.write_bytes("predictions.parquet", bytes(content))
    with pytest.raises(CamerabiasError, match=f"Cannot read .*{trial}/predictions.parquet"):
        load_records(demo_run.folder.path).predictions(trial)


def test_what_is_no_run_or_damaged_is_said(tmp_path, demo_run):
    with pytest.raises(CamerabiasError, match="no run"):
        load_records(str(tmp_path / "nothing"))
    demo_run.folder.child("studies").write_bytes("demo.yaml", b"name: demo")
    with pytest.raises(CamerabiasError, match="demo"):
        load_records(demo_run.folder.path)
    shutil.rmtree(demo_run.folder.child("studies").path)
    with pytest.raises(CamerabiasError, match="no study"):
        load_records(demo_run.folder.path)
    demo_run.folder.write_bytes("run.json", b"{")
    with pytest.raises(CamerabiasError, match=r"run\.json"):
        load_records(demo_run.folder.path)


def test_analysis_imports_neither_torch_nor_ray():
    code = (
        "import sys, camerabias.analysis.report.report; "
        "print({'torch', 'ray', 'timm', 'torchvision'} & set(sys.modules), 'matplotlib' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set() True"


def test_of_a_random_view_rows_are_the_first_draw_or_all_of_them(make, tmp_path):
    cell = make.cell("camera", "balanced", make.right("camera", 0.4), view="crop32", test_draws=5)
    run = make.run(tmp_path, {"s": [cell]}, seeds=[0])
    records = load_records(run.folder.path)
    (found,) = records.cells("camera")
    drawn = run.record(found.trials[0]).predictions()
    first, every = records.test_rows(found)[0], records.drawn_rows(found)[0]
    assert first["prediction"].tolist() == drawn[drawn["draw"] == 0]["prediction"].tolist()
    assert every["prediction"].tolist() == drawn["prediction"].tolist()
    assert len(every) == 5 * len(first) == 500
    assert {len(frame) for frame in records.drawn_rows(found, "seen").values()} == {500}
    assert records.drawn_rows(found, "unseen") == {}


@pytest.mark.parametrize("cameras", ["all", "seen", "unseen"])
def test_rows_of_a_cell_are_those_of_its_seeds_and_so_are_its_accuracies(paper_run, cameras):
    records = load_records(paper_run.folder.path)
    for cell in records.cells("label"):
        by_seed = records.test_rows(cell, cameras)
        rows = records.rows(cell, cameras)
        assert {*rows["seed"]} == {*by_seed}
        for seed, frame in by_seed.items():
            found = rows[rows["seed"] == seed].drop(columns="seed").reset_index(drop=True)
            pd.testing.assert_frame_equal(found, frame.reset_index(drop=True)[found.columns])
        for _ in range(2):  # computed, and remembered
            found, by_chance = records.accuracy_and_chance(cell, cameras)
            if not by_seed:
                assert found.n_seeds == 0
                assert np.isnan(by_chance)
                continue
            right = [(frame["prediction"] == frame["truth"]).mean() for frame in by_seed.values()]
            truths = pd.concat(list(by_seed.values()))["truth"]
            assert found.mean == pytest.approx(np.mean(right), abs=1e-12)
            assert found.n_seeds == len(by_seed)
            assert by_chance == truths.value_counts().max() / len(truths)
            assert records.accuracy(cell, cameras) == found


def test_training_rows_are_the_probe_s(paper_run):
    records = load_records(paper_run.folder.path)
    (cell,) = records.cells("camera", views="left → right")
    rows = records.training_rows(cell)
    assert sorted(rows) == [0, 1, 2, 3]
    assert (rows[0]["prediction"] == rows[0]["camera"]).mean() == pytest.approx(0.98)
    assert rows[0]["image_id"].str.startswith("t").all()
    assert records.training_rows(records.cells("label")[0]) == {}


def test_studies_of_one_s_own_are_no_repetition_of_the_paper(paper_run):
    records = load_records(paper_run.folder.path)
    own = records.studies["paper"].model_copy(update={"name": "own", "paper": None})
    both = replace(records, studies={"own": own, **records.studies})
    assert list(both.repeating_paper().studies) == ["paper"]


def test_probes_are_found_whatever_their_parameters(paper_run):
    records = load_records(paper_run.folder.path)
    (cell,) = records.cells("camera", views="crop32")
    assert [seed for seed, _ in records.probes(cell, "crop_images")] == [0, 1, 2, 3]
    assert list(records.probes(cell, "perturbations")) == []


def test_a_damaged_probe_is_named(make, tmp_path):
    probes = {"crop_map": make.cropped(0.8)}
    cell = make.cell("camera", "balanced", make.right("camera", 0.4), view="crop32", probes=probes)
    run = make.run(tmp_path, {"s": [cell]}, seeds=[0])
    records = load_records(run.folder.path)
    (found,) = records.cells("camera")
    folder = run.record(found.trials[0]).folder.child("probes")
    folder.write_bytes("crop_map.npz", folder.read_bytes("crop_map.npz")[:-200])
    ((name, trial, reason),) = records.damaged_probes()  # whether or not anybody has asked for it
    assert list(records.probes(found, "crop_map")) == []
    assert len(records.damaged_probes()) == 1
    assert name == "camera-balanced-crop32-test_resnet-seed0, probe crop_map"
    assert trial == found.trials[0]
    assert "probes/crop_map.npz cannot be read" in reason


def test_probe_that_was_read_is_not_read_again_to_see_whether_it_is_damaged(make, tmp_path, monkeypatch):
    probes = {"crop_map": make.cropped(0.8), "crop_images": make.cropped(0.8)}
    cell = make.cell("camera", "balanced", make.right("camera", 0.4), view="crop32", probes=probes)
    records = load_records(make.run(tmp_path, {"s": [cell]}, seeds=[0, 1]).folder.path)
    read = []
    probe = Record.probe
    monkeypatch.setattr(Record, "probe", lambda record, name: read.append(name) or probe(record, name))
    assert len(list(records.probes(records.cells("camera")[0], "crop_map"))) == 2
    assert records.damaged_probes() == records.damaged_probes() == []
    assert sorted(read) == ["crop_images"] * 2 + ["crop_map"] * 2


def test_a_study_from_before_probes_is_read(demo_run):
    folder = demo_run.folder.child("studies")
    fields = yaml.safe_load(folder.read_bytes("demo.yaml"))
    for cell in fields["cells"]:
        for name in ("probes", "test_draws", "downsampled"):
            del cell[name]
    folder.write_bytes("demo.yaml", yaml.safe_dump(fields).encode())
    cell = load_records(demo_run.folder.path).cells("camera")[0]
    assert (cell.probes, cell.test_draws, cell.downsampled) == ((), 1, False)


def test_pieces_of_another_size_do_not_change_a_models_name(paper_run):
    records = load_records(paper_run.folder.path)
    assert {cell.size for cell in records.cells("camera")} == {32, 128}
    assert {records.model_name(cell) for cell in records.cells("camera")} == {"test_resnet"}


def test_trials_that_test_the_same_images_share_them(demo_run):
    records = load_records(demo_run.folder.path)
    (cell,) = records.cells("camera")
    first, second = (records.predictions(cell.trials[seed]) for seed in (0, 1))
    assert not first["prediction"].equals(second["prediction"])
    for column in ("image_id", "group", "truth"):
        assert np.shares_memory(*(pa.array(frame[column]).buffers()[2] for frame in (first, second)))
    assert records.count_tested() == first["image_id"].nunique()


def test_the_same_cell_under_another_setting(demo_run):
    records = load_records(demo_run.folder.path)
    cell = records.cells("label", "disjoint")[0]
    assert records.under("balanced", cell) == records.cells("label", "balanced")[0]
    assert records.under("unheard of", cell) is None
