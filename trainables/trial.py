"""One trial from configuration to record: data, model, training with checkpoints, test, and failures kept."""

from __future__ import annotations

import os
import platform
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from camerabias.datasets.cache import open_pixels
from camerabias.datasets.dataset import Dataset, open_dataset
from camerabias.datasets.schema import N_FOLDS, CamerabiasError
from camerabias.datasets.settings import Setting, select
from camerabias.datasets.views import View
from camerabias.trainables.checkpoint import read_checkpoint, write_checkpoint
from camerabias.trainables.config import TrialConfig
from camerabias.trainables.evaluate import predict_logits
from camerabias.trainables.images import Images
from camerabias.trainables.job import Job, Progress
from camerabias.trainables.models import build_model, load_weights, weights_id
from camerabias.trainables.randomness import stream_seed
from camerabias.trainables.record import Done, Failure, Record, Run
from camerabias.trainables.train import Examples, Training, TrainingError

CHECKPOINT_SECONDS = 60.0
"""Time between checkpoints: what a killed trial loses at most, and rare enough to cost nothing."""

VERSIONED = ("camerabias", "torch", "torchvision", "timm", "numpy")

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Rows of the dataset's index that train, validate and test a trial."""

    train: Rows
    validation: Rows
    test: Rows


def run_trial(job: Job) -> Progress:
    """Run a trial to its end, here and now; what it leaves is its record."""
    trial = Trial(job)
    progress = trial.advance(float("inf"))
    while progress.status == "running":
        progress = trial.advance(float("inf"))
    return progress


