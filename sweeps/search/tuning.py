"""What a search runs next, and how candidates went: Optuna and the records, kept in step."""

from __future__ import annotations

import optuna
from optuna.trial import TrialState

from camerabias.sweeps.execution.watcher import SearchWatcher
from camerabias.trainables.records.optuna_view import STATES, distributions, replay, sampler
from camerabias.trainables.records.search import Candidate, Search, SearchRecord, find_best
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Progress


class Tuning:
    """Asks Optuna what to run next, tells it how candidates go, and keeps the record of both.

    Args:
        search: What is searched.
        record: Its record; what it holds counts as suggested and reported.
        watcher: Hears of every candidate that ends.
    """

    def __init__(self, search: Search, record: SearchRecord, watcher: SearchWatcher) -> None:
        self._search, self._record, self._watcher = search, record, watcher
        candidates = record.candidates()
        self._study = replay(search, candidates)
        self._candidates = {one.number: one for one in candidates if one.state != "running"}
        self._asked: dict[int, optuna.Trial] = {}

    def ask(self) -> Candidate | None:
        """The next candidate to run, those first that an interruption left running; None when there are enough.

        A suggestion of a trial that another candidate has, or had, is not run: it shares that one's outcome.
        """
        while self._is_one_left():
            one = self._suggest()
            twin = next((other for other in self._candidates.values() if other.trial == one.trial), None)
            self._candidates[one.number] = one
            self._record.write_candidate(one)
            if twin is None:
                return one
            if twin.state != "running":
                self._end_like(twin, one)
        return None

    def config(self, number: int) -> TrialConfig:
        """The trial of a candidate."""
        return self._search.config(self._candidates[number].params)

    def tell(self, number: int, progress: Progress) -> bool:
        """Take what the trial of a candidate reports; returns whether it is to be stopped, as others do better."""
        one = self._candidates[number]
        one.steps, one.seconds = progress.step, progress.seconds
        if progress.status == "done":
            one.state, one.loss, one.accuracy = (
                "complete",
                progress.validation_loss,
                progress.validation_accuracy,
            )
            self._end(one)
        elif progress.status == "failed":
            one.state, one.reason = "failed", progress.reason
            self._end(one)
        elif self._is_to_be_pruned(one, progress):
            one.state = "pruned"
            self._record.trial(one.trial).drop_checkpoint()
            self._end(one)
            return True
        return False

    @property
    def n_ended(self) -> int:
        """How many candidates have ended."""
        return sum(one.state != "running" for one in self._candidates.values())

    def _is_one_left(self) -> bool:
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return bool(waiting) or len(self._study.get_trials(deepcopy=False)) < self._search.trials

    def _suggest(self) -> Candidate:
        self._study.sampler = sampler(self._search, len(self._study.get_trials(deepcopy=False)))
        asked = self._study.ask(distributions(self._search))
        self._asked[asked.number] = asked
        return Candidate(
            number=asked.number,
            trial=self._search.config(asked.params).id,
            params=asked.params,
            rungs=self._rungs(asked.number),
        )

    def _is_to_be_pruned(self, one: Candidate, progress: Progress) -> bool:
        asked = self._asked[one.number]
        if (
            progress.validation_loss is None or progress.step in one.losses
        ):  # a worker that died repeats its steps
            return False
        one.losses[progress.step] = progress.validation_loss
        asked.report(progress.validation_loss, progress.step)
        if asked.should_prune():
            one.rungs = self._rungs(one.number)
            return True
        if self._rungs(one.number) != one.rungs:  # it has survived a decision, which counts for later ones
            one.rungs = self._rungs(one.number)
            self._record.write_candidate(one)
        return False

    def _rungs(self, number: int) -> dict[str, float]:
        attributes = self._study.get_trials(deepcopy=False)[number].system_attrs
        return {name: loss for name, loss in attributes.items() if name.startswith("completed_rung_")}

    def _end(self, one: Candidate) -> None:
        self._study.tell(self._asked.pop(one.number), one.loss, STATES[one.state])
        self._record.write_candidate(one)
        self._watcher.ended(one, find_best(list(self._candidates.values())))
        for other in list(self._candidates.values()):
            if other.state == "running" and other.trial == one.trial:
                self._end_like(one, other)

    def _end_like(self, twin: Candidate, one: Candidate) -> None:
        one.state, one.steps, one.losses = twin.state, twin.steps, dict(twin.losses)
        one.loss, one.accuracy, one.reason = twin.loss, twin.accuracy, twin.reason
        for step, loss in one.losses.items():
            self._asked[one.number].report(loss, step)
        self._end(one)
