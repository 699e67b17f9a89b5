"""How a claim is decided: one function per kind of claim, from evidence to a result.

`DECIDERS` needs accuracies alone, and decides for the paper's printed numbers as for a run; `RECORDED_DECIDERS` needs
records. To add one, write a function and register it; `paper/claims.yaml` names it. Every threshold stands here, with
its reason. A check over several models holds if it does for each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from camerabias.analysis.paper.accuracy_checks import (
    above_chance,
    at_chance,
    close,
    differs,
    downsampled_differ,
    given_cameras_label,
    high,
    ignores_cameras,
    learned_first,
    mixed,
    same_everywhere,
    same_for_all_cameras,
)
from camerabias.analysis.paper.evidence import Evidence, NotTestedError, Recorded
from camerabias.analysis.paper.outcome import Check, ClaimResult
from camerabias.analysis.paper.probe_checks import (
    energy_on,
    energy_shifts,
    flat_crops_right,
    more_alike,
    most_crops_right,
)


def run_check(check: Check, evidence: Evidence[Any]) -> ClaimResult:
    """Decide one check; what the evidence does not bear on is not tested, with the reason."""
    try:
        result = _decide(check, evidence)
    except NotTestedError as error:
        return ClaimResult("not tested", str(error))
    unfinished = evidence.unfinished(check.cell)
    numbers = "; ".join([result.numbers, *(f"{model} not finished" for model in unfinished)])
    # what has finished can contradict a claim about all, but not bear it out
    outcome = "cannot tell" if unfinished and result.outcome == "holds" else result.outcome
    return ClaimResult(outcome, numbers)


def _decide(check: Check, evidence: Evidence[Any]) -> ClaimResult:
    if check.decider in DECIDERS:
        return DECIDERS[check.decider](evidence, check)
    if not isinstance(evidence, Recorded):
        raise NotTestedError("the paper prints no numbers that decide it")
    return RECORDED_DECIDERS[check.decider](evidence, check)


DECIDERS: dict[str, Callable[[Evidence[Any], Check], ClaimResult]] = {
    "above_chance": above_chance,
    "high": high,
    "at_chance": at_chance,
    "differs": differs,
    "close": close,
    "downsampled_differ": downsampled_differ,
}

RECORDED_DECIDERS: dict[str, Callable[[Recorded, Check], ClaimResult]] = {
    "learned_first": learned_first,
    "given_cameras_label": given_cameras_label,
    "mixed": mixed,
    "same_for_all_cameras": same_for_all_cameras,
    "ignores_cameras": ignores_cameras,
    "same_everywhere": same_everywhere,
    "most_crops_right": most_crops_right,
    "flat_crops_right": flat_crops_right,
    "energy_on": energy_on,
    "energy_shifts": energy_shifts,
    "more_alike": more_alike,
}
