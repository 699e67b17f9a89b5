"""Where trials run: on this machine, or side by side on Ray Tune."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from camerabias.datasets.io.executor import CoresExecutor, Executor, RayExecutor
from camerabias.datasets.schema import ExecutorName
from camerabias.sweeps.execution.processes import run_in_processes
from camerabias.sweeps.planning.speed import Speed, measure_here
from camerabias.trainables.worker.node import find_gpus

if TYPE_CHECKING:
    from camerabias.sweeps.execution.jobs import JobSource
    from camerabias.trainables.spec.trial import TrialConfig
    from camerabias.trainables.worker.node import Expected, Node

WORTH_PROCESSES = 100_000_000
"""Pixels to train on, 6,000 images of 128 × 128, from which processes are started: each imports torch for seconds."""

PAUSE_SECONDS = 1.0
"""About how often a trial reports that runs here."""


class TrialExecutor(Executor):
    """Runs trials; each leaves its record, a failed one its failure, and the others run."""

    packages: ClassVar[tuple[str, ...]] = ()
    """What it uses besides the packages that trials do."""

    @property
    @abstractmethod
    def at_once(self) -> int:
        """Trials that run at a time, as far as that is known before it joins anything."""

    @abstractmethod
    def join(self, expected: Expected) -> list[Node]:
        """Connect, and check every machine that others have started before anything runs there.

        Returns:
            These machines; none where the work stays on this one.

        Raises:
            CamerabiasError: A machine cannot serve, or would obey everybody.
        """

    @abstractmethod
    def place(self, jobs: JobSource) -> str:
        """Where jobs would run, in words that follow "trials run"."""

    @abstractmethod
    def run(self, jobs: JobSource, expected: Expected) -> None:
        """Run jobs until there are no more; after `join`.

        Args:
            jobs: What to run.
            expected: What every machine must find before it runs a job.

        Raises:
            StorageError, NodeError: The machines fail, whatever the trial; what is done stays done.
        """

    @abstractmethod
    def measure(self, config: TrialConfig) -> Speed:
        """Time some training steps where trials would run."""


class LocalTrialExecutor(CoresExecutor, TrialExecutor):
    """Runs trials on this machine: side by side in processes where that pays, else one by one in this process."""

    @property
    def at_once(self) -> int:
        """One per core; with a GPU, one."""
        return 1 if find_gpus() else os.cpu_count() or 1

    def join(self, expected: Expected) -> list[Node]:
        """Nothing to join."""
        return []

    def place(self, jobs: JobSource) -> str:
        """In how many processes."""
        n = self._processes(jobs)
        return f"in {n} processes of this machine" if n > 1 else "in this process"

    def run(self, jobs: JobSource, expected: Expected) -> None:
        """Run jobs; this machine has found what is expected."""
        n = self._processes(jobs)
        if n > 1:
            run_in_processes(jobs, n)
        else:
            _run_here(jobs)

    def _processes(self, jobs: JobSource) -> int:
        worth = jobs.n_jobs != 1 and jobs.pixels >= WORTH_PROCESSES
        return min(self.at_once // jobs.threads, jobs.n_jobs or self.at_once) if worth else 1

    def measure(self, config: TrialConfig) -> Speed:
        """Time steps on this machine."""
        return measure_here(config)


class RayTrialExecutor(RayExecutor, TrialExecutor):
    """Runs trials side by side on the cores of this machine, or on a cluster.

    Args:
        address: Of a Ray cluster; None is the one that this process is a job of, or else a Ray that starts here.
        allow_unauthenticated: Whether a cluster may be one that obeys everybody who reaches its ports.
    """

    packages = ("ray",)

    def __init__(self, address: str | None = None, allow_unauthenticated: bool = False) -> None:
        super().__init__(address)
        self._allow_unauthenticated = allow_unauthenticated

    @property
    def at_once(self) -> int:
        """One per GPU or core of this machine; of a cluster, one."""
        if self.is_cluster:
            return 1
        import torch

        return torch.cuda.device_count() or os.cpu_count() or 1

    def join(self, expected: Expected) -> list[Node]:
        """Connect to Ray, and check the nodes of a cluster."""
        from camerabias.sweeps.execution.cluster import join

        return join(self.address, expected, self._allow_unauthenticated)

    def place(self, jobs: JobSource) -> str:
        """On Ray."""
        return "on Ray"

    def run(self, jobs: JobSource, expected: Expected) -> None:
        """Run jobs on the Ray that this process has joined."""
        from camerabias.sweeps.execution.ray_tune import run_on_ray  # late: Ray need not be installed

        run_on_ray(jobs, expected)

    def measure(self, config: TrialConfig) -> Speed:
        """Time steps on a cluster, or else on this machine: trials would run there."""
        if not self.is_cluster:
            return measure_here(config)
        from camerabias.sweeps.execution.ray_tune import measure_on_ray

        return measure_on_ray(config, self.address)


def _run_here(jobs: JobSource) -> None:
    from camerabias.trainables.worker.trial import Trial  # late: torch is not needed to plan

    while (job := jobs.ask()) is not None:
        trial = Trial(job)
        progress = trial.advance(PAUSE_SECONDS)
        while not jobs.tell(job, progress) and progress.status == "running":
            progress = trial.advance(PAUSE_SECONDS)


def trial_executor(
    name: ExecutorName | None, address: str | None = None, allow_unauthenticated: bool = False
) -> TrialExecutor:
    """The executor that a user names; what follows the name is said of Ray.

    Where none is named it is Ray on a cluster or where there is a GPU, and else this machine without Ray, which would
    take longer to start and a share of the cores.
    """
    ray = RayTrialExecutor(address, allow_unauthenticated)
    if name is None:
        name = "ray" if ray.is_cluster or find_gpus() else "local"
    return ray if name == "ray" else LocalTrialExecutor()
