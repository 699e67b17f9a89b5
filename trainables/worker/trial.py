"""One trial from configuration to record: data, model, training with checkpoints, test, and failures kept."""

from __future__ import annotations

import logging
import math
import os
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import nn

from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.models.registry import build_model
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.probes.base import Subject
from camerabias.trainables.records.checkpoint import (
    read_checkpoint,
    read_weights,
    write_checkpoint,
    write_weights,
)
from camerabias.trainables.records.record import Done, Failure, Record, Running
from camerabias.trainables.records.run import Run
from camerabias.trainables.training.data import Rows, Side, TrialData
from camerabias.trainables.training.evaluate import predict_logits
from camerabias.trainables.training.randomness import stream_seed
from camerabias.trainables.training.train import Training, TrainingError
from camerabias.trainables.worker.job import Job, Progress, Validation
from camerabias.trainables.worker.node import versions

CHECKPOINT_SECONDS = 60.0
"""Time between checkpoints: what a killed trial loses at most, and rare enough to cost nothing."""

PROGRESS_SECONDS = 15.0
"""Time between two notes of how far a trial is, at least: a bucket takes money for each."""

_log = logging.getLogger(__name__)


class Trial:
    """A trial that is advanced a while at a time, so that a scheduler can look at it in between.

    An exception inside the trial is its outcome, not the worker's: it is written into the record with its
    traceback, and the worker takes the next trial. Not so where the storage fails: nothing could be written, and
    the trial has done no wrong. Probes come last, when the record is complete.

    Args:
        job: What to run. Of a trial that is done, the probes alone.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.record = Run(job.run).record(job.config.id)
        self._session: _Session | None = None

    def advance(self, seconds: float) -> Progress:
        """Train whole epochs for about `seconds`, and finish when training has ended.

        A search decides at certain steps whether to continue, so it hears of every epoch.
        """
        try:
            if self._session is None:
                if self.record.is_done():
                    return self._probe_again()
                _log.info("%s (%s) starts", self.job.config.name, self.job.config.id)
                self._session = _Session(self.job, self.record)
            session = self._session
            progress = session.advance(0.0 if self.job.purpose == "search" else seconds)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - recorded whole, see the class
            return self._fail(error)
        if progress.status != "done":
            return progress
        _log.info("%s is done after %d steps", self.job.config.name, progress.step)
        return self._probe(lambda: Subject(session.training.model, session.data), progress)

    def save(self, record: Record) -> None:
        """Write a checkpoint into another folder laid out like a record."""
        assert self._session is not None
        self._session.save(record)

    def load(self, record: Record) -> None:
        """Resume from a checkpoint in another folder laid out like a record."""
        self._session = _Session(self.job, self.record, record)

    def _fail(self, error: Exception) -> Progress:
        failure = _failure(error)
        _log.info("%s has failed: %s", self.job.config.name, failure.reason)
        self.record.fail(failure)
        if self._session is None:
            return Progress.of_failure(self.job.config, failure.reason)
        return Progress.of_failure(
            self.job.config, failure.reason, self._session.training.step, self._session.seconds()
        )

    def _probe_again(self) -> Progress:
        """Probe a trial that was done before, whose training costs nothing now."""
        done = self.record.done()
        progress = Progress(
            status="done",
            step=done.steps,
            max_steps=self.job.config.recipe.max_steps,
            validation_loss=None,
            validation_accuracy=done.validation_accuracy,
            images_per_second=None,
            seconds=0.0,
            test_accuracy=done.test_accuracy,
        )
        return self._probe(lambda: _load_subject(self.job, self.record), progress)

    def _probe(self, load: Callable[[], Subject], progress: Progress) -> Progress:
        """Run the probes that the record lacks; one that fails leaves its reason, and the others go on."""
        load = cache(load)
        there = self.record.probe_names()
        reasons = []
        for probe in self.job.probes:
            if str(probe) in there:
                continue
            try:
                subject = load()
                subject.model.requires_grad_(False)  # probes ask for gradients of images, never of weights
                self.record.write_probe(str(probe), probe.kind.run(subject, probe.parameters))
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - recorded whole, as a trial's is
                failure = _failure(error)
                self.record.fail_probe(str(probe), failure)
                reasons.append(f"probe {probe}: {failure.reason}")
        if not reasons:
            return progress
        return replace(progress, status="failed", reason="; ".join(reasons))


def _failure(error: Exception) -> Failure:
    named = isinstance(error, (TrainingError, CamerabiasError))
    reason = str(error) if named else f"{type(error).__name__}: {error}"
    text = "".join(traceback.format_exception(error))
    return Failure(reason=reason, traceback=text, failed_at=_now(), host=platform.node())


def _open(job: Job) -> TrialData:
    """The images of a job, on the device there is."""
    torch.set_num_threads(job.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return TrialData(job.config, open_dataset(job.dataset), device)


def _build(data: TrialData, weights: dict[str, torch.Tensor] | None) -> nn.Module:
    """The model of a trial before training, on the device."""
    config = data.config
    torch.manual_seed(stream_seed(config.seed, "init"))
    model = build_model(config.model, len(data.classes), config.input_shape, weights)
    return model.to(data.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _load_subject(job: Job, record: Record) -> Subject:
    """The trained model of a trial that is done, from the weights that were kept."""
    data = _open(job)
    model = _build(data, None)
    model.load_state_dict(read_weights(record.folder))
    return Subject(model, data)


class _Session:
    """A trial in memory."""

    def __init__(self, job: Job, record: Record, resume_from: Record | None = None) -> None:
        record.start(job.config)
        self.began = time.monotonic()
        self.seconds_before = 0.0
        self.last_checkpoint = self.began
        self.last_note = -math.inf
        self.reported_step = 0
        self.job, self.record, self.data = job, record, _open(job)
        self.training = self._make_training()
        checkpoint = read_checkpoint((resume_from or record).folder)
        if checkpoint is not None:
            tensors, state = checkpoint
            self.seconds_before = state.pop("seconds")
            self.training.load_state(tensors, state)
            self.reported_step = self.training.step

    def _make_training(self) -> Training:
        config, parts = self.job.config, self.data.parts
        weights = load_weights(config.model, self.job.weights)
        found = weights_id(weights)
        if found != config.weights:
            raise TrainingError(
                f"the weights are {found} here, and the trial was planned with {config.weights}"
            )
        train, validation = (self.data.examples(rows, "train") for rows in (parts.train, parts.validation))
        return Training(_build(self.data, weights), config.recipe, config.seed, train, validation)

    def advance(self, seconds: float) -> Progress:
        end = time.monotonic() + seconds
        while not self.training.ended:
            self._note_progress()
            self.training.run_epoch()
            now = time.monotonic()
            if now - self.last_checkpoint > CHECKPOINT_SECONDS and not self.training.ended:
                self.save(self.record)
                self.last_checkpoint = now
            if now >= end:
                break
        if not self.training.ended:
            return replace(self._progress(), validations=self._new_validations())
        return self._finish() if self.job.purpose == "test" else self._finish_search()

    def save(self, record: Record) -> None:
        tensors, state = self.training.state()
        write_checkpoint(record.folder, tensors, {**state, "seconds": self.seconds()})

    def seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.began

    def _note_progress(self) -> None:
        """Write into the record how far the trial is, for those who watch records alone."""
        now = time.monotonic()
        if now - self.last_note < PROGRESS_SECONDS:
            return
        self.last_note = now
        fields = vars(self._progress())
        shown = {name: fields[name] for name in Running.model_fields.keys() & fields.keys()}
        self.record.write_progress(Running(**shown, host=platform.node(), written_at=_now()))

    def _new_validations(self) -> tuple[Validation, ...]:
        """Validations that have not been reported yet, which they are by this."""
        history = self.training.history()
        new = history[history["step"] > self.reported_step].dropna(subset=["validation_loss"])
        self.reported_step = self.training.step
        columns = new[["step", "validation_loss", "validation_accuracy"]]
        return tuple(Validation(*row) for row in columns.itertuples(index=False))

    def _progress(self) -> Progress:
        training = self.training
        validated = training.history().dropna(subset=["validation_loss"])
        loss, accuracy = (validated[name].tolist() for name in ("validation_loss", "validation_accuracy"))
        return Progress(
            status="running",
            step=training.step,
            max_steps=training.recipe.max_steps,
            validation_loss=loss[-1] if loss else None,
            validation_accuracy=accuracy[-1] if accuracy else None,
            images_per_second=training.training_images / training.training_seconds if training.step else None,
            seconds=self.seconds(),
        )

    def _finish(self) -> Progress:
        training, config, parts = self.training, self.job.config, self.data.parts
        stopped = training.stopped
        assert stopped is not None
        tested_step = training.choose_weights()
        draws = range(config.test_view.kind.test_draws)
        predictions = pd.concat([self._predict(parts.test, "test", draw) for draw in draws])
        history = training.history()
        first = predictions[predictions["draw"] == 0]
        validated = history.loc[history["step"] == tested_step, "validation_accuracy"].item()
        done = Done(
            stopped=stopped,
            steps=training.step,
            tested_step=tested_step,
            validation_accuracy=float(validated),
            test_accuracy=float((first["prediction"] == first[config.target]).mean()),
            train_images=len(parts.train),
            validation_images=len(parts.validation),
            test_images=len(parts.test),
            seconds=self.seconds(),
            images_per_second=training.training_images / training.training_seconds,
            finished_at=_now(),
            host=platform.node(),
            device=_device_name(self.data.device),
            threads=self.job.threads,
            versions=versions(),
        )
        if self.job.probes:
            write_weights(self.record.folder, training.model.state_dict())
        self.record.finish(history, predictions, done)
        return self._ended(tested_step, done.test_accuracy)

    def _finish_search(self) -> Progress:
        """End without a look at test images."""
        tested_step = self.training.choose_weights()
        history = self.training.history()
        self.record.finish_search(history, self._predict(self.data.parts.validation, "train", 0))
        return self._ended(tested_step, None)

    def _ended(self, chosen_step: int, test_accuracy: float | None) -> Progress:
        """What a trial says that is done; the weights of `chosen_step` are its model."""
        training = self.training
        history = training.history()
        chosen = history.loc[history["step"] == chosen_step]
        return Progress(
            status="done",
            step=training.step,
            max_steps=training.recipe.max_steps,
            validation_loss=chosen["validation_loss"].item(),
            validation_accuracy=chosen["validation_accuracy"].item(),
            images_per_second=training.training_images / training.training_seconds,
            seconds=self.seconds(),
            validations=self._new_validations(),
            test_accuracy=test_accuracy,
        )

    def _predict(self, rows: Rows, side: Side, draw: int) -> pd.DataFrame:
        """Rows of `PREDICTIONS_SCHEMA`."""
        recipe, data = self.job.config.recipe, self.data
        examples = data.examples(rows, side, draw)
        logits = predict_logits(self.training.model, examples, recipe.batch_size, recipe.precision)
        probabilities = logits.softmax(dim=1).cpu().numpy()
        return data.described(rows).assign(
            draw=draw,
            prediction=np.array(data.classes)[probabilities.argmax(axis=1)],
            probabilities=list(probabilities),
        )


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{os.uname().machine} CPU"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
