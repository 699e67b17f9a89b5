"""Inputs that nobody means to give: each is read, or refused in a sentence, and nothing of the user's changes.

`CAMERABIAS_FUZZ=1000 python -m pytest tests/faults/test_fuzz.py` tries 1,000 of each; fuzz.py beside it takes longer.
"""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import digest, edited, kinds

from camerabias.datasets.ingest.create import import_dataset
from camerabias.datasets.inspection.metadata import gather_facts
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import Photo, Source
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source

GIVEN = "CAMERABIAS_FUZZ" in os.environ
CASES = int(os.environ.get("CAMERABIAS_FUZZ", "20"))


def tried(cases):
    """Settings of a test: `cases` inputs in `make test`, the same every time, or as many as are asked for."""
    return settings(
        max_examples=CASES if GIVEN else cases,
        deadline=None,
        derandomize=not GIVEN,
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

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)

NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)


def read_or_refused(read, *arguments):
    """What is read; None where it is refused in a sentence. Whatever else is raised fails the test."""
    try:
        return read(*arguments)
    except CamerabiasError:
        return None


def read_changed(file, content, read):
    """Read a file of the world with other content, which is put back then."""
    whole = file.read_bytes()
    file.write_bytes(content)
    try:
        read_or_refused(read)
        assert file.read_bytes() == content
    finally:
        file.write_bytes(whole)


# --- any file: bytes, and values of documents -----------------------------------------------------------


@pytest.fixture(scope="module")
def files(whole_world):
    """A file of each kind, with who reads it."""
    return kinds(whole_world)


@tried(120)
@given(edits=EDITS, where=st.floats(0, 1))
def test_bytes_of_any_file(files, whole_world, edits, where):
    file, read = files[int(where * (len(files) - 1))]
    read_changed(file, edited(file.read_bytes(), edits), read)


@pytest.fixture(scope="module")
def documents(files):
    """The files that hold JSON or YAML, with their documents."""
    found = [(file, read) for file, read in files if file.suffix in (".json", ".yaml")]
    return [(file, read, yaml.safe_load(file.read_bytes())) for file, read in found]


@tried(80)
@given(which=st.floats(0, 1), where=st.floats(0, 1), value=VALUES)
def test_values_of_any_document(documents, which, where, value):
    """One field, at any depth, holds something else."""
    file, read, document = documents[int(which * (len(documents) - 1))]
    places = [(), *_places(document)]
    changed = _replaced(document, places[int(where * (len(places) - 1))], value)
    write = yaml.safe_dump if file.suffix == ".yaml" else lambda found: json.dumps(found, default=str)
    read_changed(file, write(changed).encode(), read)


def _places(document, above=()):
    """Every place of a document that holds a value, as the keys and numbers that lead there."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield (*above, key)
        if isinstance(document[key], (dict, list)):
            yield from _places(document[key], (*above, key))


def _replaced(document, place, value):
    """A copy of a document with another value at a place."""
    if not place:
        return value
    copy = document.copy()
    copy[place[0]] = _replaced(document[place[0]], place[1:], value)
    return copy


# --- folders and photos ---------------------------------------------------------------------------------


@tried(20)
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


@tried(20)
@given(edits=EDITS, ending=st.sampled_from(["jpg", "png", "tif", "webp", "bmp", "gif"]))
def test_photos(tmp_path, whole_world, edits, ending):
    """A photo that cannot be read is rejected, and the others are imported; of one that can, facts are found."""
    root, out = tmp_path / "photos", tmp_path / "dataset"
    shutil.rmtree(out, ignore_errors=True)
    root.mkdir(exist_ok=True)
    (root / "whole.jpg").write_bytes((whole_world / "photo.jpg").read_bytes())
    damaged = next(whole_world.glob(f"*.{ending}"))
    (root / "fuzzed").write_bytes(edited(Path(damaged).read_bytes(), edits))
    source = Source("table", Folder(root), [Photo("whole.jpg", "A", None), Photo("fuzzed", "B", None)])
    before = digest(root)
    dataset = import_dataset(source, Folder(out), LocalExecutor(), max_rejected=1.0)
    assert dataset.manifest.n_images + dataset.manifest.n_rejected == 2
    assert len(gather_facts(dataset, LocalExecutor())) == dataset.manifest.n_images
    assert digest(root) == before
