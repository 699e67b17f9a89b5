"""Who hears how the work goes. The work itself prints nothing; the command line brings a listener that does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from camerabias.sweeps.execution.watcher import SearchWatcher, Watcher, Watchers

if TYPE_CHECKING:
    from camerabias.analysis.cues.differences import Differences
    from camerabias.analysis.design.design import Design
    from camerabias.sweeps.execution.outcome import SweepOutcome
    from camerabias.sweeps.planning.plan import Plan
    from camerabias.trainables.records.search import Candidate
    from camerabias.trainables.worker.job import Progress
    from camerabias.trainables.worker.node import Node


class Listener:
    """Hears of sweeps, searches and audits as they go, and keeps silent; override what is to be shown."""

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Counted work goes on within; gives the function to tell (done, all)."""
        return nullcontext(lambda done, n: None)

    def say(self, sentence: str) -> None:
        """Something that a person should know."""

    def nodes(self, nodes: Sequence[Node]) -> None:
        """A cluster has been joined."""

    def training(self, n_all: int, n_done: int) -> AbstractContextManager[Watcher]:
        """Trials are run within, of `n_all` that are asked for, `n_done` of them before; gives their watcher."""
        return nullcontext(Watchers())

    def searching(self, n_all: int, n_done: int) -> AbstractContextManager[SearchWatcher]:
        """Candidates of a search are tried within; gives their watcher."""
        return nullcontext(_Silent())

    def design(self, design: Design) -> None:
        """The photos of an audit have been looked at."""

    def differences(self, found: Differences) -> None:
        """Cameras have been compared by what their pixels show."""

    def skipped(self, plan: Plan) -> None:
        """A sweep of an audit is planned, without what its dataset cannot serve."""

    def ended(self, outcome: SweepOutcome) -> None:
        """A sweep has ended."""


class _Silent:
    """A watcher of searches that shows nothing."""

    def ended(self, one: Candidate, best: Candidate | None) -> None:
        pass

    def confirmed(self, recipe: str, seed: int, progress: Progress) -> None:
        pass
