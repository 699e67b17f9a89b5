"""Inputs that nobody means to give: each is read, or refused in a sentence, and nothing of the user's changes.

`CAMERABIAS_FUZZ=1000 python -m pytest tests/test_fuzz.py` tries 1,000 of each; see docs/reliability.md.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from camerabias.analysis.records.load import load_records
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.inspection.metadata import gather_facts
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Reading, Source
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source
from camerabias.sweeps.planning.study import load_study
from camerabias.sweeps.search.space import load_space
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.recipe import load_recipe

ROOT = Path(__file__).parent.parent
CASES = int(os.environ.get("CAMERABIAS_FUZZ", "20"))

tried = settings(
    max_examples=CASES,
    deadline=None,
    derandomize="CAMERABIAS_FUZZ" not in os.environ,  # `make test` tries the same inputs every time
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "double", "end"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)
"""Edits of a file: what is done, where along it, and bytes."""


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


def read_or_refused(read, *arguments):
    """What is read; None where it is refused in a sentence. Whatever else is raised fails the test."""
    try:
        return read(*arguments)
    except CamerabiasError:
        return None


# --- tables and folders ---------------------------------------------------------------------------------


def tables(folder):
    """Valid tables of two photos in every format, by ending."""
    rows = [{"path": f"{n}.jpg", "label": "AB"[n], "camera": "x", "group": n} for n in range(2)]
    frame = pd.DataFrame(rows)
    frame.to_parquet(folder / "t.parquet")
    coco = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "camera": "x"} for n in range(2)],
        "annotations": [{"image_id": n, "category_id": n} for n in range(2)],
        "categories": [{"id": n, "name": "AB"[n]} for n in range(2)],
    }
    return {
        "csv": frame.to_csv(index=False).encode(),
        "tsv": frame.to_csv(index=False, sep="\t").encode("utf-16"),
        "jsonl": frame.to_json(orient="records", lines=True).encode(),
        "json": json.dumps(coco).encode(),
        "parquet": (folder / "t.parquet").read_bytes(),
    }


@pytest.fixture(scope="module")
def table_folder(tmp_path_factory):
    """Two photos, and tables of them."""
    folder = tmp_path_factory.mktemp("tables")
    for n in range(2):
        Image.new("RGB", (40, 40), (n * 90, 60, 30)).save(folder / f"{n}.jpg")
    return folder, tables(folder)


@tried
@given(edits=EDITS, ending=st.sampled_from(["csv", "tsv", "jsonl", "json", "parquet"]))
def test_tables(table_folder, edits, ending):
    folder, valid = table_folder
    (folder / f"fuzzed.{ending}").write_bytes(edited(valid[ending], edits))
    source = read_or_refused(read_source, str(folder / f"fuzzed.{ending}"))
    assert source is None or source.photos


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)


@tried
@given(names=st.lists(st.lists(NAMES, min_size=1, max_size=4), min_size=1, max_size=5))
def test_folders(tmp_path, names):
    root = tmp_path / "photos"
    shutil.rmtree(root, ignore_errors=True)
    for levels in names:
        try:
            root.joinpath(*levels[:-1]).mkdir(parents=True, exist_ok=True)
            root.joinpath(*levels[:-1], levels[-1] + ".jpg").touch()
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            pass  # a file lies where a folder is wanted
    before = digest(root)
    source = read_or_refused(read_source, str(root))
    assert source is None or all(source.root.exists(photo.path) for photo in source.photos)
    assert digest(root) == before


# --- photos ---------------------------------------------------------------------------------------------


def photos():
    """Valid photos by format, a JPEG with EXIF among them."""
    pixels = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[271], exif[272], exif[274] = "Acme", "One", 6
    found = {}
    for kind, how in {
        "JPEG": {"exif": exif},
        "PNG": {"exif": exif},
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {},
        "BMP": {},
        "GIF": {},
    }.items():
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, **how)
        found[kind] = file.getvalue()
    return found


PHOTOS = photos()


@tried
@given(edits=EDITS, kind=st.sampled_from(sorted(PHOTOS)))
def test_photos(tmp_path, edits, kind):
    """A photo that cannot be read is rejected, and the others are imported; of one that can, facts are found."""
    root, out = tmp_path / "photos", tmp_path / "dataset"
    shutil.rmtree(out, ignore_errors=True)
    root.mkdir(exist_ok=True)
    (root / "whole.jpg").write_bytes(PHOTOS["JPEG"])
    (root / "fuzzed").write_bytes(edited(PHOTOS[kind], edits))
    source = Source("table", Folder(root), [Photo("whole.jpg", "A", None), Photo("fuzzed", "B", None)])
    before = digest(root)
    dataset = import_dataset(source, Folder(out), LocalExecutor(), max_rejected=1.0)
    assert dataset.manifest.n_images + dataset.manifest.n_rejected == 2
    assert len(gather_facts(dataset, LocalExecutor())) == dataset.manifest.n_images
    assert digest(root) == before


# --- files that people write ----------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)

WRITTEN = {
    load_study: ROOT / "examples/recipes.yaml",
    load_recipe: ROOT / "trainables/recipes/paper.yaml",
    load_space: ROOT / "examples/search_demo.yaml",
}


@tried
@given(reader=st.sampled_from(list(WRITTEN)), edits=EDITS)
def test_bytes_of_studies_recipes_and_spaces(tmp_path, reader, edits):
    (tmp_path / "fuzzed.yaml").write_bytes(edited(WRITTEN[reader].read_bytes(), edits))
    read_or_refused(reader, str(tmp_path / "fuzzed.yaml"))


@tried
@given(reader=st.sampled_from(list(WRITTEN)), where=st.floats(0, 1), value=VALUES)
def test_values_of_studies_recipes_and_spaces(tmp_path, reader, where, value):
    """One field, at any depth, holds something else."""
    document = yaml.safe_load(WRITTEN[reader].read_text())
    places = [*_places(document)]
    holder, key = places[int(where * (len(places) - 1))]
    holder[key] = value
    (tmp_path / "fuzzed.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    read_or_refused(reader, str(tmp_path / "fuzzed.yaml"))


def _places(document):
    """Every place of a document that holds a value: the dictionary or list, and the key or number."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], (dict, list)):
            yield from _places(document[key])


