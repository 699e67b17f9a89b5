"""Where else a sweep's progress goes than to the screen: TensorBoard always, MLflow and Weights & Biases by name.

A logger lives in the driver, so that both executors have it and workers need no account anywhere. It hears what
trials report: every validation at its own step, images per second, and in the end the test accuracy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.record import TENSORBOARD_FOLDER
from camerabias.trainables.records.run import Run

if TYPE_CHECKING:
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    from camerabias.trainables.spec.trial import TrialConfig
    from camerabias.trainables.worker.job import Progress

UPLOAD_SECONDS = 60.0
"""Time between two uploads of event files to a bucket, which takes whole files only."""

PROJECT = "camerabias"
"""Experiment of MLflow and project of Weights & Biases, where their own environment variables name no other."""


class Logger(Protocol):
    """A place for one sweep's progress; a trial that was logged there before continues in the same place."""

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""

    def close(self) -> None:
        """The sweep has ended, or was interrupted; trials that still run are left unfinished."""


def scalars(progress: Progress) -> Iterator[tuple[int, dict[str, float]]]:
    """What a report says in numbers, by step: `loss` and `accuracy` of validation images, and so on."""
    for validation in progress.validations:
        yield validation.step, {"loss": validation.loss, "accuracy": validation.accuracy}
    last: dict[str, float] = {}
    if progress.images_per_second is not None:
        last["images_per_second"] = progress.images_per_second
    if progress.test_accuracy is not None:
        last["test_accuracy"] = progress.test_accuracy
    if last:
        yield progress.step, last


class TensorBoard:
    """Event files below `RUN/tensorboard/NAME/ID`; those of a bucket are written here and uploaded now and then.

    Names do not tell every field of a trial, so its id stands below. A trial that is resumed gets another file beside
    the earlier one, whose later steps TensorBoard then drops.
    """

    def __init__(self, run: Run) -> None:
        self._root = run.folder.child(TENSORBOARD_FOLDER)
        self._local = (
            None if self._root.is_local else tempfile.TemporaryDirectory(prefix="camerabias-events-")
        )
        self._writers: dict[str, EventFileWriter] = {}
        self._uploaded = time.monotonic()

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """Write scalars, and upload what has not been for a while."""
        for step, values in scalars(progress):
            self._write(trial, step, values)
        if progress.status != "running" and trial.id in self._writers:
            self._writers.pop(trial.id).close()
        if time.monotonic() - self._uploaded > UPLOAD_SECONDS:
            self._upload()

    def close(self) -> None:
        """Close every file, and upload what has not been."""
        for writer in self._writers.values():
            writer.close()
        self._upload()
        if self._local is not None:
            self._local.cleanup()

    def _write(self, trial: TrialConfig, step: int, values: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        named = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        writer = self._writer(trial, step)
        writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=named)))
        writer.flush()  # there at once for whoever looks

    def _writer(self, trial: TrialConfig, step: int) -> EventFileWriter:
        """Of the trial's open event file; of a new one that drops what earlier ones say from this step on."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if trial.id not in self._writers:
            root = Path(self._root.path if self._local is None else self._local.name)
            writer = EventFileWriter(str(root / trial.name.replace("/", "_") / trial.id))
            writer.add_event(
                Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START))
            )
            self._writers[trial.id] = writer
        return self._writers[trial.id]

    def _upload(self) -> None:
        """Put event files that have changed into the bucket; those of trials that have ended go from here."""
        self._uploaded = time.monotonic()
        if self._local is None:
            return
        open_folders = {Path(writer.get_logdir()) for writer in self._writers.values()}
        for path in Path(self._local.name).rglob("events.*"):
            below = path.parent.relative_to(self._local.name)
            self._root.child(*below.parts).write_bytes(path.name, path.read_bytes())
            if path.parent not in open_folders:
                path.unlink()


class MLflow:
    """A run of MLflow for each trial, in the experiment `camerabias`, where `MLFLOW_TRACKING_URI` says."""

    def __init__(self, run: Run) -> None:
        from mlflow import MlflowClient

        self._client, self._run = MlflowClient(), run.folder.uri
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(name)
        self._experiment = self._client.create_experiment(name) if found is None else found.experiment_id
        self._runs: dict[str, str] = {}

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """Log metrics, and how the trial ended."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, step)
            for step, values in scalars(progress)
            for name, value in values.items()
        ]
        run_id = self._run_of(trial)
        if metrics:
            self._client.log_batch(run_id, metrics)
        if progress.status != "running":
            del self._runs[trial.id]
            self._client.set_tag(run_id, "camerabias.reason", progress.reason)  # none clears an earlier one
            self._client.set_terminated(run_id, {"done": "FINISHED", "failed": "FAILED"}[progress.status])

    def close(self) -> None:
        """Say of trials that still run that they were interrupted."""
        for run_id in self._runs.values():
            self._client.set_terminated(run_id, "KILLED")

    def _run_of(self, trial: TrialConfig) -> str:
        if trial.id not in self._runs:
            self._runs[trial.id] = self._find(trial) or self._create(trial)
        return self._runs[trial.id]

    def _find(self, trial: TrialConfig) -> str | None:
        """The run in which an earlier sweep has logged the trial, which continues in it."""
        asked = f"tags.`camerabias.key` = '{_key(self._run, trial)}'"
        found = self._client.search_runs([self._experiment], asked, max_results=1)
        if not found:
            return None
        run_id = str(found[0].info.run_id)
        self._client.update_run(run_id, "RUNNING")
        return run_id

    def _create(self, trial: TrialConfig) -> str:
        from mlflow.entities import Param

        tags = {"trial": trial.id, "run": self._run, "key": _key(self._run, trial)}
        tags = {f"camerabias.{name}": value for name, value in tags.items()}
        made = self._client.create_run(self._experiment, tags=tags, run_name=trial.name)
        params = [Param(name, str(value)) for name, value in settings(trial).items()]
        self._client.log_batch(made.info.run_id, params=params)
        return str(made.info.run_id)


