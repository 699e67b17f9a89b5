"""One driver per run, as far as a storage without locks can hold it: a lease that is renewed while the driver lives.

Clocks of machines differ, so a lease is not judged by its age: who finds one watches whether it changes. Two
drivers that start within the same moment may both believe to hold it; the one whose lease was overwritten sees that
at its next renewal, and stops. What both have done by then is the same, since records of one trial are equal.
"""

from __future__ import annotations

import os
import platform
import signal
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel, ConfigDict, ValidationError

from camerabias.datasets.io.storage import StorageError
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.run import Run, damaged_lease

RENEWAL_SECONDS = 5.0
"""Time between renewals."""
PATIENCE_SECONDS = 30.0
"""How long a lease may stay unchanged before its driver counts as gone: several renewals, some of them slow."""


def _this_machine() -> str:
    """This boot of this machine, and where process numbers are counted by themselves, this container of it."""
    boot, numbers = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if not boot.exists():  # not Linux
        return f"{uuid.getnode():x}"
    return f"{boot.read_text().strip()} {os.readlink(numbers)}"


class LeaseState(BaseModel):
    """`driver.json`."""

    model_config = ConfigDict(frozen=True)

    owner: str
    host: str
    machine: str = ""
    """Where its process number means something: the same after neither a reboot nor in another container."""
    pid: int
    since: str
    renewals: int

    @classmethod
    def of(cls, run: Run) -> LeaseState | None:
        """The lease of a run; None where nobody is at work on it.

        Raises:
            CamerabiasError: The file is damaged.
        """
        lease = run.lease()
        try:
            return None if lease is None else cls.model_validate(lease)
        except ValidationError as error:
            raise damaged_lease(run) from error

    @property
    def driver(self) -> str:
        """The driver, for people."""
        return f"process {self.pid} on {self.host}"

    def ended(self) -> bool:
        """Whether the driver is known to be gone, which only its own machine can tell."""
        if self.machine != _this_machine():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False


class Lease:
    """A context manager that holds a run for this driver, and interrupts it when the run is another's by now.

    Args:
        run: The run.
        tell: Called with a sentence where another driver's lease is being watched.
    """

    def __init__(self, run: Run, tell: Callable[[str], None]) -> None:
        self._run, self._tell = run, tell
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._state = LeaseState(
            owner=uuid.uuid4().hex,
            host=platform.node(),
            machine=_this_machine(),
            pid=os.getpid(),
            since=now,
            renewals=0,
        )
        self._stopping = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._lost: CamerabiasError | None = None

    @property
    def owner(self) -> str:
        """What names this driver in the lease, and nowhere else."""
        return self._state.owner

    def __enter__(self) -> Lease:
        """Take the run, or raise `CamerabiasError`: another driver is at work on it."""
        other = LeaseState.of(self._run)
        if other is not None and not other.ended():
            self._watch(other)
        self._write()
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._renewing.join(RENEWAL_SECONDS)  # longer only where the storage does not answer
        if self._lost is not None:
            raise self._lost from None
        if not isinstance(error, (StorageError, KeyboardInterrupt)):  # a person should not wait for a storage
            with suppress(StorageError):  # it runs out by itself
                self._run.drop_lease()

    def _watch(self, other: LeaseState) -> None:
        self._tell(
            f"{other.driver} has been at work on {self._run.folder} since {other.since}; waiting "
            f"{PATIENCE_SECONDS:.0f} s to see whether it still is."
        )
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            time.sleep(min(1.0, PATIENCE_SECONDS))
            now = LeaseState.of(self._run)
            if now is None:
                return
            if now != other:
                raise self._taken(now)

    def _taken(self, other: LeaseState) -> CamerabiasError:
        return CamerabiasError(
            f"{other.driver} is at work on {self._run.folder}. Let it end, or stop it and start again; another "
            "sweep needs another --run."
        )

    def _renew(self) -> None:
        while not self._stopping.wait(RENEWAL_SECONDS):
            try:
                found = self._found()
                if found is not None and found.owner != self.owner:
                    self._lost = self._taken(found)
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                    return
                if not self._stopping.is_set():
                    self._write()
            except StorageError:
                continue  # trials notice by themselves, and a lease that cannot be renewed cannot be taken either

    def _found(self) -> LeaseState | None:
        """The lease as it lies there; a damaged one is this driver's own, to be written again."""
        try:
            return LeaseState.of(self._run)
        except StorageError:
            raise
        except CamerabiasError:
            return None

    def _write(self) -> None:
        self._state = self._state.model_copy(update={"renewals": self._state.renewals + 1})
        self._run.write_lease(self._state.model_dump())
