"""Every file that camerabias reads, small, and who reads it: what faults are tried on."""

import hashlib
import json
import shutil
import tarfile
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

import camerabias
from camerabias.analysis.calibration.cases import read_lines
from camerabias.analysis.records.load import load_records
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.ingest.create import read_rows
from camerabias.datasets.inspection.metadata import facts_of, tell
from camerabias.datasets.inspection.pixels import pixels_of
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.predictions.columns import PredictionColumns
from camerabias.datasets.predictions.table import read_predictions
from camerabias.datasets.reading.photo import Photo
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source
from camerabias.sweeps.monitoring.status import read_status
from camerabias.sweeps.planning.study import load_study
from camerabias.sweeps.runs.archive import pack_run, unpack_run
from camerabias.sweeps.search.space import load_space
from camerabias.trainables.embeddings.own import own_features
from camerabias.trainables.embeddings.store import read_features
from camerabias.trainables.records.checkpoint import (
    read_checkpoint,
    read_weights,
    write_checkpoint,
    write_weights,
)
from camerabias.trainables.records.record import Failure, Running
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import search_records
from camerabias.trainables.spec.recipe import load_recipe

ROOT = Path(__file__).parents[2]
SIDE = 32


# --- the world ------------------------------------------------------------------------------------------


def make_world(folder):
    """Photos, tables, what people write, a dataset, an audited run, a judged one, and an old one with a search."""
    frame = _photos(folder)
    _tables(folder, frame)
    for name, source in {
        "study.yaml": "examples/recipes.yaml",
        "recipe.yaml": "trainables/recipes/paper.yaml",
        "space.yaml": "examples/search_demo.yaml",
    }.items():
        shutil.copy(ROOT / source, folder / name)
    lines = (ROOT / "docs/calibration/calibration.jsonl").read_text().splitlines()[:2]
    (folder / "calibration.jsonl").write_text("\n".join(lines) + "\n")
    camerabias.audit(folder / "photos.csv", folder / "run", embeddings=folder / "features.csv", seeds=[0, 1])
    camerabias.report(folder / "run")
    camerabias.judge(folder / "predictions.csv", run=folder / "judged")
    _unfinished(folder / "run")
    pack_run(Run(folder / "run"), folder / "packed.tar.gz")
    with tarfile.open(ROOT / "tests/fixtures/old_run/old_run.tar.gz") as archive:
        archive.extractall(folder / "old", filter="data")


def _photos(folder):
    counts = {("A", "x"): 8, ("A", "y"): 4, ("B", "x"): 4, ("B", "y"): 8}
    generator = np.random.default_rng(0)
    rows = [
        {"path": f"{label}{camera}{k}.png", "label": label, "camera": camera, "group": k}
        for (label, camera), n in counts.items()
        for k in range(n)
    ]
    for row in rows:
        pixels = generator.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / row["path"])
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Acme", "One", 6
    for ending, options in {"jpg": {"exif": exif}, "tif": {}, "webp": {}, "bmp": {}, "gif": {}}.items():
        Image.fromarray(pixels).save(folder / f"photo.{ending}", **options)
    return pd.DataFrame(rows)


def _tables(folder, frame):
    frame.to_csv(folder / "photos.csv", index=False)
    frame.to_csv(folder / "photos.tsv", index=False, sep="\t", encoding="utf-16")
    frame.to_json(folder / "photos.jsonl", orient="records", lines=True)
    frame.to_parquet(folder / "photos.parquet")
    coco = {
        "images": [{"id": n, "file_name": f"{c}x{n}.png", "camera": "x"} for n in range(2) for c in "A"],
        "annotations": [{"image_id": n, "category_id": n} for n in range(2)],
        "categories": [{"id": n, "name": "AB"[n]} for n in range(2)],
    }
    (folder / "coco.json").write_text(json.dumps(coco))
    predictions = frame.assign(
        prediction=frame["camera"].map({"x": "A", "y": "B"}), score=np.arange(len(frame))
    )
    predictions.to_csv(folder / "predictions.csv", index=False)
    predictions.to_json(folder / "predictions.jsonl", orient="records", lines=True)
    predictions.to_parquet(folder / "predictions.parquet")
    numbers = np.random.default_rng(1).normal(size=(len(frame), 3)).round(3)
    features = pd.DataFrame(numbers, columns=[*"abc"]).assign(path=frame["path"])
    features.to_csv(folder / "features.csv", index=False)
    features.to_parquet(folder / "features.parquet")


def _unfinished(run):
    """One trial of the run is in the middle, one has failed; a driver was at work that is gone."""
    import torch

    records = load_records(run)
    started, failed = (
        records.run.record(trial) for trial in records.trials.index[records.trials["seed"] == 1]
    )
    for record in (started, failed):
        for name in ("done.json", "predictions.parquet", "history.parquet"):
            record.folder.delete(name)
    then = "2026-01-01T00:00:00+00:00"
    started.write_progress(
        Running(step=1, max_steps=4, images_per_second=1.0, seconds=1.0, host="a", written_at=then)
    )
    write_checkpoint(started.folder, {"w": torch.zeros(3)}, {"step": 1})
    write_weights(started.folder, {"w": torch.zeros(3)})
    failed.give_up(Failure(reason="none", traceback="", failed_at=then, host="a"))
    lease = {"owner": "a", "host": "a", "machine": "a", "pid": 1, "since": then, "renewals": 3}
    records.run.write_lease(lease)


