"""What the tests of reading share."""

import pandas as pd
import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.sources.registry import read_source


@pytest.fixture
def read(tmp_path):
    """A function that reads photos with given labels (and cameras), as many of each."""

    def run(labels, cameras=("x",), each=3, **reading):
        rows = [(f"{n}.jpg", label, cameras[n % len(cameras)]) for n, label in enumerate([*labels] * each)]
        for path, *_ in rows:
            (tmp_path / path).touch()
        pd.DataFrame(rows, columns=["path", "label", "camera"]).to_json(tmp_path / "t.json", orient="records")
        source = read_source(str(tmp_path / "t.json"), Reading(**reading))
        return [photo.label for photo in source.photos], source.notes

    return run
