"""What the photos can answer before any training, as plain data."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.design.copies import Copies
from camerabias.analysis.design.duplicates import Duplicates
from camerabias.analysis.design.metadata_baselines import MetadataBaseline
from camerabias.analysis.statistics.association import Association
from camerabias.datasets.schema import N_FOLDS

RESIZE_RATIO = 1.1
"""How far cameras' median resize factors may differ unmentioned: photos cut by hand differ by more."""

Question = Literal["recognise", "use", "unseen"]
Cell = tuple[str, str]
"""(label, camera)."""


class CellCount(BaseModel):
    """Photos, and groups of photos, of one label by one camera.

    Attributes:
        label: The label.
        camera: The camera.
        photos: Photos of both.
        groups: Groups that these lie in.
        untested: Folds without a photo of both; with a user's split 1 where no test photo is of both, else 0.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    camera: str
    photos: int
    groups: int
    untested: int


class Resize(BaseModel):
    """By which factors photos of a camera are scaled to the dataset's size: the smallest, the median, the largest."""

    model_config = ConfigDict(frozen=True)

    camera: str
    low: float
    median: float
    high: float


class Effect(BaseModel):
    """The minimum detectable effect of some test photos, see `power.minimum_detectable_effect`.

    Attributes:
        tested: What is tested, in words.
        groups: Bias-conflicting groups in it.
        risk_difference: The risk difference; NaN where none would be detected.
    """

    model_config = ConfigDict(frozen=True)

    tested: str
    groups: int
    risk_difference: float


class NeededPhotos(BaseModel):
    """How many photos, or groups of them, of a label to take with a camera."""

    model_config = ConfigDict(frozen=True)

    label: str
    camera: str
    n: int


class Answer(BaseModel):
    """Whether the photos can answer a question.

    Attributes:
        question: The question.
        answerable: Whether they can.
        why: The reason in a sentence.
        photos: Which photos to take, in which number, to settle it; empty where none are needed.
        needed: The same as numbers.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    answerable: bool
    why: str
    photos: str = ""
    needed: tuple[NeededPhotos, ...] = ()


class Answerable(BaseModel):
    """What labels and cameras of photos can answer, without a look at their files.

    Attributes:
        associated_labels: Associated label by camera, of the cameras that have one.
        association: How strongly label and camera are associated; None where the associated labels were stated.
        effects: Minimum detectable effects, the last one of everything that can be tested.
        answers: What the photos can answer.
        to_balance: The photos that training lacks for every camera to have as many of each label, most first; none
            where that is not known.
    """

    model_config = ConfigDict(frozen=True)

    associated_labels: dict[str, str]
    association: Association | None
    effects: tuple[Effect, ...]
    answers: dict[Question, Answer]
    to_balance: tuple[NeededPhotos, ...] = ()

    @property
    def minimum_detectable_effect(self) -> float:
        """That of all test photos together, as a risk difference; NaN where not even 1 would be detected."""
        return self.effects[-1].risk_difference


class Design(Answerable):
    """What the photos can answer with their files, beside what labels and cameras do.

    Attributes:
        cells: Every label × camera cell, empty ones too.
        n_photos: Photos in all.
        n_groups: Groups in all, which fold or split keep whole; as many as photos where none were given.
        formats: Photos by file format, the commonest first.
        sides: Photos on each side of the user's split; empty without one.
        association: How strongly label and camera are associated.
        baselines: What metadata baselines come to, without a pixel.
        resizes: How much photos are scaled, by camera.
        copies: Photos with the same bytes.
        duplicates: Nearly equal photos of different groups.
        folds: Photos in every fold; none with a user's split.
        crossing_groups: Groups on more than one side of the user's split.
        crossing_photos: Test photos whose group is on another side as well.
    """

    cells: tuple[CellCount, ...]
    n_photos: int
    n_groups: int
    formats: dict[str, int]
    sides: dict[str, int]
    association: Association
    baselines: tuple[MetadataBaseline, ...]
    resizes: tuple[Resize, ...]
    copies: Copies
    duplicates: Duplicates
    folds: tuple[int, ...]
    crossing_groups: int
    crossing_photos: int

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
    def noun(self) -> str:
        """What is counted as independent."""
        return "groups" if self.n_groups < self.n_photos else "photos"

    @property
    def empty_cells(self) -> list[Cell]:
        """Cells without a photo."""
        return [(cell.label, cell.camera) for cell in self.cells if not cell.photos]

    @property
    def thin_cells(self) -> list[Cell]:
        """Cells with photos, of which some fold, or the user's split, tests none."""
        return [(cell.label, cell.camera) for cell in self.cells if cell.photos and cell.untested]


def count_folds(facts: pd.DataFrame) -> tuple[int, ...]:
    """Photos in every fold; none with a user's split, which takes their place."""
    if facts["split"].notna().any():
        return ()
    counts = facts["fold"].value_counts().reindex(range(N_FOLDS), fill_value=0)
    return tuple(int(n) for n in counts)


def count_groups(facts: pd.DataFrame) -> pd.DataFrame:
    """Numbers of groups, labels × cameras."""
    distinct = facts.drop_duplicates(["group", "label", "camera"])
    return pd.crosstab(distinct["label"], distinct["camera"])
