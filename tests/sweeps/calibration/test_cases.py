"""Auditing datasets whose truth is known."""

from collections import Counter

import pytest

from camerabias.analysis.calibration.cases import SEEDS, SMALL, Case, Line, read_lines
from camerabias.datasets.cues.names import PLANTED
from camerabias.datasets.schema import N_FOLDS
from camerabias.sweeps.calibration import cases as calibrated
from camerabias.sweeps.calibration.cases import MODELS, cases, model_cases, precision_cases, run_cases


def test_cases_are_as_many_as_the_calibration_needs_and_each_has_its_own_seed():
    kinds = Counter(case.kind for case in cases())
    assert kinds["null"] >= 60
    assert kinds["planted"] >= 60
    assert kinds["unidentifiable"] > 0
    seeds = [case.seed for case in cases()]
    assert len(set(seeds)) == len(seeds)
    assert {name for case in cases() for name in case.planted} == set(PLANTED)


def test_every_model_is_audited_on_a_dozen_of_the_same_datasets():
    alone, dozen = {case.name for case in cases()}, model_cases()
    assert Counter(case.model for case in dozen) == dict.fromkeys(MODELS, 12)
    assert {case.model_copy(update={"model": SMALL}).name for case in dozen} <= alone
    assert {name for case in dozen for name in case.planted} == set(PLANTED)
    assert {case.name for case in dozen} & alone == {case.name for case in dozen if case.model == SMALL}


def test_every_case_is_audited_in_both_precisions_and_once_more_with_other_seeds():
    asked = precision_cases()
    usual = [case for case in asked if case.precision == "float32" and case.seeds == SEEDS]
    assert usual == cases()
    assert Counter(case.trained for case in asked) == dict.fromkeys(
        [SMALL, f"{SMALL} in bfloat16", f"{SMALL} with other seeds"], len(cases())
    )
    assert len({case.name for case in asked}) == len(asked)
    folds = {tuple(seed % N_FOLDS for seed in case.seeds) for case in asked}
    assert folds == {SEEDS}, "all test the same photos"


def test_line_of_a_case_is_added_once(tmp_path, monkeypatch, here_and_now):
    def pretend(case):
        return Line(case=case, verdict="no evidence", evidence={}, kept={}, seconds=1.0, version="0")

    monkeypatch.setattr(calibrated, "audit_case", pretend)
    path, asked = tmp_path / "new" / "lines.jsonl", cases()[:3]
    assert {line.case.name for line in run_cases(asked[:2], path, jobs=1)} == {
        case.name for case in asked[:2]
    }
    (line,) = run_cases(asked, path, jobs=1)
    assert line.case == asked[2]
    assert read_lines(path)[-1] == line
    assert list(run_cases(asked, path, jobs=1)) == [], "what has a line is not run again"


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_case_is_audited_and_its_line_added_once(tmp_path, precision):
    """It alone sees that the audit of a null case, in a process of its own, finds nothing."""
    path, planted = tmp_path / "new" / "lines.jsonl", {"white balance": 1.0}
    case = Case(kind="null", planted=planted, correlation=0.0, seed=1, images=190, precision=precision)
    (line,) = run_cases([case], path, jobs=1)
    assert line.case == case
    assert line.verdict == "cannot tell", "cameras that have nothing to do with the label, and few photos"
    assert line.evidence["shortcut_effect.p"] > 0.01
    assert line.evidence["identification.p"] <= 0.01
    assert line.evidence["counterfactual.p"] is not None
    assert line.kept["rgb"] > 0.5
    assert read_lines(path) == [line]
    assert list(run_cases([case], path, jobs=1)) == [], "what has a line is not run again"


def test_tables_are_printed_without_running_anything(command, tmp_path, monkeypatch):
    monkeypatch.setattr(calibrated, "audit_case", None)
    code, out, _ = command("calibrate", tmp_path / "none.jsonl", "--tables")
    assert code == 0
    assert "| false alarms: `cheating` on null datasets | none |" in out


@pytest.mark.parametrize("part", ["0/2", "3/2", "half"])
def test_impossible_part_is_refused(command, tmp_path, part):
    code, out, err = command("calibrate", tmp_path / "none.jsonl", "--part", part)
    assert code == 2
    assert "write 2/3" in " ".join((out + err).split())
