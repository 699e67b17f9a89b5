import errno
import json
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from camerabias.datasets.io import storage
from camerabias.datasets.io.storage import Folder, StorageError
from camerabias.datasets.schema import CamerabiasError


def write_and_fail(folder, name):
    def write_half():
        with folder.replacing(name) as stream:
            stream.write(b"half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()


def test_a_written_file_holds_its_bytes_below_folders_that_did_not_exist(tmp_path):
    Folder(tmp_path / "new").child("a", "b").write_bytes("file", b"content")
    assert (tmp_path / "new/a/b/file").read_bytes() == b"content"
    assert Folder(tmp_path).read_bytes("new/a/b/file") == b"content"


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path):
    folder = Folder(tmp_path)
    folder.write_bytes("file", b"old")
    write_and_fail(folder, "file")
    assert folder.names() == ["file"]
    assert folder.read_bytes("file") == b"old"


def test_a_reader_sees_the_old_content_until_the_block_ends(tmp_path):
    folder = Folder(tmp_path)
    folder.write_bytes("file", b"old")
    with open(folder.file("file"), "rb") as early:
        with folder.replacing("file") as stream:
            stream.write(b"new")
            stream.flush()
            assert folder.read_bytes("file") == b"old"
        assert folder.read_bytes("file") == b"new"
        assert early.read() == b"old"  # who had it open keeps what was there


def test_a_bucket_gets_a_whole_object_or_none():
    bucket = Folder("mock:///")  # pyarrow's file system in memory
    assert not bucket.is_local
    write_and_fail(bucket, "file")
    assert not bucket.exists("file")
    bucket.write_bytes("file", b"content")
    assert bucket.read_bytes("file") == b"content"


def test_storage_that_fails_is_told_from_a_file_that_is_damaged(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / "file").write_text("a file, not a folder")
    with pytest.raises(StorageError, match="run the same command again to resume"):
        folder.child("file").write_bytes("inside", b"")
    (tmp_path / "table.parquet").write_bytes(b"PAR1 damaged PAR1")
    with pytest.raises(CamerabiasError, match="missing or damaged") as damaged:
        folder.read_table("table.parquet")
    assert not isinstance(damaged.value, StorageError)
    with pytest.raises(FileNotFoundError):
        folder.read_bytes("missing")


def test_json_is_readable_and_keeps_letters_of_all_languages(tmp_path):
    document = {"camera": "Handykamera für Žofie", "n": [1, 2.5, None]}
    Folder(tmp_path).write_json("a.json", document)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "für Žofie" in text
    assert json.loads(text) == document == Folder(tmp_path).read_json("a.json")


def test_tables_come_back_whole_or_by_column(tmp_path):
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    Folder(tmp_path).write_table("t.parquet", table)
    assert pq.read_table(tmp_path / "t.parquet") == table
    assert Folder(tmp_path).read_table("t.parquet", ["b"]) == table.select(["b"])


def test_listing_is_sorted_and_a_missing_folder_is_empty(tmp_path):
    folder = Folder(tmp_path)
    for name in ("b/2", "b/1", "a", "c/d/e"):
        folder.write_bytes(name, b"")
    assert folder.names() == ["a", "b", "c"]
    assert folder.walk() == ["a", "b/1", "b/2", "c/d/e"]
    assert Folder(tmp_path / "none").names() == Folder(tmp_path / "none").walk() == []


