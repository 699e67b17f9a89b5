"""What photos can tell before anything is trained, what they cannot, and which ones would settle it.

Everything is computed from facts about the files (`datasets.facts`), a row per image. A cell is a label and a camera.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import count
from math import isnan, nan, sqrt
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.special import ndtri

from camerabias.analysis.association import Association, associate, implied_labels
from camerabias.analysis.duplicates import Duplicates, near_duplicates
from camerabias.analysis.permutation import LEVEL
from camerabias.analysis.shortcuts import Guess, guess_without_pixels
from camerabias.analysis.signature import POWER
from camerabias.analysis.statistics import MIN_GROUPS
from camerabias.analysis.tables import show_estimate
from camerabias.datasets.schema import N_FOLDS

SOUGHT_GAP = 0.25
"""What photos are asked for to show: a model that gives one photo in four its camera's label because of the camera. A
smaller use would be worth knowing, but half of it takes four times as many photos."""

RESIZE_RATIO = 1.1
"""How far cameras' median resize factors may differ unmentioned: photos cut by hand differ by more."""

MAX_NAMED = 3
"""Cells, labels or cameras that a sentence names."""

Question = Literal["recognise", "use", "unseen"]
Cell = tuple[str, str]
"""(label, camera)."""


class CellCount(BaseModel):
    """Photos, and groups of photos, of one label by one camera."""

    model_config = ConfigDict(frozen=True)

    label: str
    camera: str
    photos: int
    groups: int


class Resize(BaseModel):
    """By which factors photos of a camera are scaled to the dataset's size: the smallest, the median, the largest."""

    model_config = ConfigDict(frozen=True)

    camera: str
    low: float
    median: float
    high: float


class Effect(BaseModel):
    """The smallest cheat gap that would be seen, see `smallest_effect`.

    Attributes:
        tested: What is tested, in words.
        groups: Groups in it whose camera implies another label than theirs.
        gap: The gap; NaN where none would be seen.
    """

    model_config = ConfigDict(frozen=True)

    tested: str
    groups: int
    gap: float


class Answer(BaseModel):
    """Whether the photos can answer a question.

    Attributes:
        question: The question.
        answerable: Whether they can.
        why: The reason in a sentence.
        photos: Which photos to take, in which number, to settle it; empty where none are needed.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    answerable: bool
    why: str
    photos: str = ""


class Design(BaseModel):
    """What the photos can tell.

    Attributes:
        cells: Every label × camera cell, empty ones too.
        n_photos: Photos in all.
        n_groups: Groups in all, which fold or split keep whole; as many as photos where none were given.
        implied: Label by camera, of the cameras that imply one.
        association: How label and camera hang together.
        guesses: What can be guessed without a pixel.
        resizes: How much photos are scaled, by camera.
        duplicates: Nearly equal photos of different groups.
        crossing_groups: Groups on more than one side of the user's split.
        crossing_photos: Test photos whose group is on another side as well.
        effects: The smallest effects, in the end of everything that can be tested.
        answers: What the photos can answer.
    """

    model_config = ConfigDict(frozen=True)

    cells: tuple[CellCount, ...]
    n_photos: int
    n_groups: int
    implied: dict[str, str]
    association: Association
    guesses: tuple[Guess, ...]
    resizes: tuple[Resize, ...]
    duplicates: Duplicates
    crossing_groups: int
    crossing_photos: int
    effects: tuple[Effect, ...]
    answers: dict[Question, Answer]

    @cached_property
    def photos(self) -> pd.DataFrame:
        """Numbers of photos, labels × cameras."""
        return self._table("photos")

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Numbers of groups, labels × cameras."""
        return self._table("groups")

    def _table(self, what: Literal["photos", "groups"]) -> pd.DataFrame:
        cells = pd.DataFrame([cell.model_dump() for cell in self.cells])
        return cells.pivot(index="label", columns="camera", values=what)

    @property
    def smallest_effect(self) -> float:
        """The smallest cheat gap that all test photos together would show; NaN where they show none."""
        return self.effects[-1].gap

    @property
    def noun(self) -> str:
        """What is counted as independent."""
        return "groups" if self.n_groups < self.n_photos else "photos"

    @property
    def empty_cells(self) -> list[Cell]:
        """Cells without a photo."""
        return [(cell.label, cell.camera) for cell in self.cells if not cell.photos]

    @property
    def thin_cells(self) -> list[Cell]:
        """Cells with fewer groups than there are folds: some fold tests none of them."""
        return [(cell.label, cell.camera) for cell in self.cells if 0 < cell.groups < N_FOLDS]

    @property
    def sentences(self) -> list[str]:
        """Everything of note in plain sentences, the most serious first."""
        return list(_sentences(self))


