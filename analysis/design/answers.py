"""Which questions the photos can answer, and what to take where they cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd

from camerabias.analysis.design.design import (
    Answer,
    Cell,
    Effect,
    NeededPhotos,
    Question,
    count_folds,
    count_groups,
)
from camerabias.analysis.design.names import name_some
from camerabias.analysis.design.power import SOUGHT_DIFFERENCE, photos_needed, to_compare
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.number_format import show_with_points
from camerabias.analysis.statistics.permutation import POWER
from camerabias.datasets.schema import N_FOLDS, NO_EXIF_CAMERA, quoted

QUESTIONS: dict[Question, str] = {
    "recognise": "Can cameras be identified within a label?",
    "use": "Does the classifier use the camera?",
    "unseen": "Does it work on unseen cameras?",
}

ONE_FOLD = 0.9
"""Share of photos in one fold above which nothing is answered: hardly any are left for all else."""

MAX_CELLS = 8
"""Cells that a sentence asks photos of."""

SECOND = "a second camera"
"""Stands for the camera that a dataset of a single one lacks."""


def answer_questions(
    facts: pd.DataFrame, tested: pd.DataFrame, associated: Mapping[str, str], most: Effect
) -> dict[Question, Answer]:
    """What can be answered, by question, and the photos to take where it cannot."""
    if why := _no_camera(facts) or _one_fold(facts):
        return {
            name: Answer(question=question, answerable=False, why=why) for name, question in QUESTIONS.items()
        }
    everything, noun = count_groups(facts), _noun(facts)
    groups = count_groups(tested).reindex(index=everything.index, columns=everything.columns, fill_value=0)
    seeds = ",".join(map(str, range(N_FOLDS)))
    split = facts["split"].notna().any()
    counted = f"test {noun}" if split else noun
    where = " to the test photos of your split" if split else f", and test all folds (`--seeds {seeds}`)"
    take = _take(_to_contradict(groups, associated), noun, where)
    return {
        "recognise": _recognise(groups, noun, counted, where),
        "use": _use(groups, associated, most, tested["group"].nunique(), counted, take),
        "unseen": _unseen(groups, counted, take),
    }


def answer_of_rows(tested: pd.DataFrame, associated: Mapping[str, str], most: Effect) -> Answer:
    """Whether predictions of these photos can tell if the classifier uses the camera; more photos are judged too."""
    groups, noun = count_groups(tested), _noun(tested)
    take = _take(_to_contradict(groups, associated), noun, " to those that are judged")
    return _use(groups, associated, most, tested["group"].nunique(), noun, take)


def _no_camera(facts: pd.DataFrame) -> str:
    """Why nothing is answered where no photo names its camera: more photos without EXIF would tell nothing."""
    if {*facts["camera"]} != {NO_EXIF_CAMERA}:
        return ""
    return "No photo names its camera, so there are none to compare."


def _one_fold(facts: pd.DataFrame) -> str:
    """Why nothing is answered where one fold holds nearly everything; nothing where none does."""
    folds = count_folds(facts)
    if not folds or max(folds) <= ONE_FOLD * len(facts):
        return ""
    largest = facts["group"].value_counts()
    what = (
        f"the group {quoted(largest.index[0])} alone has {largest.iloc[0]}"
        if largest.iloc[0] > ONE_FOLD * len(facts)
        else "groups that share a picture stay together"
    )
    return (
        f"{max(folds)} of {len(facts)} photos lie in one fold, since a group is never divided and {what}: trials "
        "have nothing left to train, validate or test on. Name a finer --group, or remove the pictures that groups "
        "share."
    )


def _recognise(groups: pd.DataFrame, noun: str, counted: str, where: str) -> Answer:
    question = QUESTIONS["recognise"]
    enough = (groups >= N_FOLDS).sum(axis=1)
    able = [str(label) for label in groups.index[enough > 1]]
    if able:
        why = f"Enough photos to test: {N_FOLDS} {counted} or more by each of two cameras of {_named(able)}."
        return Answer(question=question, answerable=True, why=why)
    label = str(groups.sum(axis=1).idxmax())
    # of equally many photos of the label, the camera that took more of others
    order = (groups.loc[label] + groups.sum() / (1 + groups.to_numpy().sum())).sort_values(ascending=False)
    cameras = [*map(str, order.index), SECOND][:2]
    needed = to_compare(groups, label, *cameras)
    return Answer(
        question=question,
        answerable=False,
        why=f"No label has {N_FOLDS} {counted} or more by each of two cameras, and between labels "
        "a model may use what photos show.",
        **_take(needed, noun, where),
    )


def _use(
    groups: pd.DataFrame,
    associated: Mapping[str, str],
    most: Effect,
    n_groups: int,
    noun: str,
    take: Mapping[str, Any],
) -> Answer:
    question = QUESTIONS["use"]

    def no(why: str) -> Answer:
        return Answer(question=question, answerable=False, why=why, **take)

    if len(groups) < 2:
        return no("All photos have one label: there is nothing to classify.")
    if len(groups.columns) < 2:
        return no("All photos come from one camera: its effect takes a second one to compare with.")
    if n_groups < MIN_GROUPS:
        return no(f"There are only {n_groups} {noun}, where {MIN_GROUPS} are needed.")
    if not associated:
        why = (
            "Every camera has the labels in the same proportions, so that a classifier gains nothing from it here. "
            "Keep it so as photos are added."
        )
        return Answer(question=question, answerable=True, why=why)
    if not most.groups:
        return no(
            "No photo is bias-conflicting: every camera with an associated label took that label alone. A model that "
            "uses the camera then predicts the same as one that uses what photos show."
        )
    if isnan(most.risk_difference):
        return no(f"Too few photos to test: {most.groups} bias-conflicting {noun}.")
    why = (
        f"Enough photos to test: {most.groups} bias-conflicting {noun}, whose label is not their camera's associated "
        "one."
    )
    return Answer(question=question, answerable=True, why=why)


def _unseen(groups: pd.DataFrame, noun: str, take: Mapping[str, Any]) -> Answer:
    question = QUESTIONS["unseen"]
    others = groups.sum(axis=1).to_numpy()[:, None] - groups
    able = ((groups >= N_FOLDS) & (others >= N_FOLDS)).sum(axis=0)
    cameras = [str(camera) for camera in groups.columns[able > 1]]
    if cameras:
        why = (
            f"Enough photos to test: {N_FOLDS} {noun} or more of each of two labels by {_named(cameras)}, and as "
            "many by other cameras."
        )
        return Answer(question=question, answerable=True, why=why)
    return Answer(
        question=question,
        answerable=False,
        why=f"No camera has {N_FOLDS} {noun} or more of each of two labels that other cameras have as often.",
        **take,
    )


def _to_contradict(groups: pd.DataFrame, associated: Mapping[str, str]) -> dict[Cell, int]:
    """Bias-conflicting photos to take by every camera: of the next label that some camera is associated with."""
    labels = [str(label) for label in groups.index]
    if len(labels) < 2 or (not associated and len(groups.columns) > 1):
        return {}
    if len(groups.columns) < 2:
        only = str(groups.columns[0])
        cells = [(label, camera) for camera in (only, SECOND) for label in labels]
        return photos_needed(groups, cells, {only: labels[0], SECOND: labels[1]})
    names = sorted(set(associated.values()))
    following = dict(zip(names, [*names[1:], *names[:1]], strict=True))
    cells = [(following[label], camera) for camera, label in associated.items()]
    cells += [(label, camera) for camera, label in associated.items()]  # to compare them with
    return photos_needed(groups, cells, associated)


def _take(needed: Mapping[Cell, int], noun: str, where: str) -> dict[str, Any]:
    """Fields of an answer that say which photos to take; of many cells the sentence names the first."""
    if not needed:
        return {}
    cells = [f"{n} of {quoted(label)} with {_camera(camera)}" for (label, camera), n in needed.items()]
    more = [f"{sum([*needed.values()][MAX_CELLS:])} of {len(cells) - MAX_CELLS} more cells"] * (
        len(cells) > MAX_CELLS
    )
    sought = show_with_points(SOUGHT_DIFFERENCE)
    return {
        "photos": f"To detect an effect of {sought} (power {POWER}), add {noun}{where}. Needed are "
        f"{', '.join([*cells[:MAX_CELLS], *more])}.",
        "needed": tuple(
            NeededPhotos(label=label, camera=camera, n=n) for (label, camera), n in needed.items()
        ),
    }


def _noun(facts: pd.DataFrame) -> str:
    return "photos" if facts["group"].nunique() == len(facts) else "groups"


def _camera(name: str) -> str:
    return name if name == SECOND else quoted(name)


def _named(names: Sequence[str]) -> str:
    return name_some([quoted(name) for name in names])
