"""What hears how trials go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from camerabias.trainables.records.search import Candidate
    from camerabias.trainables.spec.trial import TrialConfig
    from camerabias.trainables.worker.job import Progress


class Watcher(Protocol):
    """Hears what trials do."""

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""


class SearchWatcher(Protocol):
    """Hears how the candidates of a search do."""

    def ended(self, one: Candidate, best: Candidate | None) -> None:
        """A candidate has ended; `best` is the best so far."""

    def confirmed(self, recipe: str, seed: int, progress: Progress) -> None:
        """A recipe, `base` or `found`, has been trained on another seed."""


class Watchers:
    """Several watchers as one, in their order."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def progress(self, trial: TrialConfig, progress: Progress) -> None:
        """A trial has reported."""
        for watcher in self._watchers:
            watcher.progress(trial, progress)