class Trial:
    """A trial that is advanced a while at a time, so that a scheduler can look at it in between.

    An exception inside the trial is its outcome, not the worker's: it is written into the record with its
    traceback, and the worker takes the next trial.

    Args:
        job: What to run.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.record = Run(job.run).record(job.config.id)
        self._session: _Session | None = None

    def advance(self, seconds: float) -> Progress:
        """Train whole epochs for about `seconds`, and finish when training has ended."""
        try:
            if self._session is None:
                self._session = _Session(self.job, self.record)
            return self._session.advance(seconds)
        except Exception as error:  # noqa: BLE001 - recorded whole, see the class
            return self._fail(error)

    def save(self, record: Record) -> None:
        """Write a checkpoint into another folder laid out like a record."""
        assert self._session is not None
        self._session.save(record)

    def load(self, record: Record) -> None:
        """Go on from a checkpoint in another folder laid out like a record."""
        self._session = _Session(self.job, self.record, record)

    def _fail(self, error: Exception) -> Progress:
        named = isinstance(error, (TrainingError, CamerabiasError))
        reason = str(error) if named else f"{type(error).__name__}: {error}"
        text = "".join(traceback.format_exception(error))
        self.record.fail(Failure(reason=reason, traceback=text, failed_at=_now(), host=platform.node()))
        if self._session is None:
            return Progress.of_failure(self.job.config, reason)
        return Progress.of_failure(
            self.job.config, reason, self._session.training.step, self._session.seconds()
        )


class _Session:
    """A trial in memory."""

    def __init__(self, job: Job, record: Record, resume_from: Record | None = None) -> None:
        self.job, self.record = job, record
        config = job.config
        record.start(config)
        self.began = time.monotonic()
        self.seconds_before = 0.0
        self.last_checkpoint = self.began
        torch.set_num_threads(job.threads)
        self.dataset = open_dataset(job.dataset)
        assert self.dataset.manifest.fingerprint == config.dataset, "the dataset is not the trial's"
        self.parts = assign_parts(self.dataset, config)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.classes = self.dataset.manifest.classes(config.target)
        self.codes = pd.Categorical(self.dataset.index[config.target], categories=list(self.classes)).codes
        self.training = self._make_training()
        checkpoint = read_checkpoint((resume_from or record).folder)
        if checkpoint is not None:
            tensors, state = checkpoint
            self.seconds_before = state.pop("seconds")
            self.training.load_state(tensors, state)

    def _make_training(self) -> Training:
        config = self.job.config
        weights = load_weights(config.model, self.job.weights)
        found = weights_id(weights)
        if found != config.weights:
            raise TrainingError(
                f"the weights are {found} here, and the trial was planned with {config.weights}"
            )
        torch.manual_seed(stream_seed(config.seed, "init"))
        model = build_model(config.model, len(self.classes), config.size, weights)
        model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        images = Images(open_pixels(self.dataset, config.variants[0]), self.device)
        train, validation = (
            Examples(images, rows, self.codes[rows].astype(np.int64))
            for rows in (self.parts.train, self.parts.validation)
        )
        return Training(model, config.recipe, config.seed, train, validation)

    def advance(self, seconds: float) -> Progress:
        end = time.monotonic() + seconds
        while not self.training.ended:
            self.training.run_epoch()
            now = time.monotonic()
            if now - self.last_checkpoint > CHECKPOINT_SECONDS and not self.training.ended:
                self.save(self.record)
                self.last_checkpoint = now
            if now >= end:
                break
        if not self.training.ended:
            return self._progress()
        return self._finish() if self.job.purpose == "test" else self._finish_search()

    def save(self, record: Record) -> None:
        tensors, state = self.training.state()
        write_checkpoint(record.folder, tensors, {**state, "seconds": self.seconds()})

    def seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.began

    def _progress(self) -> Progress:
        training = self.training
        validated = training.history().dropna(subset=["validation_loss"])
        loss, accuracy = (validated[name].tolist() for name in ("validation_loss", "validation_accuracy"))
        return Progress(
            status="running",
            step=training.step,
            max_steps=training.recipe.max_steps,
            loss=loss[-1] if loss else None,
            accuracy=accuracy[-1] if accuracy else None,
            images_per_second=training.training_images / max(training.training_seconds, 1e-9),
            seconds=self.seconds(),
        )

    def _finish(self) -> Progress:
        training, config = self.training, self.job.config
        stopped = training.stopped
        assert stopped is not None
        tested_step = training.choose_weights()
        predictions = self._predict(self.parts.test, config.test_view)
        history = training.history()
        accuracy = float((predictions["prediction"] == predictions[config.target]).mean())
        validated = history.loc[history["step"] == tested_step, "validation_accuracy"].item()
        speed = training.training_images / training.training_seconds
        done = Done(
            stopped=stopped,
            steps=training.step,
            tested_step=tested_step,
            validation_accuracy=float(validated),
            test_accuracy=accuracy,
            train_images=len(self.parts.train),
            validation_images=len(self.parts.validation),
            test_images=len(self.parts.test),
            seconds=self.seconds(),
            images_per_second=speed,
            finished_at=_now(),
            host=platform.node(),
            device=_device_name(self.device),
            threads=self.job.threads,
            versions=versions(),
        )
        self.record.finish(history, predictions, done)
        return Progress(
            "done", training.step, config.recipe.max_steps, training.best_loss, accuracy, speed, done.seconds
        )

    def _finish_search(self) -> Progress:
        """End without a look at test images."""
        training, config = self.training, self.job.config
        tested_step = training.choose_weights()
        history = training.history()
        self.record.finish_search(history, self._predict(self.parts.validation, config.train_view))
        tested = history[history["step"] == tested_step]
        loss, accuracy = (float(tested[name].item()) for name in ("validation_loss", "validation_accuracy"))
        speed = training.training_images / training.training_seconds
        return Progress("done", training.step, config.recipe.max_steps, loss, accuracy, speed, self.seconds())

    def _predict(self, rows: Rows, view: View) -> pd.DataFrame:
        config = self.job.config
        images = self.training.train.images
        if view != config.train_view:
            images = Images(open_pixels(self.dataset, config.variants[1]), self.device)
        recipe = config.recipe
        logits = predict_logits(self.training.model, images, rows, recipe.batch_size, recipe.precision)
        probabilities = logits.softmax(dim=1).cpu().numpy()
        predicted = probabilities.argmax(axis=1)
        frame = self.dataset.index.iloc[rows][["image_id", "label", "camera", "group"]]
        return frame.assign(
            draw=0, prediction=np.array(self.classes)[predicted], probabilities=list(probabilities)
        )


def assign_parts(dataset: Dataset, config: TrialConfig) -> Parts:
    """Which images train, validate and test a trial.

    Folds decide, or the user's `split` where there is one (validation then takes its `val` rows, or the fold
    after the tested one of its `train` rows). Training and validation images are those of the setting's cells;
    where counts are cut, validation keeps all that it has.

    Returns:
        Positions in the dataset's index, in the order of image_id.

    Raises:
        TrainingError: One of the three is empty.
    """
    # in the order of image_id, so that a trial does not depend on the order of the source's rows
    order = np.argsort(dataset.index["image_id"].to_numpy())
    index = dataset.index.iloc[order]
    validation_fold = (index["fold"] == (config.test_fold + 1) % N_FOLDS).to_numpy()
    if dataset.manifest.has_split:
        split = index["split"].to_numpy()
        test, validation = split == "test", split == "val"
        if not validation.any():
            validation = (split == "train") & validation_fold
    else:
        test, validation = (index["fold"] == config.test_fold).to_numpy(), validation_fold
    every_count = config.setting.model_copy(update={"equal_counts": False})
    training = _within(config.setting, index, ~test & ~validation, config.seed, config.train_size)
    parts = Parts(
        train=order[training],
        validation=order[_within(every_count, index, validation, config.seed, None)],
        test=order[np.flatnonzero(test)],
    )
    for name in ("train", "validation", "test"):
        if len(getattr(parts, name)) == 0:
            raise TrainingError(
                f"there are no {name} images for setting {config.setting.name!r} in fold {config.test_fold}: "
                "the dataset has too few photos in the setting's cells"
            )
    return parts


def _within(
    setting: Setting, index: pd.DataFrame, chosen: npt.NDArray[np.bool_], seed: int, size: int | None
) -> Rows:
    rows = np.flatnonzero(chosen)
    some = index.iloc[rows]
    return rows[select(setting, some["label"], some["camera"], seed, size)]


def versions() -> dict[str, str]:
    """Versions of what decides a trial's numbers."""
    return {name: version(name) for name in VERSIONED}


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{os.uname().machine} CPU"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
