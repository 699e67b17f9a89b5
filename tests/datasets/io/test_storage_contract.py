"""What every storage keeps to: files of this machine, and S3 as moto serves it."""

import pickle
import uuid

import boto3
import pyarrow as pa
import pytest
from moto.server import ThreadedMotoServer

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError


@pytest.fixture(scope="module")
def bucket():
    """The address of a bucket that moto serves, with keys for it in the environment."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="photos")
        yield f"s3://photos/{{}}?region=us-east-1&scheme=http&endpoint_override={endpoint[7:]}"
    server.stop()


@pytest.fixture(params=["local", "s3"])
def folder(request, tmp_path):
    """An empty folder that nothing else uses."""
    if request.param == "local":
        return Folder(tmp_path / "new")
    return Folder(request.getfixturevalue("bucket").format(uuid.uuid4().hex))


def write_half(folder, name):
    with folder.replacing(name) as stream:
        stream.write(b"half")
        raise RuntimeError("killed")


def test_access_is_proved_without_a_trace(folder):
    folder.check_access()
    assert folder.names() == []


def test_bytes_come_back_from_below_folders_that_did_not_exist(folder):
    folder.child("a", "b").write_bytes("file", b"content")
    assert folder.read_bytes("a/b/file") == b"content"
    folder.write_bytes("a/b/file", b"new")
    assert folder.child("a").read_bytes("b/file") == b"new"


def test_a_write_that_fails_leaves_what_was_there(folder):
    for before in (None, b"old"):
        if before is not None:
            folder.write_bytes("file", before)
        with pytest.raises(RuntimeError, match="killed"):
            write_half(folder, "file")
        assert folder.exists("file") == (before is not None)
    assert folder.read_bytes("file") == b"old"
    assert folder.names() == ["file"]


def test_documents_and_tables_come_back(folder):
    document = {"camera": "Handykamera für Žofie", "n": [1, 2.5, None]}
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    folder.write_json("a.json", document)
    folder.write_table("t.parquet", table)
    assert folder.read_json("a.json") == document
    assert folder.read_table("t.parquet") == table
    assert folder.read_table("t.parquet", ["b"]) == table.select(["b"])


def test_lists_are_sorted_and_what_is_missing_is_empty(folder):
    for name in ("b/2", "b/1", "a", "c/d/e"):
        folder.write_bytes(name, b"1")
    assert folder.names() == ["a", "b", "c"]
    assert folder.walk() == ["a", "b/1", "b/2", "c/d/e"]
    assert sorted(folder.walk_times()) == folder.walk()
    assert folder.child("none").names() == folder.child("none").walk() == []


def test_existence_and_deletion(folder):
    folder.write_bytes("below/file", b"1")
    assert folder.exists("below/file")
    assert folder.child("below").exists()
    assert not folder.exists("other")
    folder.delete("below/file")
    folder.delete("below/file")  # no error where there is nothing
    assert not folder.exists("below/file")
    folder.write_bytes("trials/x/done.json", b"1")
    folder.child("trials").delete_folder("x")
    assert folder.child("trials").walk() == []


def test_what_is_missing_or_damaged_is_told_apart(folder):
    with pytest.raises(FileNotFoundError):
        folder.read_bytes("missing")
    folder.write_bytes("table.parquet", b"PAR1 damaged PAR1")
    with pytest.raises(CamerabiasError, match="missing or damaged"):
        folder.read_table("table.parquet")


def test_another_process_finds_the_same_files(folder):
    folder.write_bytes("file", b"content")
    assert pickle.loads(pickle.dumps(folder)).read_bytes("file") == b"content"
