"""A trial that fits a linear probe: no epochs and no checkpoints, since the whole takes seconds."""

from __future__ import annotations

import platform
import time

import numpy as np
import pandas as pd
from scipy.special import softmax

from camerabias.trainables.linear_probe.subject import LinearSubject, head_state, read_head
from camerabias.trainables.records.checkpoint import read_weights, write_weights
from camerabias.trainables.records.record import HISTORY_SCHEMA, Done, Record
from camerabias.trainables.worker.job import Job, Progress
from camerabias.trainables.worker.node import versions
from camerabias.trainables.worker.session import Session, device_name, open_data, predictions_of, timestamp


def load_linear(job: Job, record: Record) -> LinearSubject:
    """The linear probe of a trial that is done, from the head that was kept."""
    return LinearSubject(open_data(job), job.weights, read_head(read_weights(record.folder)))


class LinearFit(Session):
    """A linear probe that is fitted when first asked to advance.

    Args:
        job: What to run.
        record: Where it goes.
    """

    def __init__(self, job: Job, record: Record) -> None:
        record.start(job.config)
        self.began = time.monotonic()
        self.job, self.record = job, record
        self._fitted: LinearSubject | None = None

    @property
    def step(self) -> int:
        """1 once it is fitted."""
        return int(self._fitted is not None)

    def seconds(self) -> float:
        """Wall time so far; a fit that was interrupted starts over."""
        return time.monotonic() - self.began

    def save(self, record: Record) -> None:
        """Nothing to keep: a fit takes no longer than reading a checkpoint."""

    def subject(self) -> LinearSubject:
        """The fitted probe."""
        assert self._fitted is not None, "it has not been fitted"
        return self._fitted

    def advance(self, seconds: float) -> Progress:
        """Fit the head, test it, and write the record."""
        self._fitted = fitted = LinearSubject(open_data(self.job), self.job.weights)
        predictions = self._predict(fitted)
        head, training = fitted.head, fitted.training
        done = self._done(
            fitted,
            validation_accuracy=float((head.validated == training.classes[: len(head.validated)]).mean()),
            test_accuracy=float((predictions["prediction"] == predictions[self.job.config.target]).mean()),
        )
        if self.job.probes:
            write_weights(self.record.folder, head_state(head))
        self.record.finish(pd.DataFrame(columns=HISTORY_SCHEMA.names), predictions, done)
        return Progress(
            status="done",
            step=1,
            max_steps=1,
            validation_loss=None,
            validation_accuracy=done.validation_accuracy,
            images_per_second=done.images_per_second,
            seconds=done.seconds,
            test_accuracy=done.test_accuracy,
        )

    def _predict(self, fitted: LinearSubject) -> pd.DataFrame:
        """Rows of `PREDICTIONS_SCHEMA`."""
        data, rows = fitted.data, fitted.data.parts.test
        return pd.concat(
            predictions_of(data, rows, draw, softmax(fitted.logits(rows, draw), axis=1).astype(np.float32))
            for draw in range(self.job.config.test_view.kind.test_draws)
        )

    def _done(self, fitted: LinearSubject, **accuracies: float) -> Done:
        parts, seconds = fitted.data.parts, self.seconds()
        return Done(
            stopped="converged",
            steps=1,
            tested_step=1,
            train_images=len(parts.train),
            validation_images=len(parts.validation),
            test_images=len(parts.test),
            seconds=seconds,
            images_per_second=len(parts.train) / seconds,
            finished_at=timestamp(),
            host=platform.node(),
            device=device_name(fitted.data.device),
            threads=self.job.threads,
            versions=versions(),
            **accuracies,
        )
