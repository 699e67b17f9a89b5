"""What the tests of calibrations share."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from camerabias.sweeps.calibration import pool


class HereAndNow(ThreadPoolExecutor):
    """A pool of this process, where the work can be replaced."""

    def __init__(self, jobs, mp_context):
        super().__init__(jobs)


@pytest.fixture
def here_and_now(monkeypatch):
    """Work is done in this process."""
    monkeypatch.setattr(pool, "ProcessPoolExecutor", HereAndNow)