def check_design(facts: pd.DataFrame) -> Design:
    """Look at a dataset before anything is trained.

    Args:
        facts: As `datasets.facts.gather_facts` gives them; nothing else is read.
    """
    photos = pd.crosstab(facts["label"], facts["camera"])
    groups = _groups(facts)
    training = facts[facts["split"] != "test"]  # all of them, in turn, where folds rotate
    implied = implied_labels(pd.crosstab(training["label"], training["camera"]))
    tested = _tested(facts)
    effects = tuple(_effect(name, rows, implied) for name, rows in tested.items())
    crossing = facts.groupby("group")["split"].transform("nunique") > 1
    factors = facts.groupby("camera")["factor"].agg(["min", "median", "max"])
    return Design(
        cells=tuple(
            CellCount(
                label=label, camera=camera, photos=photos.loc[label, camera], groups=groups.loc[label, camera]
            )
            for label in photos.index
            for camera in photos.columns
        ),
        n_photos=len(facts),
        n_groups=facts["group"].nunique(),
        implied=implied,
        association=associate(training),
        guesses=tuple(guess_without_pixels(facts)),
        resizes=tuple(
            Resize(camera=str(camera), low=low, median=median, high=high)
            for camera, low, median, high in factors.itertuples()
        ),
        duplicates=near_duplicates(facts),
        crossing_groups=facts.loc[crossing, "group"].nunique(),
        crossing_photos=int((crossing & (facts["split"] == "test")).sum()),
        effects=effects,
        answers=_answers(facts, [*tested.values()][-1], implied, effects[-1]),
    )


def _groups(facts: pd.DataFrame) -> pd.DataFrame:
    """Numbers of groups, labels × cameras."""
    distinct = facts.drop_duplicates(["group", "label", "camera"])
    return pd.crosstab(distinct["label"], distinct["camera"])


