"""A run as one file."""

import io
import tarfile

import pytest

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.runs.archive import pack_run, unpack_run
from camerabias.trainables.records.run import Run

RECORD = {
    "run.json": b"{}\n",
    "studies/a.yaml": b"a: 1\n",
    "trials/0/done.json": b"{}",
    "trials/0/predictions.parquet": bytes(range(256)),
    "trials/0/probes/crop_map.npz": b"arrays",
    "searches/mine/trials/1/done.json": b"{}",
    "examples/examples.json": b"[]",
}
NOT_PACKED = {
    "trials/0/weights.safetensors": b"heavy",
    "trials/1/checkpoint.safetensors": b"heavy",
    "trials/1/checkpoint.json": b"{}",
    "trials/1/progress.json": b"{}",
    "trials/1/history.parquet.123.tmp": b"half",
    "dataset/dataset.json": b"{}",
    "report/index.html": b"<html>",
    "tensorboard/name/0/events.out.tfevents.1": b"events",
}


def write(folder, files):
    for path, content in files.items():
        where, _, name = path.rpartition("/")
        (folder.child(where) if where else folder).write_bytes(name, content)


def read(folder):
    return {
        path: (folder.child(*path.split("/")[:-1]).read_bytes(path.split("/")[-1])) for path in folder.walk()
    }


@pytest.fixture
def run(tmp_path):
    folder = Folder(tmp_path / "run")
    write(folder, RECORD | NOT_PACKED)
    return Run(folder)


def test_records_come_back_to_the_byte_without_what_can_be_made_again(run, tmp_path):
    archive = tmp_path / "run.tar.gz"
    assert pack_run(run, archive) == len(RECORD)
    out = Folder(tmp_path / "back")
    assert unpack_run(archive, out) == len(RECORD)
    assert read(out) == RECORD


def test_the_file_that_makes_a_run_of_a_folder_is_packed_last(run, tmp_path):
    pack_run(run, tmp_path / "run.tar.gz")
    with tarfile.open(tmp_path / "run.tar.gz") as tar:
        assert tar.getnames()[-1] == "run.json", "a copy that is cut short is no run"


def test_same_records_make_the_same_file(run, tmp_path):
    archives = [tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"]
    for archive in archives:
        pack_run(run, archive)
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(CamerabiasError, match="no run"):
        pack_run(Run(str(tmp_path)), tmp_path / "a.tar.gz")
    (tmp_path / "words.tar.gz").write_text("just words")
    with pytest.raises(CamerabiasError, match="cannot be read as a packed run"):
        unpack_run(tmp_path / "words.tar.gz", Folder(tmp_path / "out"))
    with pytest.raises(CamerabiasError, match="cannot be read"):
        unpack_run(tmp_path / "missing.tar.gz", Folder(tmp_path / "out"))


def test_folder_with_something_in_it_is_refused(run, tmp_path):
    pack_run(run, tmp_path / "a.tar.gz")
    with pytest.raises(CamerabiasError, match="not empty"):
        unpack_run(tmp_path / "a.tar.gz", run.folder)


@pytest.mark.parametrize(
    "name", ["../escaped.json", "trials/../../escaped.json", "/tmp/escaped.json", "setup.py"]
)
def test_files_that_do_not_belong_into_a_run_are_not_written(tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        for member in (tarfile.TarInfo("run.json"), tarfile.TarInfo(name)):
            member.size = 2
            tar.addfile(member, io.BytesIO(b"{}"))
    with pytest.raises(CamerabiasError, match="does not belong into a run"):
        unpack_run(tmp_path / "bad.tar.gz", Folder(tmp_path / "out"))
    assert not list(tmp_path.rglob("escaped.json"))


def test_archive_cut_short_is_said_so(run, tmp_path):
    archive = tmp_path / "a.tar.gz"
    pack_run(run, archive)
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(CamerabiasError, match="cannot be read as a packed run"):
        unpack_run(archive, Folder(tmp_path / "out"))
