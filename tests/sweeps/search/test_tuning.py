"""Asking and telling, on losses that are made up: no training."""

import math

import pytest

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sampling.rules import Setting
from camerabias.sweeps.search.tuning import Tuning
from camerabias.trainables.records.search import Choices, Range, Search, SearchRecord
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.spec.trial import TrialConfig
from camerabias.trainables.worker.job import Progress

TRIAL = TrialConfig(
    dataset="d", model="m", weights="none", target="label",
    setting=Setting(name="natural", cells=None, equal_counts=False), train_view="rgb", test_view="rgb",
    test_fold=0, seed=0, size=32, fit="resize", recipe=load_recipe("demo"),
)  # fmt: skip
SEARCH = Search(
    name="s", title="t", trial=TRIAL, trials=20, prune_after=10, confirm_seeds=[],
    space={
        "learning_rate": Range(low=1e-4, high=1e-2, log=True),
        "batch_size": Range(low=8, high=64),
        "schedule": Choices(choices=["constant", "one_cycle"]),
    },
)  # fmt: skip
STEPS = range(10, 100, 10)


class Watcher:
    def __init__(self):
        self.numbers = []

    def ended(self, one, best):
        self.numbers.append(one.number)


@pytest.fixture
def record(tmp_path):
    return SearchRecord(Folder(tmp_path / "search"))


def curve(params, step):
    """A made-up validation loss."""
    return abs(math.log10(params["learning_rate"]) + 3) + params["batch_size"] / 100 + 5 / step


def progress(status, step, loss, reason=""):
    return Progress(status, step, 100, loss, 0.5, 1.0, 1.0, reason)


def run(tuning, reports=math.inf):
    """Run candidates one by one, until there are enough or `reports` reports have been made."""
    while (one := tuning.ask()) is not None:
        for step in STEPS:
            reports -= 1
            if reports < 0:
                return
            if tuning.tell(one.number, progress("running", step, curve(one.params, step))):
                break
        else:
            tuning.tell(one.number, progress("done", 100, curve(one.params, 100)))


def outcomes(record):
    return [one.model_dump() for one in record.candidates()]


def test_as_many_tries_as_asked_for_each_within_the_space(record):
    watcher = Watcher()
    run(Tuning(SEARCH, record, watcher))
    candidates = record.candidates()
    assert [one.number for one in candidates] == watcher.numbers == list(range(20))
    for one in candidates:
        assert 1e-4 <= one.params["learning_rate"] <= 1e-2
        assert one.params["batch_size"] in range(8, 65)
        assert one.params["schedule"] in ("constant", "one_cycle")
        assert one.trial == SEARCH.config(one.params).id
        if one.state == "complete":
            assert one.loss == curve(one.params, 100)


def test_pruned_are_those_that_successive_halving_stops(record):
    """The rule as in the paper (Li et al. 2020): at a rung, the best third of those that have come there goes on."""
    run(Tuning(SEARCH, record, Watcher()))
    rungs = {10: [], 30: [], 90: []}
    for one in record.candidates():
        expected = "complete"
        for step, losses in rungs.items():
            loss = curve(one.params, step)
            losses.append(loss)
            if loss > sorted(losses)[max(len(losses) // 3, 1) - 1]:
                expected = "pruned"
                break
        assert one.state == expected
        assert one.steps == (100 if expected == "complete" else step)
        assert (one.loss is None) == (expected == "pruned")
    assert {one.state for one in record.candidates()} == {"complete", "pruned"}


def test_nothing_is_pruned_unless_asked(record):
    run(Tuning(SEARCH.model_copy(update={"prune_after": None, "trials": 5}), record, Watcher()))
    assert [one.state for one in record.candidates()] == ["complete"] * 5


@pytest.mark.parametrize("reports", [0, 3, 9, 25, 40])
def test_interrupted_anywhere_it_goes_on_as_if_nothing_had_happened(tmp_path, reports):
    whole, cut = (SearchRecord(Folder(tmp_path / name)) for name in ("whole", "cut"))
    run(Tuning(SEARCH, whole, Watcher()))
    run(Tuning(SEARCH, cut, Watcher()), reports)
    assert cut.candidates()[-1].state == "running"
    run(Tuning(SEARCH, cut, Watcher()))
    assert outcomes(cut) == outcomes(whole)


def test_all_tries_that_were_running_are_asked_for_first(record):
    before = Tuning(SEARCH, record, Watcher())
    asked = [before.ask() for _ in range(3)]
    before.tell(1, progress("done", 100, 0.5))
    after = Tuning(SEARCH, record, Watcher())
    again = [after.ask(), after.ask()]
    assert [(one.number, one.params) for one in again] == [(n, asked[n].params) for n in (0, 2)]
    assert after.ask().number == 3


def test_a_decision_that_was_survived_counts_after_an_interruption(record):
    before = Tuning(SEARCH, record, Watcher())
    for loss in (0.5, 0.4):
        one = before.ask()
        before.tell(one.number, progress("running", 10, loss))
    after = Tuning(SEARCH, record, Watcher())
    after.ask()
    after.ask()
    assert not after.tell(
        1, progress("running", 20, 0.9)
    )  # from its checkpoint on: this is no first decision
    third = after.ask()
    assert after.tell(third.number, progress("running", 10, 0.45))


def test_the_same_trial_is_run_once_and_both_tries_have_its_outcome(record):
    space = {"batch_size": Choices(choices=[16, 32])}
    tuning = Tuning(SEARCH.model_copy(update={"space": space, "prune_after": None}), record, Watcher())
    ran = []
    while (one := tuning.ask()) is not None:
        ran.append(one.trial)
        tuning.tell(one.number, progress("done", 100, float(one.params["batch_size"])))
    assert len(ran) == len(set(ran)) == 2
    candidates = record.candidates()
    assert len(candidates) == 20
    assert all(one.loss == one.params["batch_size"] for one in candidates)


def test_a_twin_of_a_running_candidate_ends_with_it(record):
    space = {"batch_size": Choices(choices=[16, 32])}
    tuning = Tuning(SEARCH.model_copy(update={"space": space}), record, Watcher())
    first, second = tuning.ask(), tuning.ask()
    assert first.trial != second.trial
    assert tuning.ask() is None
    tuning.tell(first.number, progress("failed", 5, None, "out of memory"))
    twins = [one for one in record.candidates() if one.trial == first.trial]
    assert len(twins) > 1
    assert {(one.state, one.reason, one.loss) for one in twins} == {("failed", "out of memory", None)}


def test_steps_that_a_new_worker_repeats_are_not_told_twice(record):
    tuning = Tuning(SEARCH, record, Watcher())
    one = tuning.ask()
    for step in (10, 20, 10, 20, 30):
        tuning.tell(one.number, progress("running", step, 1 / step))
    tuning.tell(one.number, progress("done", 100, 0.01))
    assert record.candidates()[0].losses == {10: 0.1, 20: 0.05, 30: 1 / 30}
