"""One trial from configuration to record: training in its way, probes, and failures kept."""

from __future__ import annotations

import logging
import platform
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.probes.base import Subject
from camerabias.trainables.records.record import Failure, Record
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.linear_probe import LinearProbe
from camerabias.trainables.training.train import TrainingError
from camerabias.trainables.worker.fine_tuning import FineTuning, load_network
from camerabias.trainables.worker.job import Job, Progress
from camerabias.trainables.worker.session import Session, timestamp

if TYPE_CHECKING:
    from camerabias.trainables.linear_probe.subject import LinearSubject

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
        self._session: Session | None = None

    def advance(self, seconds: float) -> Progress:
        """Train whole epochs for about `seconds`, and finish when training has ended.

        A search decides at certain steps whether to continue, so it hears of every epoch.
        """
        try:
            if self._session is None:
                if self.record.is_done():
                    return self._probe_again()
                _log.info("%s (%s) starts", self.job.config.name, self.job.config.id)
                self._session = _open_session(self.job, self.record)
            session = self._session
            progress = session.advance(0.0 if self.job.purpose == "search" else seconds)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - recorded whole, see the class
            return self._fail(error)
        if progress.status != "done":
            return progress
        _log.info("%s is done after %d steps", self.job.config.name, progress.step)
        return self._probe(session.subject, progress)

    def save(self, record: Record) -> None:
        """Write a checkpoint into another folder laid out like a record."""
        assert self._session is not None
        self._session.save(record)

    def load(self, record: Record) -> None:
        """Resume from a checkpoint in another folder laid out like a record."""
        self._session = _open_session(self.job, self.record, record)

    def _fail(self, error: Exception) -> Progress:
        failure = _failure(error)
        _log.info("%s has failed: %s", self.job.config.name, failure.reason)
        self.record.fail(failure)
        if self._session is None:
            return Progress.of_failure(self.job.config, failure.reason)
        return Progress.of_failure(
            self.job.config, failure.reason, self._session.step, self._session.seconds()
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

    def _probe(self, load: Callable[[], Subject | LinearSubject], progress: Progress) -> Progress:
        """Run the probes that the record lacks; one that fails leaves its reason, and the others go on."""
        load = cache(load)
        there = self.record.probe_names()
        reasons = []
        for probe in self.job.probes:
            if str(probe) in there:
                continue
            try:
                self.record.write_probe(str(probe), probe.run(load()))
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
    return Failure(reason=reason, traceback=text, failed_at=timestamp(), host=platform.node())


def _open_session(job: Job, record: Record, resume_from: Record | None = None) -> Session:
    """The way of training that a job's configuration asks for."""
    if isinstance(job.config.recipe, LinearProbe):
        from camerabias.trainables.worker.linear_fit import (
            LinearFit,
        )  # late: networks do without scikit-learn

        return LinearFit(job, record)
    return FineTuning(job, record, resume_from)


def _load_subject(job: Job, record: Record) -> Subject | LinearSubject:
    """The trained model of a trial that is done, from what was kept of it."""
    if isinstance(job.config.recipe, LinearProbe):
        from camerabias.trainables.worker.linear_fit import load_linear

        return load_linear(job, record)
    return load_network(job, record)
