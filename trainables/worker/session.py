"""What a way of training is to a trial, and what all of them share."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.io.executor import keep_freed_memory
from camerabias.trainables.probes.base import Subject
from camerabias.trainables.records.record import Record
from camerabias.trainables.training.data import Rows, TrialData
from camerabias.trainables.worker.job import Job, Progress

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.subject import LinearSubject


class Session(ABC):
    """A trial in memory, in one of the ways of training."""

    @abstractmethod
    def advance(self, seconds: float) -> Progress:
        """Train for about `seconds`; write the results once training has ended."""

    @abstractmethod
    def save(self, record: Record) -> None:
        """Write a checkpoint into a folder laid out like a record."""

    @property
    @abstractmethod
    def step(self) -> int:
        """Steps that are done."""

    @abstractmethod
    def seconds(self) -> float:
        """Wall time so far, over all attempts."""

    @abstractmethod
    def subject(self) -> Subject | LinearSubject:
        """What probes are given, once training has ended."""


def open_data(job: Job) -> TrialData:
    """The images of a job, on the device there is."""
    torch.set_num_threads(job.threads)
    keep_freed_memory()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return TrialData(job.config, open_dataset(job.dataset), device)


def predictions_of(
    data: TrialData, rows: Rows, draw: int, probabilities: npt.NDArray[np.float32]
) -> pd.DataFrame:
    """Rows of `PREDICTIONS_SCHEMA`.

    Args:
        data: The images of a trial.
        rows: n of them.
        draw: Which draw of each.
        probabilities: float32 (n, classes).
    """
    return data.described(rows).assign(
        draw=draw,
        prediction=np.array(data.classes)[probabilities.argmax(axis=1)],
        probabilities=list(probabilities),
    )


def device_name(device: torch.device) -> str:
    """What a record calls a device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{os.uname().machine} CPU"


def timestamp() -> str:
    """The time, as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