# --- damage ---------------------------------------------------------------------------------------------


def edited(content, edits):
    """A file's content after edits."""
    for how, where, data in edits:
        at = int(where * max(len(content) - 1, 0))
        if how == "flip" and content:
            content = content[:at] + bytes([content[at] ^ (data[0] or 1)]) + content[at + 1 :]
        elif how == "cut":
            content = content[:at] + content[at + data[0] :]
        elif how == "insert":
            content = content[:at] + data + content[at:]
        elif how == "double":
            content = content[:at] + content[at : at + data[0]] * 2 + content[at + data[0] :]
        else:
            content = content[:at]
    return content


def digest(folder):
    """What lies in a folder, to the byte."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- who reads what -------------------------------------------------------------------------------------


def read_table(path):
    assert read_source(str(path)).photos


def read_photo(path):
    (row,) = read_rows(Folder(path.parent).read_bytes, [Photo(path.name, "A", None)])
    if "reason" not in row:
        tell(row["bytes"])


def read_prediction_table(path):
    read_predictions(path, PredictionColumns())


def read_feature_table(path):
    own_features(str(path), pd.DataFrame({"path": ["Ax0.png", "By7.png"], "image_id": ["0", "1"]}))


def read_dataset(path):
    """A dataset with all that is stored in it: what is damaged is named, or is read as it was."""
    dataset = open_dataset(str(path))
    for image_id in dataset.index["image_id"]:
        assert hashlib.sha256(dataset.read_image(image_id)).hexdigest()[:20] == image_id[:20]
    facts_of(dataset, LocalExecutor())
    pixels_of(dataset, LocalExecutor())


def read_run(path):
    records = load_records(str(path))
    read_status(records.run)
    records.run.frame("facts.parquet")
    records.run.frame("pixels.parquet")
    records.run.frame("sensor_pattern.parquet")
    for trial, status in records.trials["status"].items():
        if status == "done":
            records.predictions(str(trial))
            records.validations(str(trial))
        elif status == "damaged":
            raise CamerabiasError(records.trials.at[trial, "reason"])
    for probe in records.damaged_probes():
        raise CamerabiasError(probe.reason)
    for example in [*records.examples(), *records.view_pictures()]:
        records.example_bytes(example)


def read_embeddings(path):
    """The features that a run's trials stand on."""
    records = load_records(str(path))
    dataset = open_dataset(str(path / "dataset"))
    trial = records.trials.index[records.trials["status"] == "done"][0]
    for stored in records.run.record(str(trial)).config().stored:
        read_features(dataset, stored)


def read_searches(path):
    for record in search_records(Run(path)):
        record.search()
        record.candidates()
        record.confirmed()
    read_status(Run(path))


def read_judged(path):
    camerabias.judge(path)


def read_packed(path):
    with tempfile.TemporaryDirectory() as out:
        unpack_run(path, Folder(out))


def read_state(path):
    """The checkpoint and the weights of a trial, by the path of either."""
    read_checkpoint(Folder(path.parent))
    read_weights(Folder(path.parent))


def read_written(load):
    """Reads what people write."""
    return lambda path: load(str(path))


DATASET = "run/dataset"
READERS = [
    ("photos.*", read_table, None),
    ("coco.json", read_table, None),
    ("*.png", read_photo, None),
    ("photo.*", read_photo, None),
    ("predictions.*", read_prediction_table, None),
    ("features.*", read_feature_table, None),
    ("study.yaml", read_written(load_study), None),
    ("recipe.yaml", read_written(load_recipe), None),
    ("space.yaml", read_written(load_space), None),
    ("calibration.jsonl", read_lines, None),
    ("packed.tar.gz", read_packed, None),
    (f"{DATASET}/*.*", read_dataset, DATASET),
    (f"{DATASET}/images/*", read_dataset, DATASET),
    (f"{DATASET}/variants/*/*", read_embeddings, "run"),
    ("run/*.*", read_run, "run"),
    ("run/studies/*", read_run, "run"),
    ("run/trials/*/[!cw]*.*", read_run, "run"),
    ("run/trials/*/config.json", read_run, "run"),
    ("run/trials/*/checkpoint.*", read_state, None),
    ("run/trials/*/weights.*", read_state, None),
    ("run/examples/*", read_run, "run"),
    ("judged/judged.parquet", read_judged, "judged"),
    ("judged/report/verdict.json", read_judged, "judged"),
    ("old/run/searches/*/*.*", read_searches, "old/run"),
    ("old/run/searches/*/tries/*", read_searches, "old/run"),
    ("old/run/trials/*/probes/*", read_run, "old/run"),
]
"""Files below the world, who reads them, and from where: None where that is the file itself."""


def targets(world):
    """Every file, and a function without arguments that reads it."""
    for pattern, read, base in READERS:
        for file in sorted(world.glob(pattern)):
            yield file, partial(read, file if base is None else world / base)


def kinds(world):
    """As `targets`, one file of each kind: of ten photos, or of the same file of ten trials, the first."""
    found = {}
    for file, read in targets(world):
        same = file.suffix if file.parent == world else file.name if "trials" in file.parts else str(file)
        found.setdefault((read.func, same), (file, read))
    return list(found.values())
