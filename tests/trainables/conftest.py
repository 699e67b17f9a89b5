"""A trial that is over in seconds."""

import pytest
import torch

from camerabias.datasets.build import build_variants
from camerabias.datasets.settings import resolve_setting
from camerabias.trainables.config import TrialConfig, load_recipe
from camerabias.trainables.job import Job

QUICK = {"base": "demo", "max_steps": 12, "evaluate_every": 4, "batch_size": 8}


@pytest.fixture(autouse=True)
def _one_thread():
    """As in a sweep; more threads than free cores would make tiny models slow."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_job(dataset, tmp_path):
    """A function that makes the job of a quick trial on the simulated dataset, its variants built."""

    def make(run="run", recipe=None, **changes) -> Job:
        manifest = dataset.manifest
        fields = {
            "dataset": manifest.fingerprint,
            "model": "test_resnet",
            "weights": "none",
            "target": "camera",
            "setting": resolve_setting("balanced", manifest),
            "train_view": "rgb",
            "test_view": "rgb",
            "test_fold": 0,
            "seed": 0,
            "size": 32,
            "fit": "resize",
            "recipe": load_recipe(QUICK | (recipe or {})),
        }
        config = TrialConfig.model_validate(fields | changes)
        build_variants(dataset, list(config.variants), "local")
        return Job(config, dataset.folder.uri, str(tmp_path / run), weights="none", threads=1)

    return make
