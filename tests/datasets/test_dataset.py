"""A DATASET, opened."""

import pytest

from camerabias.datasets.dataset import open_manifest
from camerabias.datasets.schema import CamerabiasError


def test_the_manifest_of_a_complete_dataset_is_the_one_it_was_made_with(dataset):
    assert open_manifest(dataset.folder.uri) == dataset.manifest


def test_a_folder_without_a_manifest_is_no_dataset(tmp_path):
    (tmp_path / "index.parquet").write_bytes(b"of an import that was interrupted")
    with pytest.raises(CamerabiasError, match=r"no complete dataset.*camerabias data simulate"):
        open_manifest(str(tmp_path))
