"""How far a run is, from its records alone: one listing of its trials, and few files read.

What is read besides is bounded whatever the number of trials: the progress of those that run, the reasons of some
that failed, the outcome of some that ended last.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from camerabias.datasets.schema import RUN_FILE
from camerabias.sweeps.runs.lease import LeaseState
from camerabias.trainables.records.record import Contents, Done, Running, Status
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import SearchRecord, search_records
from camerabias.trainables.records.study import PlannedStudy, StudyCell

MAX_RUNNING, MAX_FAILED, MAX_ENDED = 40, 5, 3
"""How many trials of each kind are named; the others are counted."""

STALE_SECONDS = 300.0
"""After so long without a word a trial's worker may be gone. Words come between epochs, of which few are longer."""


@dataclass(frozen=True)
class CellStatus:
    """A cell of a study, and how many of its trials are how far."""

    cell: StudyCell
    counts: dict[Status, int]


@dataclass(frozen=True)
class StudyStatus:
    """How far a study is."""

    name: str
    title: str
    cells: list[CellStatus]


@dataclass(frozen=True)
class SearchStatus:
    """How far a search is."""

    name: str
    asked: int
    states: dict[str, int]
    """How many candidates are in which state."""

    @property
    def is_over(self) -> bool:
        """Whether all candidates have ended."""
        return sum(self.states.values()) >= self.asked and not self.states.get("running")


@dataclass(frozen=True)
class RunningTrial:
    """A trial that has begun and said how far it is."""

    name: str
    progress: Running

    @property
    def silent_seconds(self) -> float:
        """Time since it said so."""
        return _seconds_since(self.progress.written_at)

    @property
    def is_stale(self) -> bool:
        """Whether its worker may be gone."""
        return self.silent_seconds > STALE_SECONDS


@dataclass(frozen=True)
class EndedTrial:
    """A trial that is done."""

    name: str
    done: Done

    @property
    def seconds_ago(self) -> float:
        """Time since then."""
        return _seconds_since(self.done.finished_at)


def _seconds_since(when: str) -> float:
    # clocks of machines differ a little
    return max(0.0, time.time() - datetime.fromisoformat(when).timestamp())


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes:
        studies: Its studies.
        searches: Its searches.
        statuses: Of every trial asked for by a study, by id.
        running: Trials that have said how far they are, those that spoke last first.
        n_running: How many there are in all.
        failed: Name and reason of trials that failed, the latest first.
        ended: Trials that were done last, the latest first.
        seconds_left: Until every trial of the studies has ended, at the pace since the sweep was started last; None
            where that is not known.
    """

    studies: list[StudyStatus]
    searches: list[SearchStatus]
    statuses: dict[str, Status]
    running: list[RunningTrial]
    n_running: int
    failed: list[tuple[str, str]]
    ended: list[EndedTrial]
    seconds_left: float | None
    driver: LeaseState | None
    """Who drives the sweep, or did until it died."""

    def count(self, *statuses: Status) -> int:
        """How many trials of the studies are so far."""
        return sum(status in statuses for status in self.statuses.values())

    @property
    def is_over(self) -> bool:
        """Whether all that was asked for has ended."""
        return not self.count("missing", "started") and all(search.is_over for search in self.searches)

    @property
    def milestones(self) -> tuple[Any, ...]:
        """What changes when a trial or candidate begins or ends, and not while it runs."""
        return self.statuses, self.searches, {trial.name for trial in self.running}


def read_status(run: Run) -> RunStatus:
    """Look at a run's records.

    Raises:
        CamerabiasError: There is no run, or a file of it is damaged.
    """
    run.info()
    return _Reader(run).read()


class _Reader:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.contents = run.contents()
        self.studies = [*run.studies().values()]
        self.names = dict(_names(self.studies))
        self.statuses = {trial: self.contents.get(trial, Contents()).status for trial in self.names}

    def read(self) -> RunStatus:
        searches = [_search(record) for record in search_records(self.run)]
        candidates = [trial for _, running in searches for trial in running]
        talking = self._latest("started")
        talking = [trial for trial in talking if self.contents[trial].has_progress]
        running = [
            RunningTrial(self.names[trial], progress)
            for trial in talking[:MAX_RUNNING]
            if (progress := self.run.record(trial).progress()) is not None
        ]
        return RunStatus(
            studies=[self._study(study) for study in self.studies],
            searches=[search for search, _ in searches],
            statuses=self.statuses,
            running=running + candidates,
            n_running=len(talking) + len(candidates),
            failed=self._failed(),
            ended=self._ended(),
            seconds_left=self._seconds_left(running),
            driver=LeaseState.of(self.run),
        )

    def _latest(self, status: Status) -> list[str]:
        """Trials so far, those first whose records were written last."""
        trials = [trial for trial, found in self.statuses.items() if found == status]
        return sorted(trials, key=lambda trial: self.contents[trial].changed, reverse=True)

    def _study(self, study: PlannedStudy) -> StudyStatus:
        cells = []
        for cell in study.cells:
            counted = Counter(self.statuses[trial] for trial in cell.trials.values())
            cells.append(CellStatus(cell, {status: counted[status] for status in get_args(Status)}))
        return StudyStatus(study.name, study.title, cells)

    def _failed(self) -> list[tuple[str, str]]:
        found = [
            (self.names[trial], self.run.record(trial).failure_if_there())
            for trial in self._latest("failed")[:MAX_FAILED]
        ]
        return [(name, failure.reason) for name, failure in found if failure is not None]

    def _ended(self) -> list[EndedTrial]:
        trials = self._latest("done")[:MAX_ENDED]
        return [EndedTrial(self.names[trial], self.run.record(trial).done()) for trial in trials]

    def _seconds_left(self, running: list[RunningTrial]) -> float | None:
        """As the sweep's own display tells it; nothing where nobody seems to work."""
        if all(trial.is_stale for trial in running):
            return None
        began = self.run.folder.changed(RUN_FILE)  # written anew whenever a sweep is started
        ended = [trial for trial, status in self.statuses.items() if status in ("done", "failed")]
        n_now = sum(self.contents[trial].changed >= began for trial in ended)
        if not n_now:
            return None
        seconds = max(0.0, time.time() - began)  # a clock may have been set back
        return (len(self.statuses) - len(ended)) * seconds / n_now


def _names(studies: Iterable[PlannedStudy]) -> Iterator[tuple[str, str]]:
    """Id and name of every trial of the studies."""
    for study in studies:
        for cell in study.cells:
            for seed, trial in cell.trials.items():
                yield trial, cell.trial_name(seed)


def _search(record: SearchRecord) -> tuple[SearchStatus, list[RunningTrial]]:
    search, candidates = record.search(), record.candidates()
    states = Counter(str(one.state) for one in candidates)
    numbers = {one.trial: one.number for one in candidates}
    running = list(_running_candidates(search.name, Run(record.folder), numbers))
    return SearchStatus(search.name, search.trials, dict(states)), running


def _running_candidates(search: str, run: Run, numbers: dict[str, int]) -> Iterator[RunningTrial]:
    """Trials of a search that have said how far they are; on other seeds they are no candidates any more."""
    for trial, contents in run.contents().items():
        progress = run.record(trial).progress() if contents.has_progress else None
        if progress is not None:
            what = f"candidate {numbers[trial]}" if trial in numbers else run.record(trial).config().name
            yield RunningTrial(f"{search}, {what}", progress)
