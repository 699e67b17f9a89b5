"""Tables that hold the bytes of their photos."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source


@pytest.mark.parametrize(
    "cell", [lambda file: file.read_bytes(), lambda file: {"bytes": file.read_bytes(), "path": None}]
)
@pytest.mark.parametrize("rows_per_group", [1, 3, 100])
def test_photos_are_read_from_the_table_itself(photos, imported, tmp_path, cell, rows_per_group):
    frame = pd.DataFrame(
        [{"image": cell(file), "label": label, "camera": camera} for file, label, camera in photos]
    )
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "t.parquet", row_group_size=rows_per_group)
    source, dataset = imported(tmp_path / "t.parquet")
    assert source.notes == ("Photos are the bytes in the column 'image'.",)
    assert dataset.index["path"].tolist() == [f"t.parquet#{n}" for n in range(8)]


def test_a_row_without_bytes_is_rejected_by_name(photos, imported, tmp_path):
    cells = [{"bytes": photos[0][0].read_bytes(), "path": None}, {"bytes": None, "path": "elsewhere.jpg"}]
    pd.DataFrame({"image": cells, "label": ["cat", "cat"], "camera": ["x", "x"]}).to_parquet(
        tmp_path / "t.parquet"
    )
    with pytest.raises(CamerabiasError, match=r"t.parquet#1 holds no bytes"):
        imported(tmp_path / "t.parquet")


def test_a_column_of_paths_beside_the_bytes_goes_along(photos, tmp_path):
    rows = [
        {"path": file.name, "image": file.read_bytes(), "label": label, "camera": "x"}
        for file, label, _ in photos
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "t.parquet")
    source = read_source(str(tmp_path / "t.parquet"), Reading())
    assert source.photos[1].others == {"given_path": "1.jpg"}
