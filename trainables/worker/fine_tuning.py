"""A trial that trains a network, in memory: epochs, checkpoints, the test."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import replace

import pandas as pd
import torch
from torch import nn

from camerabias.trainables.models.registry import build_model
from camerabias.trainables.models.weights import load_weights, weights_id
from camerabias.trainables.probes.base import Subject
from camerabias.trainables.records.checkpoint import (
    read_checkpoint,
    read_weights,
    write_checkpoint,
    write_weights,
)
from camerabias.trainables.records.record import Done, Record, Running
from camerabias.trainables.training.data import Rows, Side, TrialData
from camerabias.trainables.training.evaluate import predict_logits
from camerabias.trainables.training.randomness import stream_seed
from camerabias.trainables.training.train import Training, TrainingError
from camerabias.trainables.worker.job import Job, Progress, Validation
from camerabias.trainables.worker.node import versions
from camerabias.trainables.worker.session import Session, device_name, open_data, predictions_of, timestamp

CHECKPOINT_SECONDS = 60.0
"""Time between checkpoints: what a killed trial loses at most, and rare enough to cost nothing."""

PROGRESS_SECONDS = 15.0
"""Time between two notes of how far a trial is, at least: a bucket takes money for each."""


def _build(data: TrialData, weights: dict[str, torch.Tensor] | None) -> nn.Module:
    """The model of a trial before training, on the device."""
    config = data.config
    torch.manual_seed(stream_seed(config.seed, "init"))
    model = build_model(config.model, len(data.classes), config.input_shape, weights)
    return model.to(data.device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def load_network(job: Job, record: Record) -> Subject:
    """The trained network of a trial that is done, from the weights that were kept."""
    data = open_data(job)
    model = _build(data, None)
    model.load_state_dict(read_weights(record.folder))
    return Subject(model, data)


class FineTuning(Session):
    """A network in training.

    Args:
        job: What to run.
        record: Where it goes.
        resume_from: Whose checkpoint to go on from; None is that of the record itself.
    """

    def __init__(self, job: Job, record: Record, resume_from: Record | None = None) -> None:
        record.start(job.config)
        self.began = time.monotonic()
        self.seconds_before = 0.0
        self.last_checkpoint = self.began
        self.last_note = -math.inf
        self.reported_step = 0
        self.job, self.recipe, self.record, self.data = job, job.config.tuning, record, open_data(job)
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
        return Training(_build(self.data, weights), self.recipe, config.seed, train, validation)

    def advance(self, seconds: float) -> Progress:
        """Train whole epochs for about `seconds`, and test once training has ended."""
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

    @property
    def step(self) -> int:
        """Optimiser steps that are done."""
        return self.training.step

    def subject(self) -> Subject:
        """The trained network."""
        return Subject(self.training.model, self.data)

    def save(self, record: Record) -> None:
        """Write a checkpoint."""
        tensors, state = self.training.state()
        write_checkpoint(record.folder, tensors, {**state, "seconds": self.seconds()})

    def seconds(self) -> float:
        """Wall time so far, over all attempts."""
        return self.seconds_before + time.monotonic() - self.began

    def _note_progress(self) -> None:
        """Write into the record how far the trial is, for those who watch records alone."""
        now = time.monotonic()
        if now - self.last_note < PROGRESS_SECONDS:
            return
        self.last_note = now
        fields = vars(self._progress())
        shown = {name: fields[name] for name in Running.model_fields.keys() & fields.keys()}
        self.record.write_progress(Running(**shown, host=platform.node(), written_at=timestamp()))

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
            finished_at=timestamp(),
            host=platform.node(),
            device=device_name(self.data.device),
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
        recipe, data = self.recipe, self.data
        examples = data.examples(rows, side, draw)
        logits = predict_logits(self.training.model, examples, recipe.batch_size, recipe.precision)
        probabilities = logits.softmax(dim=1).cpu().numpy()
        return predictions_of(data, rows, draw, probabilities)
