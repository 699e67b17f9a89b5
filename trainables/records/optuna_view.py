"""A search as Optuna has it: its space, what draws and what stops candidates, and a study of those that there are."""

from __future__ import annotations

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from camerabias.trainables.records.search import Candidate, Choices, Parameter, Search, TryState

PRUNE_FACTOR = 3
"""One candidate in so many is kept at each decision; decisions are so many times as far apart (Li et al. 2020)."""

STATES: dict[TryState, TrialState] = {
    "running": TrialState.WAITING,  # to be asked for again
    "complete": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}
"""What Optuna calls the states, when a candidate is reported or when candidates are replayed."""


def distributions(search: Search) -> dict[str, BaseDistribution]:
    """The space of a search."""
    return {name: _distribution(parameter) for name, parameter in search.space.items()}


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Choices):
        return CategoricalDistribution(parameter.choices)
    if isinstance(parameter.low, int) and isinstance(parameter.high, int):
        return IntDistribution(parameter.low, parameter.high, parameter.log)
    return FloatDistribution(parameter.low, parameter.high, parameter.log)


def sampler(search: Search, number: int) -> optuna.samplers.BaseSampler:
    """What draws a candidate's parameters: a tree-structured Parzen estimator (Bergstra et al. 2011).

    Its seed comes from the number, so that a search that was interrupted draws what it would have drawn.
    """
    seed = int(np.random.SeedSequence([search.trial.seed, number]).generate_state(1)[0])
    return optuna.samplers.TPESampler(multivariate=True, seed=seed)


def pruner(search: Search) -> optuna.pruners.BasePruner:
    """What stops candidates: asynchronous successive halving (Li et al. 2020), or nothing."""
    if search.prune_after is None:
        return optuna.pruners.NopPruner()
    return optuna.pruners.SuccessiveHalvingPruner(search.prune_after, PRUNE_FACTOR)


def replay(search: Search, candidates: list[Candidate]) -> optuna.Study:
    """Optuna's study of a search, as if it had asked for these candidates and heard of them.

    Candidates that were running wait in it with their parameters, and are what it asks for first.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of every trial, as the display does
    study = optuna.create_study(pruner=pruner(search))
    for one in candidates:
        study.add_trial(_as_optuna(search, one))
    return study


def _as_optuna(search: Search, one: Candidate) -> FrozenTrial:
    if one.state == "running":  # as `Study.enqueue_trial` makes it, with the decisions that were survived
        return optuna.trial.create_trial(
            state=TrialState.WAITING, system_attrs={"fixed_params": one.params, **one.rungs}
        )
    return optuna.trial.create_trial(
        state=STATES[one.state],
        value=one.loss,
        params=one.params,
        distributions=distributions(search),
        intermediate_values=one.losses,
        system_attrs=one.rungs,
    )
