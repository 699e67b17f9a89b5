"""A search as data: what its space means to Optuna, what replaying gives back, and its files."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.optuna_view import distributions, pruner, replay, sampler
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.search import (
    Candidate,
    Choices,
    Confirmation,
    Range,
    Search,
    SearchRecord,
    find_best,
    search_record,
    search_records,
)
from camerabias.trainables.spec.recipe import load_recipe
from camerabias.trainables.spec.trial import TrialConfig

TRIAL = TrialConfig(
    dataset="d", model="m", weights="none", target="label",
    setting=Setting(name="natural", cells=None, equal_counts=False), train_view="rgb", test_view="rgb",
    test_fold=0, seed=0, size=32, fit="resize", recipe=load_recipe("demo"),
)  # fmt: skip
SEARCH = Search(
    name="s", title="t", trial=TRIAL, trials=20, prune_after=10, confirm_seeds=[3, 4],
    space={
        "learning_rate": Range(low=1e-4, high=1e-2, log=True),
        "weight_decay": Range(low=0.0, high=1.0),
        "batch_size": Range(low=8, high=64),
        "patience_steps": Choices(choices=[None, 100]),
    },
)  # fmt: skip


@pytest.fixture
def record(tmp_path):
    return search_record(Run(tmp_path / "run"), "s")


def test_space_as_optuna_has_it():
    assert distributions(SEARCH) == {
        "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
        "weight_decay": FloatDistribution(0, 1),
        "batch_size": IntDistribution(8, 64),
        "patience_steps": CategoricalDistribution([None, 100]),
    }


def test_parameters_change_the_recipe_and_nothing_else():
    config = SEARCH.config({"learning_rate": 1e-3, "batch_size": 64})
    recipe = load_recipe({"base": "demo", "learning_rate": 1e-3, "batch_size": 64})
    assert config.recipe == recipe
    assert config == TRIAL.model_copy(update={"recipe": recipe})


def test_trials_on_other_seeds_differ_in_seed_alone():
    best = Candidate(number=0, trial="x", params={"learning_rate": 1e-3})
    trials = SEARCH.confirming(best)
    assert list(trials) == [("base", 3), ("base", 4), ("found", 3), ("found", 4)]
    assert trials["base", 3] == TRIAL.model_copy(update={"seed": 3})
    assert trials["found", 4] == SEARCH.config(best.params).model_copy(update={"seed": 4})


def test_replayed_study_is_the_one_that_was_run():
    """Against a study that Optuna itself has run: the same trials, and the same next suggestion."""
    ran = optuna.create_study(pruner=pruner(SEARCH))
    candidates = []
    for number in range(15):
        ran.sampler = sampler(SEARCH, number)
        trial = ran.ask(distributions(SEARCH))
        one = Candidate(number=number, trial=str(number), params=trial.params, state="complete")
        for step in (10, 20, 30):
            one.losses[step] = trial.params["weight_decay"] + 1 / step
            trial.report(one.losses[step], step)
            if trial.should_prune():
                one.state = "pruned"
                ran.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            one.loss = trial.params["weight_decay"]
            ran.tell(trial, one.loss)
        one.rungs = {name: value for name, value in ran.trials[-1].system_attrs.items() if "rung" in name}
        candidates.append(one)
    assert {one.state for one in candidates} == {"complete", "pruned"}
    again = replay(SEARCH, candidates)
    for ours, theirs in zip(again.trials, ran.trials, strict=True):
        for name in ("number", "state", "params", "intermediate_values"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert ours.system_attrs.items() <= theirs.system_attrs.items()
    suggestions = []
    for study in (ran, again):
        study.sampler = sampler(SEARCH, 15)
        suggestions.append(study.ask(distributions(SEARCH)).params)
    assert suggestions[0] == suggestions[1]


def test_best_is_the_complete_candidate_of_the_lowest_loss():
    def make(number, state, loss):
        return Candidate(number=number, trial=str(number), params={}, state=state, loss=loss, losses={1: 0.1})

    candidates = [
        make(0, "complete", 0.5),
        make(1, "pruned", None),
        make(2, "complete", 0.3),
        make(3, "complete", 0.3),
    ]
    assert find_best(candidates).number == 2
    assert find_best([make(0, "pruned", None), make(1, "failed", None)]) is None


def test_files_give_back_what_was_written(record):
    record.write_search(SEARCH)
    candidates = [
        Candidate(
            number=0, trial="a", params={"learning_rate": 1e-5, "patience_steps": None}, losses={10: 0.5}
        ),
        Candidate(number=1, trial="b", params={"batch_size": 8}, state="complete", loss=0.1, accuracy=0.9),
    ]
    for one in reversed(candidates):
        record.write_candidate(one)
    outcomes = {
        "x": Confirmation(loss=0.1, accuracy=0.9, reason=""),
        "y": Confirmation(loss=None, accuracy=None, reason="bang"),
    }
    record.write_confirmed(outcomes)
    (found,) = search_records(Run(record.folder.child("..", "..")))
    assert found.search() == SEARCH
    assert found.candidates() == candidates
    assert found.confirmed() == outcomes


def test_recipe_is_read_back_with_where_it_comes_from(record):
    record.write_recipe(SEARCH.recipe({"learning_rate": 1e-5}), "Found somewhere.")
    assert load_recipe(record.recipe_file) == load_recipe({"base": "demo", "learning_rate": 1e-5})
    assert record.folder.read_bytes("recipe.yaml").startswith(b"# Found somewhere.\n")


def test_a_run_without_searches_has_none(tmp_path):
    assert search_records(Run(tmp_path)) == []


def test_missing_and_damaged_files_are_named(tmp_path):
    record = SearchRecord(Folder(tmp_path))
    with pytest.raises(CamerabiasError, match=r"search\.yaml cannot be read"):
        record.search()
    for number in (0, 2):
        record.write_candidate(Candidate(number=number, trial="a", params={}))
    with pytest.raises(CamerabiasError, match="missing between others"):
        record.candidates()
    (tmp_path / "tries/0001.json").write_text("{}")
    with pytest.raises(CamerabiasError, match=r"0001\.json is damaged"):
        record.candidates()