def test_existence_of_folders_and_files(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    folder = Folder(tmp_path)
    assert folder.exists()
    assert folder.exists("file")
    assert not folder.exists("other")
    assert not folder.child("none").exists()
    assert folder.child("file").is_file()
    assert not folder.is_file()


def test_a_folder_travels_between_processes(tmp_path):
    folder = pickle.loads(pickle.dumps(Folder(tmp_path / "a")))
    assert folder.uri == folder.path == str(tmp_path / "a")


def test_local_paths_are_absolute_and_know_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Folder("~/x").path == Folder("x").path == Folder("y/../x/").path == str(tmp_path / "x")
    assert Folder(Path("x")).is_local


def test_an_unknown_address_is_refused_with_what_is_allowed():
    with pytest.raises(CamerabiasError, match="give a local path or an s3:// or gs:// address"):
        Folder("ftp://host/folder")


def test_walk_tells_when_files_were_written(tmp_path):
    folder = Folder(tmp_path)
    folder.child("a", "b").write_bytes("old", b"1")
    folder.write_bytes("new", b"2")
    os.utime(tmp_path / "a/b/old", (1000.5, 1000.5))
    times = folder.walk_times()
    assert times == {"a/b/old": 1000.5, "new": pytest.approx(os.path.getmtime(tmp_path / "new"))}
    assert folder.walk() == ["a/b/old", "new"]
    assert folder.child("a", "b").changed("old") == 1000.5
    assert folder.child("missing").walk_times() == {}


def test_a_child_shares_the_file_system_and_knows_its_own_address(tmp_path):
    folder = Folder(tmp_path)
    below = folder.child("trials", "0a")
    assert below.filesystem is folder.filesystem
    below.write_bytes("probes/x.npz", b"")
    assert (tmp_path / "trials" / "0a" / "probes" / "x.npz").is_file()
    assert (below.uri, str(folder)) == (f"{tmp_path}/trials/0a", str(tmp_path))
    assert folder.walk() == ["trials/0a/probes/x.npz"]


class Flaky:
    """A file system that answers the first requests with errors."""

    def __init__(self, inner, *errors):
        self.inner, self.errors, self.requests = inner, list(errors), 0

    def __getattr__(self, name):
        def ask(*arguments):
            self.requests += 1
            if self.errors:
                raise OSError(self.errors.pop(0))
            return getattr(self.inner, name)(*arguments)

        return ask


AWAY = "AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7, Could not connect to server"
GOOGLE_AWAY = "google::cloud::Status(UNAVAILABLE: Retry policy exhausted)"


def flaky_bucket(*errors):
    bucket = Folder("mock:///")
    bucket.write_bytes("file", b"content")
    bucket.write_table("table.parquet", pa.table({"x": [1, 2]}))
    bucket.filesystem = Flaky(bucket.filesystem, *errors)
    return bucket


@pytest.mark.parametrize("error", [AWAY, GOOGLE_AWAY, "AWS Error SLOW_DOWN during PutObject operation"])
def test_bucket_that_cannot_be_reached_is_waited_for(monkeypatch, caplog, error):
    monkeypatch.setattr(storage, "WAITS", (0, 0, 0))
    assert flaky_bucket(error, error).read_bytes("file") == b"content"
    assert flaky_bucket(error, error).exists("file")
    assert flaky_bucket(error).names() == ["file", "table.parquet"]
    assert flaky_bucket(error).read_table("table.parquet")["x"].to_pylist() == [1, 2]
    bucket = flaky_bucket(error, error, error)
    bucket.write_bytes("file", b"new")
    assert bucket.read_bytes("file") == b"new"
    assert error in caplog.text


def test_bucket_that_stays_away_is_a_storage_error(monkeypatch):
    monkeypatch.setattr(storage, "WAITS", (0, 0, 0))
    bucket = flaky_bucket(*[AWAY] * 4)
    with pytest.raises(StorageError, match="check that the bucket is there"):
        bucket.read_table("table.parquet")
    assert bucket.filesystem.requests == 4


@pytest.mark.parametrize(
    "error", ["AWS Error ACCESS_DENIED", "AWS Error NO_SUCH_BUCKET", "PERMISSION_DENIED"]
)
def test_bucket_that_refuses_is_not_waited_for(error):
    bucket = flaky_bucket(error)
    with pytest.raises(StorageError, match=error):
        bucket.exists("file")
    assert bucket.filesystem.requests == 1


def test_what_follows_a_question_mark_stays_at_the_end_of_addresses(monkeypatch):
    opened = []
    monkeypatch.setattr(
        storage, "_connect", lambda address: (opened.append(address), ("fs", "bucket/run"))[1]
    )
    below = Folder("s3://bucket/run/?region=eu-west-1").child("trials", "x")
    assert (below.uri, below.path) == ("s3://bucket/run/trials/x?region=eu-west-1", "bucket/run/trials/x")
    pickle.loads(pickle.dumps(below))
    assert opened[-1] == below.uri


def test_keys_in_addresses_are_refused_without_being_repeated():
    with pytest.raises(CamerabiasError, match="put it into the environment") as refused:
        Folder("s3://AKIA123:secret@bucket/run")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "chmod"),
        (errno.EROFS, "read-only"),
        (errno.ENOSPC, "free space"),
        (errno.ENAMETOOLONG, "shorter name"),
        (errno.EIO, "another folder"),
    ],
)
def test_what_a_file_system_refuses_says_what_helps(tmp_path, monkeypatch, number, advice):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(StorageError, match=advice):
        Folder(tmp_path).write_bytes("a", b"")
    assert not list(tmp_path.iterdir())
