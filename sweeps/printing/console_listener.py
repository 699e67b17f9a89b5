"""The listener of the command line: bars, and lines as work proceeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.monitoring.console import console, counting, print_nodes
from camerabias.sweeps.monitoring.live import SearchDisplay, SweepDisplay
from camerabias.sweeps.printing.design import print_design, print_differences
from camerabias.sweeps.printing.plans import print_skipped
from camerabias.sweeps.printing.results import print_outcome

if TYPE_CHECKING:
    from camerabias.analysis.cues.differences import Differences
    from camerabias.analysis.design.design import Design
    from camerabias.sweeps.execution.outcome import SweepOutcome
    from camerabias.sweeps.execution.watcher import SearchWatcher, Watcher
    from camerabias.sweeps.planning.plan import Plan
    from camerabias.trainables.worker.node import Node


class ConsoleListener(Listener):
    """Shows on the terminal what it hears.

    Args:
        details: Whether all is shown that was found of the photos, and in the end every failure in full.
    """

    def __init__(self, details: bool = False) -> None:
        self._details = details

    def counting(self, what: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """A bar, and a line when it is full."""
        return counting(what)

    def say(self, sentence: str) -> None:
        """A line."""
        console.print(sentence)

    def nodes(self, nodes: Sequence[Node]) -> None:
        """A line per node."""
        print_nodes(nodes)

    def training(self, n_all: int, n_done: int) -> AbstractContextManager[Watcher]:
        """Bars, and a line per trial that ends."""
        return SweepDisplay(n_all, n_done)

    def searching(self, n_all: int, n_done: int) -> AbstractContextManager[SearchWatcher]:
        """A bar, and a line per candidate that ends."""
        return SearchDisplay(n_all, n_done)

    def design(self, design: Design) -> None:
        """Tables and sentences."""
        print_design(design, self._details)

    def differences(self, found: Differences) -> None:
        """Sentences."""
        print_differences(found, self._details)

    def skipped(self, plan: Plan) -> None:
        """A line per setting."""
        print_skipped(plan)

    def ended(self, outcome: SweepOutcome) -> None:
        """Counts, and the first failures."""
        print_outcome(outcome, self._details)
