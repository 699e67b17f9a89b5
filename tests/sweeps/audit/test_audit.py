"""The order of an audit's experiments, and what stops it."""

import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from camerabias.analysis.design.wording import describe_design
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.audit import audit
from camerabias.sweeps.audit.audit import (
    SUITES,
    Audit,
    look_at_design,
    run_audits,
    say_what_fine_tuning_takes,
)
from camerabias.sweeps.execution.executor import LocalTrialExecutor
from camerabias.sweeps.execution.listener import Listener
from camerabias.sweeps.execution.outcome import SweepOutcome
from camerabias.sweeps.execution.sweep import Request, plan_sweep
from camerabias.sweeps.planning.estimate import Speed
from camerabias.sweeps.printing.console_listener import ConsoleListener
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.recipe import load_recipe


def request_of(dataset, tmp_path, **changes):
    """A request for the small network, without Ray."""
    usual = {"models": ["small_cnn"], "weights": "none", "recipe": "small", "executor": LocalTrialExecutor()}
    return Request(str(dataset.folder), str(tmp_path / "run"), **(usual | changes))


@pytest.fixture
def asked(dataset, tmp_path, monkeypatch):
    """A function that audits without training anything; it returns study and seeds of every sweep."""

    def run(
        suite="default",
        n_left=0,
        told=True,
        tied=True,
        recipe="small",
        seeds=None,
        confirm=None,
        listener=None,
    ):
        sweeps = []

        def pretend(plan, *_):
            sweeps.extend((planned.name, [*planned.seeds]) for planned in plan.studies)
            return SweepOutcome(1, 0, [], [], [], n_left)

        significant, not_significant = (
            SimpleNamespace(p=p, effect=SimpleNamespace(p=p)) for p in (0.001, 0.5)
        )
        found = SimpleNamespace(
            of=lambda test: significant if told else not_significant,
            design=SimpleNamespace(association=significant if tied else not_significant),
        )
        monkeypatch.setattr(audit, "run_plan", pretend)
        monkeypatch.setattr(audit, "load_records", lambda location: None)
        monkeypatch.setattr(audit, "gather", lambda records, design: found)
        request = request_of(dataset, tmp_path, seeds=seeds, recipe=recipe)
        run_audits([Audit(request, SUITES[suite])], listener, confirm)
        return sweeps

    return run


def test_every_experiment_has_its_own_seeds(asked):
    assert asked() == [("audit", [0, 1, 2, 3, 4])]


def test_cues_are_moved_right_after_a_network_s_training(dataset, tmp_path, monkeypatch):
    """Its weights are kept for nothing else; nor where trials are done whose weights were not kept."""
    plans = []

    def pretend(plan, *_):
        plans.append(plan)
        return SweepOutcome(len(plan.trials), 0, [], [], [], 1)

    def associated(*given):
        tied = {"iPhone": dataset.manifest.labels[0]}
        return look_at_design(*given).model_copy(update={"associated_labels": tied})

    monkeypatch.setattr(audit, "run_plan", pretend)
    monkeypatch.setattr(audit, "look_at_design", associated)
    request = request_of(dataset, tmp_path)

    def moved(suite="default", **model):
        run_audits([Audit(replace(request, **model), SUITES[suite])])
        return {cell.target: [p for p in cell.probes if "moved" in p] for cell in plans[-1].studies[0].cells}

    found = moved()
    assert found["camera"] == []
    assert len(found["label"]) == 2
    assert moved("quick")["label"] == []
    assert moved(models=["linear:test_resnet"], recipe="scratch")["label"] == [], (
        "not before an effect is found"
    )
    monkeypatch.setattr(audit.Plan, "without_weights", lambda plan: [*plan.trials.values()])
    assert moved()["label"] == []


def test_given_seeds_are_all_used_for_the_photos_as_they_are_alone(asked):
    assert asked("quick", seeds=[*range(10)]) == [("audit", [*range(10)])]
    assert asked(seeds=[7]) == [("audit", [7])]


@pytest.mark.parametrize("answer", [True, False])
def test_what_takes_long_is_estimated_and_starts_if_it_is_confirmed(asked, monkeypatch, answer):
    monkeypatch.setattr(LocalTrialExecutor, "measure", lambda *_: Speed(1.0, "core", exact=True))
    questions = []

    def confirm(estimate):
        questions.append(estimate)
        return answer

    if answer:
        assert asked(confirm=confirm)
    else:
        with pytest.raises(CamerabiasError, match=r"Nothing was started.*--yes"):
            asked(confirm=confirm)
    (question,) = questions
    assert re.match(r"Training small_cnn will take up to \d+ h \d+ min \(from training steps timed", question)


