"""What all tests share: a cache of their own, and a small simulated dataset."""

import pytest

from camerabias.datasets.create import simulate_dataset
from camerabias.datasets.simulator import preset_spec
from camerabias.datasets.storage import Folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep decoded variants out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAMERABIAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """100 simulated images of 64 px."""
    out = Folder(tmp_path_factory.mktemp("simulated") / "dataset")
    return simulate_dataset(preset_spec("demo", images=100, size=64), out, "local")
