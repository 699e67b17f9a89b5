"""What travels between a sweep and the worker that runs a trial: the job there, progress back. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.spec.trial import TrialConfig


@dataclass(frozen=True)
class Job:
    """A trial and what a worker needs to run it, none of which changes its numbers.

    Attributes:
        config: The trial.
        dataset: Location of the dataset.
        run: Location of the run.
        weights: `none`, `imagenet` or a file: where the weights named in the configuration come from.
        threads: CPU threads of torch.
        purpose: `test`, or `search`: a search of hyperparameters looks at validation images alone.
        probes: What to do with the trained model besides; its weights are then kept.
    """

    config: TrialConfig
    dataset: str
    run: str
    weights: str
    threads: int
    purpose: Literal["test", "search"] = "test"
    probes: tuple[Probe, ...] = ()


class Validation(NamedTuple):
    """A look at the validation images."""

    step: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class Progress:
    """What a trial says between epochs."""

    status: str
    """`running`, `done` or `failed`."""
    step: int
    max_steps: int
    validation_loss: float | None
    """The latest, once there is one; of a trial that is done, that of the weights it chose."""
    validation_accuracy: float | None
    """Likewise."""
    images_per_second: float | None
    seconds: float
    """Wall time of the trial so far."""
    reason: str = ""
    """Why it failed."""
    validations: tuple[Validation, ...] = ()
    """Those since the last report, which may be many: reports are seconds apart."""
    test_accuracy: float | None = None
    """Of a trial that is done, unless it belongs to a search, which looks at no test images."""

    @classmethod
    def of_failure(cls, config: TrialConfig, reason: str, step: int = 0, seconds: float = 0.0) -> Progress:
        """What a failed trial says."""
        return cls("failed", step, config.recipe.max_steps, None, None, None, seconds, reason)


def job_from(fields: dict[str, Any]) -> Job:
    """A job from the plain dictionary that `job_fields` made, which travels through Ray Tune."""
    config = TrialConfig.model_validate(fields["config"])
    probes = tuple(Probe.model_validate(probe) for probe in fields["probes"])
    return Job(**{**fields, "config": config, "probes": probes})


def job_fields(job: Job) -> dict[str, Any]:
    """A job as a plain dictionary."""
    config = job.config.model_dump(mode="json")
    return {**vars(job), "config": config, "probes": [probe.model_dump() for probe in job.probes]}