def test_what_takes_minutes_is_not_asked_about(asked, monkeypatch):
    monkeypatch.setattr(LocalTrialExecutor, "measure", lambda *_: Speed(1e9, "core", exact=True))
    assert asked(confirm=lambda estimate: pytest.fail(estimate))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("none", r"trains small_cnn too, for up to \d+ min .*: `camerabias audit \S+ --run \S+ --fine-tune`"),
        ("imagenet", "small_cnn too, but cannot: "),
    ],
)
def test_fine_tuning_is_offered_with_its_time_or_with_what_stands_against_it(
    dataset, tmp_path, monkeypatch, weights, said
):
    monkeypatch.setattr(LocalTrialExecutor, "measure", lambda *_: Speed(300.0, "core", exact=True))
    monkeypatch.setattr(LocalTrialExecutor, "at_once", 1)
    request = request_of(dataset, tmp_path, weights=weights)
    heard = []
    listener = Listener()
    monkeypatch.setattr(listener, "say", heard.append)
    say_what_fine_tuning_takes(Audit(request, SUITES["quick"]), listener)
    (sentence,) = heard
    assert re.search(said, sentence)
    assert not (tmp_path / "run").exists()


def test_no_cue_is_looked_for_where_cameras_are_not_told_apart(asked):
    studies = [study for study, _ in asked("full", told=False)]
    assert studies == ["audit", "settings", "strengths", "unseen", "mitigations"]


def test_nothing_is_mitigated_where_label_and_camera_do_not_go_together(asked, monkeypatch):
    heard, listener = [], Listener()
    monkeypatch.setattr(listener, "say", heard.append)
    studies = [study for study, _ in asked("full", told=False, tied=False, listener=listener)]
    assert studies == ["audit", "settings", "strengths", "unseen"]
    assert (
        "No mitigation is tried: camera and label are not significantly associated, so there is no bias to remove."
        in heard
    )
    counted = [said.partition(":")[0] for said in heard if said.startswith("Step")]
    assert counted == ["Step 1 of 7", *(f"Step {step} of 4" for step in (2, 3, 4))], (
        "what is left out is not counted"
    )


def test_later_steps_test_the_folds_of_the_first_so_that_what_they_share_is_trained_once(dataset, tmp_path):
    def trials(step):
        request = request_of(dataset, tmp_path, seeds=[*step.seeds], rotation=step.rotation)
        (study,) = plan_sweep([step.study], request).studies
        return {cell.key: cell.trials for cell in study.cells}

    suite = SUITES["full"]
    first = trials(suite.first)
    for step in (*suite.views, *suite.more):
        for key, of_seeds in trials(step).items():
            assert of_seeds.items() <= first.get(key, of_seeds).items(), (step.study, key)
    assert trials(suite.more[-1]).keys() & first.keys()


def test_every_step_says_its_number_and_how_long_all_that_are_left_take(asked, monkeypatch):
    monkeypatch.setattr(LocalTrialExecutor, "measure", lambda *_: Speed(100.0, "core", exact=True))
    heard, listener = [], Listener()
    monkeypatch.setattr(listener, "say", heard.append)
    studies = asked("full", listener=listener)
    steps = [sentence for sentence in heard if sentence.startswith("Step ")]
    assert [re.match(r"Step (\d) of (\d)", step).groups() for step in steps] == [
        (str(n), str(len(studies))) for n in range(1, len(studies) + 1)
    ]
    hours = [int(re.search(r"About (\d+) h", step)[1]) for step in steps if " h " in step]
    assert hours == sorted(hours, reverse=True)
    heard.clear()
    asked("quick", listener=listener)
    assert not any(sentence.startswith("Step ") for sentence in heard), "there is one"


def test_an_interrupted_audit_begins_no_other_experiment(asked):
    assert [study for study, _ in asked("full", n_left=3)] == ["audit"]


def test_what_a_later_experiment_cannot_do_is_said_before_the_first(asked, tmp_path):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"{load_recipe('small').model_copy(update={'reweight': True}).model_dump_json()}\n")
    with pytest.raises(CamerabiasError, match="reweight and resample"):
        asked("full", recipe=str(recipe))
    assert not (tmp_path / "run/facts.parquet").exists()


def test_facts_are_read_once_and_again_where_labels_have_been_corrected(dataset, tmp_path, capsys):
    shutil.copytree(str(dataset.folder), tmp_path / "copy", ignore=shutil.ignore_patterns("facts.parquet"))
    dataset, run = open_dataset(str(tmp_path / "copy")), Run(str(tmp_path / "run"))
    first = look_at_design(dataset, run, LocalExecutor(), ConsoleListener())
    assert "Reading headers" in capsys.readouterr().out
    assert describe_design(
        look_at_design(dataset, run, LocalExecutor(), ConsoleListener())
    ) == describe_design(first)
    assert "Reading headers" not in capsys.readouterr().out
    corrected = dataset.index.assign(label=dataset.index["label"].iloc[::-1].to_numpy())
    look_at_design(
        replace(open_dataset(str(dataset.folder)), index=corrected), run, LocalExecutor(), ConsoleListener()
    )
    assert run.frame("facts.parquet")["label"].tolist() == corrected["label"].tolist()


def test_the_work_itself_prints_nothing(dataset, tmp_path, capsys):
    look_at_design(dataset, Run(str(tmp_path / "run")), LocalExecutor(), Listener())
    assert capsys.readouterr().out == ""
