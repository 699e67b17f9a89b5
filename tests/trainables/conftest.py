"""Trials as in a sweep."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread():
    """As in a sweep; more threads than free cores would make tiny models slow."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
