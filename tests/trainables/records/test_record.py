"""A trial's record: what is written comes back."""

import numpy as np
import pytest

from camerabias.datasets.io.storage import Folder
from camerabias.trainables.records.record import Failure, Record


@pytest.fixture
def record(tmp_path):
    return Record(Folder(tmp_path / "trial"))


def test_arrays_of_a_probe_come_back_and_clear_its_failure_away(record):
    arrays = {"gains": np.linspace(0, 1, 7, dtype=np.float32), "names": np.array(["a", "b"])}
    record.fail_probe("white", Failure(reason="bang", traceback="", failed_at="now", host="here"))
    assert record.probe_failure("white").reason == "bang"
    record.write_probe("white", arrays)
    back = record.probe("white")
    assert {name: (array.dtype, array.tolist()) for name, array in back.items()} == {
        name: (array.dtype, array.tolist()) for name, array in arrays.items()
    }
    assert Folder(record.folder.child("probes").uri).names() == ["white.npz"]


def test_objects_are_no_arrays_of_a_probe(record):
    with pytest.raises(ValueError, match="pickle"):
        record.write_probe("white", {"objects": np.array([{}], dtype=object)})
    assert record.probe_names() == [], "a file that nobody could read is not left behind"
