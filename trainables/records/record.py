"""The RUN folder and the records in it: who writes which file under which name. Without torch.

A record is complete when `done.json` (or, of a failure, `error.json`) exists: it is written last.
Times, hosts and versions stand there alone; configuration, history and predictions are the same wherever and
whenever a trial runs.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from tokenize import TokenError
from typing import Annotated, Any, Literal
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.documents import AnyDocument, read_document
from camerabias.trainables.spec.trial import TrialConfig

LEASE_FILE = "driver.json"
SENSOR_PATTERN_FILE = "sensor_pattern.parquet"
NODES_FOLDER = "nodes"
CONFIG_FILE = "config.json"
HISTORY_FILE = "history.parquet"
PREDICTIONS_FILE = "predictions.parquet"
VALIDATION_FILE = "validation.parquet"
WEIGHTS_FILE = "weights.safetensors"
PROBES_FOLDER = "probes"
DONE_FILE = "done.json"
ERROR_FILE = "error.json"
TRIALS_FOLDER = "trials"
STUDIES_FOLDER = "studies"
SEARCHES_FOLDER = "searches"
EXAMPLES_FOLDER = "examples"
TENSORBOARD_FOLDER = "tensorboard"
EXAMPLES_FILE = "examples.json"
VIEWS_FILE = "views.json"
CHECKPOINT_FILE = "checkpoint.safetensors"
CHECKPOINT_STATE_FILE = "checkpoint.json"
PROGRESS_FILE = "progress.json"

HISTORY_SCHEMA = pa.schema(
    [
        ("step", pa.int64()),  # optimiser steps done, from 1
        ("epoch", pa.int64()),  # from 0
        ("learning_rate", pa.float64()),
        ("train_loss", pa.float64()),  # of this step's batch, before the step
        ("train_accuracy", pa.float64()),  # likewise
        ("validation_loss", pa.float64()),  # null between validations
        ("validation_accuracy", pa.float64()),
    ]
)
"""A row per optimiser step."""

PREDICTIONS_SCHEMA = pa.schema(
    [
        ("image_id", pa.string()),
        ("label", pa.string()),
        ("camera", pa.string()),
        ("group", pa.string()),
        ("draw", pa.int64()),  # 0 where the test view is not random
        ("prediction", pa.string()),  # the most probable class
        ("probabilities", pa.list_(pa.float32())),  # in the order of the dataset's labels or cameras
    ]
)
"""A row per test image (and draw), in image_id order."""


def _as_time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


Timestamp = Annotated[str, AfterValidator(_as_time)]
"""A date and time as ISO 8601 writes it."""


class Done(BaseModel):
    """`done.json`: how a trial ended, and everything that differs between two runs of the same trial."""

    model_config = ConfigDict(frozen=True)

    stopped: Literal["converged", "max_steps"]
    steps: int
    tested_step: int
    """Step whose weights were tested, and whose validation accuracy this is."""
    validation_accuracy: float
    test_accuracy: float
    train_images: int
    validation_images: int
    test_images: int
    seconds: float
    """Wall time of the trial over all its attempts."""
    images_per_second: float
    """Training images over time spent in training steps, validation excluded."""
    finished_at: Timestamp
    host: str
    device: str
    threads: int
    versions: dict[str, str]
    checksums: dict[str, str] = {}
    """SHA-256 of the tables of the record, by the names of their files; earlier versions wrote none."""


class Failure(BaseModel):
    """`error.json`: why a trial failed."""

    model_config = ConfigDict(frozen=True)

    reason: str
    traceback: str
    failed_at: str
    host: str


class Running(BaseModel):
    """`progress.json`: how far a trial is, written now and then while it runs."""

    model_config = ConfigDict(frozen=True)

    step: int
    max_steps: int
    validation_loss: float | None = None
    """The latest, once there is one; earlier versions wrote it under another name, which is not read."""
    validation_accuracy: float | None = None
    """Likewise."""
    images_per_second: float | None
    seconds: float
    """Wall time of the trial so far, over all its attempts."""
    host: str
    written_at: Timestamp


Status = Literal["done", "failed", "started", "missing"]


@dataclass(frozen=True)
class Contents:
    """The files of one record, and what they mean."""

    files: frozenset[str] = frozenset()
    changed: float = field(default=0.0, compare=False)
    """When the latest of them was written, in seconds since 1970."""

    @property
    def status(self) -> Status:
        """How far the trial is."""
        if {CONFIG_FILE, DONE_FILE, HISTORY_FILE, PREDICTIONS_FILE} <= self.files:
            return "done"
        if ERROR_FILE in self.files:
            return "failed"
        return "started" if self.files - {PROGRESS_FILE} else "missing"

    @property
    def has_progress(self) -> bool:
        """Whether a running trial has said how far it is."""
        return self.status == "started" and PROGRESS_FILE in self.files

    def probe_status(self, name: str) -> Status:
        """How far a probe of the trial is."""
        if f"{PROBES_FOLDER}/{name}.npz" in self.files:
            return "done"
        return "failed" if f"{PROBES_FOLDER}/{name}.{ERROR_FILE}" in self.files else "missing"

    @property
    def has_weights(self) -> bool:
        """Whether the tested weights were kept."""
        return WEIGHTS_FILE in self.files


_NO_ARRAYS = (
    BadZipFile,
    TokenError,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    KeyError,
    MemoryError,
    AttributeError,
)
"""What reading a damaged ZIP or array raises besides ValueError: it asks for other methods, passwords and sizes."""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


ProbeArrays = Mapping[str, npt.NDArray[Any]]
"""The arrays that a probe left, by name."""


class Record:
    """The record of one trial, below `RUN/trials/`."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def start(self, config: TrialConfig) -> None:
        """Write the configuration, before training; an earlier failure of the trial is cleared away."""
        self.folder.delete(ERROR_FILE)
        self.folder.write_json(CONFIG_FILE, config.model_dump(mode="json"))

    def finish(self, history: pd.DataFrame, predictions: pd.DataFrame, done: Done) -> None:
        """Write the results, `done.json` last."""
        self._write_results(history, predictions, PREDICTIONS_FILE)
        checksums = {name: _digest(self.folder.read_bytes(name)) for name in (HISTORY_FILE, PREDICTIONS_FILE)}
        self.folder.write_json(DONE_FILE, done.model_copy(update={"checksums": checksums}).model_dump())
        self.drop_checkpoint()

    def finish_search(self, history: pd.DataFrame, predictions: pd.DataFrame) -> None:
        """Write what a trial of a search leaves: predictions of its validation images, and none of test images."""
        self._write_results(history, predictions, VALIDATION_FILE)
        self.drop_checkpoint()

    def _write_results(self, history: pd.DataFrame, predictions: pd.DataFrame, name: str) -> None:
        self.folder.write_table(HISTORY_FILE, pa.Table.from_pandas(history, HISTORY_SCHEMA, False))
        predictions = predictions.sort_values(["image_id", "draw"])
        self.folder.write_table(name, pa.Table.from_pandas(predictions, PREDICTIONS_SCHEMA, False))

    def write_progress(self, running: Running) -> None:
        """Say how far the trial is."""
        self.folder.write_json(PROGRESS_FILE, running.model_dump())

    def progress(self) -> Running | None:
        """How far a running trial is; None when it has ended in the meantime, or has not said."""
        return self._read_if_there(PROGRESS_FILE, Running)

    def _read_if_there(self, name: str, kind: type[AnyDocument]) -> AnyDocument | None:
        """A document that somebody else may be removing just now."""
        try:
            return read_document(self.folder, name, kind)
        except CamerabiasError:
            if self.folder.exists(name):
                raise
            return None

    def fail(self, failure: Failure) -> None:
        """Write the failure."""
        self.give_up(failure)
        self.drop_checkpoint()

    def give_up(self, failure: Failure) -> None:
        """Write why the trial is not tried any more, and leave its checkpoint for a later try."""
        self.folder.write_json(ERROR_FILE, failure.model_dump())

    def write_probe(self, name: str, arrays: ProbeArrays) -> None:
        """Write a probe's arrays as `probes/NAME.npz`; an earlier failure of the probe is cleared away."""
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        self._probes.write_bytes(f"{name}.npz", content.getvalue())
        self._probes.delete(f"{name}.{ERROR_FILE}")

    def fail_probe(self, name: str, failure: Failure) -> None:
        """Write why a probe failed; the trial itself is done."""
        self._probes.write_json(f"{name}.{ERROR_FILE}", failure.model_dump())

    def probe(self, name: str) -> ProbeArrays:
        """Arrays of a probe, by name.

        Raises:
            ValueError: The file is damaged.
        """
        content = io.BytesIO(self._probes.read_bytes(f"{name}.npz"))
        try:
            with np.load(content, allow_pickle=False) as arrays:
                return dict(arrays)
        except _NO_ARRAYS as error:
            raise ValueError(f"it holds no arrays: {error}") from error

    def probe_names(self) -> list[str]:
        """Probes that have run."""
        return [name.removesuffix(".npz") for name in self._probes.names() if name.endswith(".npz")]

    def probe_failure(self, name: str) -> Failure:
        """Why a probe failed; there must be a failure."""
        return read_document(self._probes, f"{name}.{ERROR_FILE}", Failure)

    @property
    def _probes(self) -> Folder:
        return self.folder.child(PROBES_FOLDER)

    def drop_checkpoint(self) -> None:
        """Remove what a trial that has ended needs no more: its checkpoint, and the progress beside it."""
        self.folder.delete(PROGRESS_FILE)
        self.folder.delete(CHECKPOINT_STATE_FILE)
        self.folder.delete(CHECKPOINT_FILE)

    def is_done(self) -> bool:
        """Whether the record is complete."""
        return Contents(frozenset(self.folder.names())).status == "done"

    def config(self) -> TrialConfig:
        """What was asked for."""
        return read_document(self.folder, CONFIG_FILE, TrialConfig)

    def done(self) -> Done:
        """How it ended; the record must be complete."""
        return read_document(self.folder, DONE_FILE, Done)

    def failure_if_there(self) -> Failure | None:
        """Why it failed; None when it has been started again in the meantime."""
        return self._read_if_there(ERROR_FILE, Failure)

    def failure(self) -> Failure:
        """Why it failed; there must be a failure."""
        return read_document(self.folder, ERROR_FILE, Failure)

    def history(self) -> pd.DataFrame:
        """A row per optimiser step, columns of `HISTORY_SCHEMA`."""
        return self.table(HISTORY_FILE).to_pandas()  # type: ignore[no-any-return]

    def predictions(self) -> pd.DataFrame:
        """A row per test image and draw, columns of `PREDICTIONS_SCHEMA`."""
        return self.table(PREDICTIONS_FILE).to_pandas()  # type: ignore[no-any-return]

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """`HISTORY_FILE` or `PREDICTIONS_FILE`, or just `columns` of it, as the trial wrote it.

        Raises:
            CamerabiasError: It is damaged.
        """
        content = self.folder.read_bytes(name)
        if self.folder.exists(DONE_FILE):  # a trial of a search has none
            known = self.done().checksums.get(name)
            if known is not None and known != _digest(content):
                raise CamerabiasError(
                    f"Cannot read {self.folder.file(name)}: it is damaged, or was changed by hand. Copy it again, or "
                    f"delete {self.folder} and run the sweep again."
                )
        return self.folder.table_in(content, name, columns)
