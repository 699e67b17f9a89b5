"""The figures are listed and told in one way; `test_figures.py` produces them."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.__main__ import figures, main
from benchmarks.common import Rounds, run_command, take_turns

FOLDER = Path(__file__).parents[2] / "benchmarks"


def test_every_figure_is_listed_with_what_it_says(capsys):
    assert main([]) == 0
    told = capsys.readouterr().out
    for name in ("training", "sweep", "growth", "judge"):
        assert f"{name} " in told
    assert all(said.strip() for said in figures().values())
    assert "common" not in figures()


def test_a_figure_gets_the_arguments_that_follow_its_name(monkeypatch):
    given = []
    monkeypatch.setattr(import_module("benchmarks.judge"), "main", given.extend)
    assert main(["judge", "10", "20"]) == 0
    assert given == ["10", "20"]


def test_an_unknown_figure_is_named_beside_those_that_exist(capsys):
    assert main(["jugde"]) == 2
    told = capsys.readouterr().err
    assert "'jugde'" in told
    assert "judge" in told


@pytest.mark.parametrize(("faster", "ratio"), [(True, 0.8), (False, 1.25)])
def test_medians_of_alternating_rounds_are_told_as_json_and_a_sentence(capsys, faster, ratio):
    """Of speeds, ours over theirs is theirs over ours in seconds."""
    order, costs = [], {"ours": iter([9.0, 5.0, 2.0]), "against": iter([4.0, 1.0, 7.0])}

    def side(name):
        def cost():
            order.append(name)
            return next(costs[name])

        return cost

    rounds = take_turns(3, side("ours"), side("against"))
    assert order == ["against", "ours"] * 3
    rounds.tell("made up", "{ours} s against {against} s: {ratio}", faster=faster, trials=2)
    line, sentence = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["figure"], told["ratio"], told["rounds"], told["trials"]) == ("made up", ratio, 3, 2)
    assert (told["ours_spread"], told["against_spread"]) == ([2.0, 9.0], [1.0, 7.0])
    assert sentence == f"5.0 s against 4.0 s: {ratio}"


def test_a_command_costs_processors_and_memory():
    cost = run_command("python", "-c", "sum(range(10**6))")
    assert cost.computing > 0
    assert 0.005 < cost.gib < 1


def test_rounds_of_one_number_are_a_ratio(capsys):
    Rounds([2.0], [2.0]).tell("alike", "{ratio}")
    assert capsys.readouterr().out.splitlines()[1] == "1.0"


def test_cue_naming_hands_its_folders_to_the_step_that_is_named(monkeypatch, tmp_path):
    cue_naming = import_module("benchmarks.cue_naming")
    given = []
    monkeypatch.setattr(cue_naming, "fit", lambda options: given.append(options.bank))
    assert main(["cue_naming", "fit", str(tmp_path)]) == 0
    assert given == [str(tmp_path)]
