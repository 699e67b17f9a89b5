"""`studies/NAME.yaml` of a run: a study spelt out for its dataset, for those who write it and those who read it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from camerabias.datasets.schema import Target
from camerabias.trainables.spec.recipe import BASE
from camerabias.trainables.spec.trial import trial_name


class StudyCell(BaseModel):
    """One cell of a study's grid: the trials that differ by their seed alone."""

    model_config = ConfigDict(frozen=True)

    target: Target
    setting: str
    train_view: str
    test_view: str
    model: str
    size: int
    """Side of the model's input in pixels."""
    seen_cameras: tuple[str, ...]
    """Cameras of the training images."""
    family: str = ""
    """What its trials have in common, as a hash; see `TrialConfig.family`."""
    trials: dict[int, str]
    """Trial id by seed."""
    probes: tuple[str, ...] = ()
    """What else was asked of the trained models."""
    test_draws: int = 1
    """How often each test image is drawn: more than once only through a random view."""
    downsampled: bool = False
    """Whether the model sees fewer pixels than the images of the dataset have."""
    mitigation: str = "none"
    """What is done against learning the camera, a name of `MITIGATIONS`."""
    recipe: str = Field(default=BASE, exclude_if=lambda recipe: recipe == BASE)
    """How its recipe differs from the study's, such as `learning_rate 0.001`; `base` where it does not."""

    @property
    def views(self) -> str:
        """Both views as one word: `rgb`, or `left → right` where they differ."""
        if self.train_view == self.test_view:
            return self.train_view
        return f"{self.train_view} → {self.test_view}"

    @property
    def view_kinds(self) -> tuple[str, str]:
        """Names of the train and the test view, whatever their parameters: `binary` of `binary-window15`."""
        return self.train_view.partition("-")[0], self.test_view.partition("-")[0]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the cell from others."""
        return tuple(map(str, self.dimensions.values()))

    @property
    def dimensions(self) -> dict[str, str | int]:
        """Its value in each of `DIMENSIONS`."""
        return {name: getattr(self, name) for name in DIMENSIONS}

    @property
    def is_varied(self) -> bool:
        """Whether it departs from what most studies leave alone."""
        return any(self.dimensions[name] != plain for name, plain in VARIATIONS.items())

    def trial_name(self, seed: int) -> str:
        """A readable name: that of `TrialConfig.name`, with the recipe where it is not the study's."""
        views = (self.train_view, self.test_view)
        name = trial_name(self.target, self.setting, *views, self.model, seed, self.mitigation)
        return name if self.recipe == BASE else f"{name} ({self.recipe})"


VARIATIONS = {"mitigation": "none", "recipe": BASE}
"""Dimensions that most studies leave alone, with their value there. Who asks for cells and names none gets those."""

DIMENSIONS = ("target", "setting", "train_view", "test_view", "model", "size", *VARIATIONS)
"""Fields in which the cells of a study differ."""


class Skipped(BaseModel):
    """A setting (or a view) that the dataset cannot serve, and why."""

    model_config = ConfigDict(frozen=True)

    target: Target
    setting: str
    reason: str


class PlannedStudy(BaseModel):
    """What a study asks for, and the trials it comes to on one dataset."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    paper: str | None
    """The paper's table or figure that the study repeats, such as `Table II`."""
    note: str | None
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    recipe: str | dict[str, Any] = "paper"
    """As the study gives it: a name, a path or fields."""
    cells: tuple[StudyCell, ...]
    skipped: tuple[Skipped, ...]

    def joined_to(self, earlier: PlannedStudy) -> PlannedStudy:
        """The study after it is asked for again: more seeds, models or settings join those there were.

        A cell that has changed in anything but its seeds (the recipe, say) takes the place of the earlier one, since
        a mean over both would mean nothing.

        Args:
            earlier: The study as it was asked for before.
        """
        cells = {cell.key: cell for cell in earlier.cells}
        for cell in self.cells:
            before = cells.get(cell.key)
            kept = before.trials if before is not None and before.family == cell.family else {}
            cells[cell.key] = cell.model_copy(update={"trials": kept | cell.trials})
        together = {
            "models": tuple(dict.fromkeys(cell.model for cell in cells.values())),
            "seeds": tuple(sorted({seed for cell in cells.values() for seed in cell.trials})),
            "cells": tuple(cells.values()),
        }
        return self.model_copy(update=together)