class WandB:
    """A run of Weights & Biases for each trial, in the project `camerabias`, grouped by the sweep's run."""

    def __init__(self, run: Run) -> None:
        import wandb

        wandb.login()  # now, when a person is there to be asked
        self._run = run.folder.uri
        self._runs: dict[str, Any] = {}

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """Log metrics, and how the trial ended."""
        run = self._run_of(trial)
        for step, values in scalars(progress):
            run.log({"step": step, **values})
        if progress.status != "running":
            run.summary["reason"] = progress.reason  # likewise
            self._runs.pop(trial.id).finish(exit_code=int(progress.status == "failed"))

    def close(self) -> None:
        """Say of trials that still run that they were interrupted."""
        for run in self._runs.values():
            run.finish(exit_code=1)

    def _run_of(self, trial: TrialConfig) -> Any:
        import wandb

        if trial.id not in self._runs:
            run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                group=self._run,
                name=trial.name,
                id=_key(self._run, trial),
                resume="allow",
                reinit="create_new",
                config={"trial": trial.id, **settings(trial)},
                # what the driver prints and how busy it is says nothing of a trial
                settings=wandb.Settings(console="off", silent=True, x_disable_stats=True),
            )
            # a trial resumed from its checkpoint repeats steps, which W&B's own step cannot
            run.define_metric("*", step_metric="step")
            self._runs[trial.id] = run
        return self._runs[trial.id]


def _key(run: str, trial: TrialConfig) -> str:
    """What stands for a trial in a place where several runs may log the same one."""
    return hashlib.sha256(f"{run} {trial.id}".encode()).hexdigest()[:16]


def settings(trial: TrialConfig) -> dict[str, Any]:
    """A trial's configuration as flat names and plain values, to compare trials by."""
    fields = trial.model_dump(mode="json")
    recipe = {f"recipe.{name}": value for name, value in fields.pop("recipe").items()}
    return {
        **fields,
        "setting": trial.setting.name,
        "train_view": str(trial.train_view),
        "test_view": str(trial.test_view),
        **recipe,
    }


class LoggerKind(NamedTuple):
    """A logger, and the package that it needs, as one asks pip for it."""

    logger: Callable[[Run], Logger]
    needs: str


LOGGERS = {
    "mlflow": LoggerKind(MLflow, "mlflow"),
    "wandb": LoggerKind(WandB, "wandb>=0.19.10"),  # the first that keeps several runs open in one process
}
"""By the name that `--log` takes, which is also that of the module."""


def check_loggers(names: Sequence[str]) -> None:
    """Refuse loggers that do not exist, or lack their package.

    Raises:
        CamerabiasError: Likewise.
    """
    unknown = [name for name in names if name not in LOGGERS]
    if unknown:
        raise CamerabiasError(
            f"There is no logger {', '.join(map(repr, unknown))}{allowed_names(unknown, LOGGERS)}. "
            "TensorBoard's files are written anyway."
        )
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        needed = " ".join(f"'{LOGGERS[name].needs}'" for name in missing)
        raise CamerabiasError(
            f"--log {','.join(missing)} needs packages that are not installed; get them with: pip install {needed}"
        )


class Loggers:
    """Several loggers as one watcher. None of them can stop a sweep: one that fails is reported, and called no more.

    Args:
        loggers: By name.
        warn: Called with why one has stopped.
    """

    def __init__(self, loggers: dict[str, Logger], warn: Callable[[str], None]) -> None:
        self._loggers, self._warn = loggers, warn

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""
        self._each(lambda logger: logger.progress(trial, progress))

    def close(self) -> None:
        """The sweep has ended."""
        self._each(lambda logger: logger.close())

    def _each(self, act: Callable[[Logger], None]) -> None:
        for name, logger in list(self._loggers.items()):
            try:
                act(logger)
            except Exception as error:  # noqa: BLE001 - said, and nothing but a picture of the sweep is lost
                del self._loggers[name]
                self._warn(
                    f"Warning: nothing more is logged to {name} ({type(error).__name__}: {error}). Trials continue, "
                    "and records are whole."
                )


@contextmanager
def open_loggers(names: Sequence[str], run: Run, warn: Callable[[str], None]) -> Iterator[Loggers]:
    """TensorBoard and the loggers `names`, closed when the block ends.

    Raises:
        CamerabiasError: One cannot start: nobody is logged in, or a server does not answer.
    """
    opened: dict[str, Logger] = {"tensorboard": TensorBoard(run)}
    for name in names:
        try:
            opened[name] = LOGGERS[name].logger(run)
        except Exception as error:
            raise CamerabiasError(f"--log {name} cannot start: {type(error).__name__}: {error}") from error
    loggers = Loggers(opened, warn)
    try:
        yield loggers
    finally:
        loggers.close()