# --- files that camerabias wrote ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small_dataset(tmp_path_factory):
    """An imported dataset of four photos."""
    root = tmp_path_factory.mktemp("dataset")
    for n in range(4):
        file = root / "AB"[n % 2] / "x" / f"{n}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), (n * 60, 60, 30)).save(file)
    import_dataset(read_source(str(root), Reading()), Folder(root / "out"), LocalExecutor())
    return root / "out"


@tried
@given(edits=EDITS, name=st.sampled_from(["dataset.json", "index.parquet", "images/part-00000.parquet"]))
def test_damaged_datasets(tmp_path, small_dataset, edits, name):
    """What is damaged is named, or is read as it was: never a bug, and never other photos in silence."""
    folder = tmp_path / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(small_dataset, folder)
    (folder / name).write_bytes(edited((folder / name).read_bytes(), edits))

    def read():
        dataset = open_dataset(str(folder))
        return {image_id: dataset.read_image(image_id) for image_id in dataset.index["image_id"]}

    found = read_or_refused(read)
    if found is not None:
        assert all(
            hashlib.sha256(content).hexdigest()[:20] == image_id[:20] for image_id, content in found.items()
        )


@pytest.fixture(scope="module")
def old_run(tmp_path_factory):
    """A run of two studies and a search."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(ROOT / "tests/fixtures/old_run/old_run.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "run"


@tried
@given(edits=EDITS, where=st.floats(0, 1))
def test_damaged_runs(tmp_path, old_run, edits, where):
    folder = tmp_path / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(old_run, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    file = files[int(where * (len(files) - 1))]
    file.write_bytes(edited(file.read_bytes(), edits))

    def read():
        records = load_records(str(folder))
        Run(folder).contents()
        for trial_id in records.trials.index[records.trials["status"] == "done"]:
            read_or_refused(records.predictions, trial_id)
        return records

    read_or_refused(read)