def _tested(facts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What could be tested, in words: the user's test photos of cameras that train, or those of ever more folds."""
    if facts["split"].notna().any():
        trained = facts["camera"].isin(facts.loc[facts["split"] != "test", "camera"])
        return {"the test photos of your split": facts[(facts["split"] == "test") & trained]}
    folds = {f"{n} test fold{'s' if n > 1 else ''}": facts[facts["fold"] < n] for n in (1, 3, 5)}
    return {**folds, f"all {N_FOLDS} folds": facts}


# --- effects ----------------------------------------------------------------------------------------------


def smallest_effect(groups: pd.DataFrame, implied: Mapping[str, str]) -> float:
    """The smallest cheat gap that a test shows at level 0.01 with a power of 80 %.

    The gap (`signature.Signature.gap`) is a Mantel–Haenszel difference over labels. Of the n groups of a label let a
    share q_m have a camera that implies label m. If predictions take no notice of the camera, the gap has a standard
    error of at most

        √(Σ n max_m q_m (1 − q_m)) / Σ n Σ_m q_m (1 − q_m)        (outer sums over labels)

    whatever is predicted, and just that where two labels are implied and both predicted as often. The smallest gap is
    z(0.99) + z(0.80) = 3.17 times as much. A good classifier predicts less evenly, so that smaller gaps show. A group
    that several cameras took counts once per camera.

    Args:
        groups: Numbers of tested groups, labels × cameras.
        implied: Label by camera, of the cameras that imply one.

    Returns:
        The gap; NaN where it is above 1, so that not even a model that always follows the camera would be caught.
    """
    names = sorted(set(implied.values()))
    n = groups.sum(axis=1).to_numpy(float)
    ties = [[implied.get(str(camera)) == name for name in names] for camera in groups.columns]
    shares = groups.to_numpy(float) @ np.array(ties, dtype=float) / np.maximum(n, 1)[:, None]
    spread = shares * (1 - shares)  # labels × implied labels
    weight = float((n @ spread).sum())
    if weight == 0:
        return nan
    gap = (ndtri(1 - LEVEL) + ndtri(POWER)) * sqrt(n @ spread.max(axis=1)) / weight
    return float(gap) if gap <= 1 else nan


def _effect(name: str, tested: pd.DataFrame, implied: Mapping[str, str]) -> Effect:
    expected = tested["camera"].map(dict(implied))
    disagree = tested[expected.notna() & (expected != tested["label"])]
    n = disagree["group"].nunique()
    return Effect(
        tested=name, groups=n, gap=smallest_effect(_groups(tested), implied) if n >= MIN_GROUPS else nan
    )


def photos_needed(groups: pd.DataFrame, cells: Sequence[Cell], implied: Mapping[str, str]) -> dict[Cell, int]:
    """How many groups of photos of some cells to take, until a gap of `SOUGHT_GAP` would be seen.

    Args:
        groups: Numbers of groups at hand, labels × cameras.
        cells: The cells to fill, all of them up to the same number, of `N_FOLDS` at least; some label has two cameras
            in them that imply two labels.
        implied: Label by camera.

    Returns:
        Groups to take by cell, where any are needed.
    """
    counts: dict[Any, int] = groups.stack().to_dict()
    there = {cell: counts.get(cell, 0) for cell in cells}

    def shows(number: int) -> bool:
        filled = counts | {cell: max(n, number) for cell, n in there.items()}
        return smallest_effect(pd.Series(filled).unstack(fill_value=0), implied) <= SOUGHT_GAP

    number = next(number for number in count(N_FOLDS) if shows(number))
    return {cell: number - n for cell, n in there.items() if n < number}


# --- answers ----------------------------------------------------------------------------------------------

SECOND = "a second camera"
"""Stands for the camera that a dataset of a single one lacks."""


def _answers(
    facts: pd.DataFrame, tested: pd.DataFrame, implied: Mapping[str, str], most: Effect
) -> dict[Question, Answer]:
    everything, noun = _groups(facts), _noun(facts)
    groups = _groups(tested).reindex(index=everything.index, columns=everything.columns, fill_value=0)
    seeds = ",".join(map(str, range(N_FOLDS)))
    split = facts["split"].notna().any()
    where = " to the test photos of your split" if split else f", and test all folds (`--seeds {seeds}`)"
    take = _take(_to_contradict(groups, implied), noun, where)
    return {
        "recognise": _recognise(groups, noun, where),
        "use": _use(groups, implied, most, tested["group"].nunique(), noun, take),
        "unseen": _unseen(groups, noun, take),
    }


def _recognise(groups: pd.DataFrame, noun: str, where: str) -> Answer:
    question = "Can cameras be told apart within a label?"
    enough = (groups >= N_FOLDS).sum(axis=1)
    able = [str(label) for label in groups.index[enough > 1]]
    if able:
        why = f"There are {N_FOLDS} {noun} or more by two cameras of {_named(able)}."
        return Answer(question=question, answerable=True, why=why)
    label = str(groups.sum(axis=1).idxmax())
    # of equally many photos of the label, the camera that took more of others
    order = (groups.loc[label] + groups.sum() / (1 + groups.to_numpy().sum())).sort_values(ascending=False)
    cameras = [*map(str, order.index), SECOND][:2]
    needed = _to_compare(groups, label, *cameras)
    return Answer(
        question=question,
        answerable=False,
        why=f"No label has {N_FOLDS} {noun} or more by each of two cameras, and between labels "
        "a model may go by what photos show.",
        photos=_take(needed, noun, where),
    )


def _use(
    groups: pd.DataFrame, implied: Mapping[str, str], most: Effect, n_groups: int, noun: str, take: str
) -> Answer:
    question = "Does the classifier use the camera?"

    def no(why: str) -> Answer:
        return Answer(question=question, answerable=False, why=why, photos=take)

    if len(groups) < 2:
        return no("All photos have one label, so that there is nothing to classify.")
    if len(groups.columns) < 2:
        return no(
            "All photos come from one camera, so that what a classifier uses cannot be told from the camera."
        )
    if n_groups < MIN_GROUPS:
        return no(f"There are only {n_groups} {noun} to test, where {MIN_GROUPS} are needed.")
    if not implied:
        why = (
            "Every camera has the labels in the same proportions: using the camera gains nothing here, and what a "
            "classifier would do if it gained something is shown by training on the setting 'disjoint'."
        )
        return Answer(question=question, answerable=True, why=why)
    if not most.groups:
        return no(
            "No photo contradicts its camera: every camera that implies a label took that label alone. A model that "
            "recognises cameras names the same labels there as one that recognises what photos show."
        )
    if isnan(most.gap):
        return no(
            f"Only {most.groups} {noun} have a camera that implies another label than theirs, too few to tell a "
            "model that recognises cameras from one that recognises what photos show."
        )
    why = f"{most.groups} {noun} have a camera that implies another label than theirs."
    return Answer(question=question, answerable=True, why=why)


def _unseen(groups: pd.DataFrame, noun: str, take: str) -> Answer:
    question = "Does it work on unseen cameras?"
    others = groups.sum(axis=1).to_numpy()[:, None] - groups
    able = ((groups >= N_FOLDS) & (others >= N_FOLDS)).sum(axis=0)
    cameras = [str(camera) for camera in groups.columns[able > 1]]
    if cameras:
        why = f"{_named(cameras)} took {N_FOLDS} {noun} or more of two labels each, which other cameras took, too."
        return Answer(question=question, answerable=True, why=why)
    return Answer(
        question=question,
        answerable=False,
        why=f"No camera took {N_FOLDS} {noun} or more of each of two labels which other cameras took as often.",
        photos=take,
    )


def _to_compare(groups: pd.DataFrame, label: str, first: str, second: str) -> dict[Cell, int]:
    """What to take so that two cameras can be compared within a label."""
    return photos_needed(
        groups.loc[[label]], [(label, first), (label, second)], {first: first, second: second}
    )


def _to_contradict(groups: pd.DataFrame, implied: Mapping[str, str]) -> dict[Cell, int]:
    """What to take so that photos contradict every camera: of each, the next label that some camera implies."""
    labels = [str(label) for label in groups.index]
    if len(labels) < 2 or (not implied and len(groups.columns) > 1):
        return {}
    if len(groups.columns) < 2:
        only = str(groups.columns[0])
        cells = [(label, camera) for camera in (only, SECOND) for label in labels]
        return photos_needed(groups, cells, {only: labels[0], SECOND: labels[1]})
    names = sorted(set(implied.values()))
    following = dict(zip(names, [*names[1:], *names[:1]], strict=True))
    cells = [(following[label], camera) for camera, label in implied.items()]
    cells += [(label, camera) for camera, label in implied.items()]  # to compare them with
    return photos_needed(groups, cells, implied)


def _take(needed: Mapping[Cell, int], noun: str, where: str) -> str:
    if not needed:
        return ""
    cells = ", ".join(f"{n} of {label!r} with {_camera(camera)}" for (label, camera), n in needed.items())
    return f"For an effect on one photo of four to show, add these {noun}{where}: {cells}."


def _noun(facts: pd.DataFrame) -> str:
    return "photos" if facts["group"].nunique() == len(facts) else "groups"


def _camera(name: str) -> str:
    return name if name == SECOND else repr(name)


# --- in words -------------------------------------------------------------------------------------------


def _sentences(design: Design) -> Iterator[str]:
    for answer in design.answers.values():
        if not answer.answerable:
            yield f"{answer.question} These photos cannot tell. {answer.why} {answer.photos}".strip()
    yield from _one_sided(design)
    yield from _given_away(design.guesses)
    yield from _shared(design)
    yield from _hanging_together(design.association)
    yield from _holes(design)
    yield from _scaling(design.resizes)
    for answer in design.answers.values():
        if answer.answerable:
            yield f"{answer.question} These photos can tell. {answer.why}"
    yield from _visible(design.effects)


def _one_sided(design: Design) -> Iterator[str]:
    """Labels from one camera, and cameras with one label, unless there is only one of either anyway."""
    photos = design.photos
    if min(photos.shape) < 2:
        return
    lonely = [str(label) for label in photos.index[(photos > 0).sum(axis=1) == 1]]
    if len(lonely) > MAX_NAMED or len(lonely) == len(photos):
        cells = _some([f"{label!r} from {str(photos.loc[label].idxmax())!r}" for label in lonely])
        yield f"{len(lonely)} of {len(photos)} labels come from one camera alone: {cells}."
    else:
        yield from (_one_camera(design, label) for label in lonely)
    single = [str(camera) for camera in photos.columns[(photos > 0).sum(axis=0) == 1]]
    if single:
        cells = _some(
            [f"{camera!r} ({photos[camera].max()} of {photos[camera].idxmax()!r})" for camera in single]
        )
        yield f"{_count(len(single), 'camera has', 'cameras have')} photos of one label alone: {cells}."


def _one_camera(design: Design, label: str) -> str:
    photos = design.photos.loc[label]
    camera = str(photos.idxmax())
    other = str(design.groups.drop(columns=camera).sum().idxmax())
    needed = _to_compare(design.groups, label, camera, other)
    cells = " and ".join(f"{n} {design.noun} of it with {name!r}" for (_, name), n in needed.items())
    return (
        f"Every photo of {label!r} ({photos[camera]}) comes from one camera, {camera!r}: they cannot tell whether "
        f"it is recognised by what they show or by the camera. Add {cells}, say."
    )


CLUES = {
    "camera": "the camera's name",
    "size": "size",
    "format": "format",
    "tables": "JPEG tables",
    "exif": "EXIF",
    "all headers": "all headers together",
}


def _given_away(guesses: Sequence[Guess]) -> Iterator[str]:
    tables = next(guess for guess in guesses if (guess.target, guess.clue) == ("camera", "tables"))
    if tables.works:
        yield (
            f"The JPEG quantisation tables alone give the camera away: {show_estimate(tables.accuracy)} of the "
            "photos are guessed right out of fold, where naming the commonest camera comes to "
            f"{tables.chance:.3f}. Pixels keep the traces of their compression."
        )
    found = [guess for guess in guesses if guess.target == "label" and guess.works]
    if found:
        named = "; ".join(f"by {CLUES[guess.clue]} {show_estimate(guess.accuracy)}" for guess in found)
        yield (
            f"The label is guessed without looking at a pixel, out of fold: {named}; naming the commonest label "
            f"comes to {found[0].chance:.3f}."
        )


def _shared(design: Design) -> Iterator[str]:
    if design.crossing_groups:
        yield (
            f"{_count(design.crossing_groups, 'group lies', 'groups lie')} on more than one side of your split, with "
            f"{design.crossing_photos} of the test photos: test accuracy may be too high. Drop the split to use "
            "folds, which keep groups together."
        )
    twins = design.duplicates
    if twins.n_pairs:
        first = "; ".join(f"{pair.first} and {pair.second}" for pair in twins.pairs[:MAX_NAMED])
        yield (
            f"{twins.n_photos} photos nearly equal one of another group: of "
            f"{_count(twins.n_pairs, 'pair', 'pairs')} {twins.n_crossing} lie on both sides of a test, and "
            f"{twins.n_labels} have two labels. Look at {first}: what shows the same belongs to one group."
        )
    if twins.n_compared < design.n_photos:
        yield f"Near-duplicates were looked for among {twins.n_compared} of the {design.n_photos} photos."


def _hanging_together(association: Association) -> Iterator[str]:
    if isnan(association.p):
        return
    how = "hang together" if association.p <= LEVEL else "do not hang together noticeably"
    told = association.information
    yield (
        f"Label and camera {how}: Cramér's V is {show_estimate(association.cramers_v)} (0: independent, 1: one "
        f"gives the other away; p = {association.p:.3f}), and the camera tells {show_estimate(told)} of the label's "
        f"{association.entropy:.2f} bits ({told.mean / association.entropy:.0%})."
    )


def _holes(design: Design) -> Iterator[str]:
    if design.empty_cells:
        yield f"{_count(len(design.empty_cells), 'cell is', 'cells are')} empty: {_cells(design.empty_cells)}."
    if design.thin_cells:
        yield (
            f"{_count(len(design.thin_cells), 'cell has', 'cells have')} fewer groups than the {N_FOLDS} folds, so "
            f"that some fold tests none: {_cells(design.thin_cells)}."
        )


def _scaling(resizes: Sequence[Resize]) -> Iterator[str]:
    least, most = (extreme(resizes, key=lambda resize: resize.median) for extreme in (min, max))
    if most.median > RESIZE_RATIO * least.median:
        yield (
            f"Photos are scaled to one size by factors that depend on the camera: in the median {most.median:.2f} "
            f"for {most.camera!r}, {least.median:.2f} for {least.camera!r}. Scaling leaves traces in the pixels; "
            "`camerabias data import --fit crop` scales only what is too small."
        )


def _visible(effects: Sequence[Effect]) -> Iterator[str]:
    seen = [f"{effect.gap:.2f} with {effect.tested}" for effect in effects if not isnan(effect.gap)]
    if seen:
        yield (
            "The smallest use of the camera that would be seen four times in five, as the share of photos that get "
            f"their camera's label because of it: {', '.join(seen)}."
        )


def _named(names: Sequence[str]) -> str:
    return _some([repr(name) for name in names])


def _cells(cells: Sequence[Cell]) -> str:
    return _some([f"{label!r} by {camera!r}" for label, camera in cells])


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    shown = [*names[:MAX_NAMED], *([f"{len(names) - MAX_NAMED} more"] if len(names) > MAX_NAMED else [])]
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)


def _count(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"
