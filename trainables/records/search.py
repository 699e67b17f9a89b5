"""A hyperparameter search as plain data: its space, what was asked for, its candidates.

Nothing but these records is kept: a search is resumed by replaying them into a fresh Optuna study (`optuna_view`).
Without torch and Optuna.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    ValidationError,
    model_validator,
)

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.documents import read_document
from camerabias.trainables.records.record import SEARCHES_FOLDER, Record
from camerabias.trainables.records.run import Run
from camerabias.trainables.spec.recipe import Recipe
from camerabias.trainables.spec.trial import TrialConfig

SEARCH_FILE = "search.yaml"
TRIES_FOLDER = "tries"
RECIPE_FILE = "recipe.yaml"
CONFIRMED_FILE = "confirmed.json"

Value = bool | int | float | str | None
"""A value of a recipe's field."""


class Range(BaseModel):
    """Every number from `low` to `high`; whole ones where both ends are.

    Attributes:
        low: The smallest.
        high: The largest.
        log: Whether its logarithm is drawn evenly, so that 1e-4 to 1e-3 gets as much as 1e-3 to 1e-2.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        if self.log and self.low <= 0:
            raise ValueError(f"low ({self.low}) must be above 0 where log is true")
        return self

    @property
    def values(self) -> list[Value]:
        """Both ends."""
        return [self.low, self.high]

    def replaced(self, values: list[Any]) -> Range:
        """The range with other ends."""
        return Range(low=values[0], high=values[1], log=self.log)


class Choices(BaseModel):
    """Some values, none nearer to one than to another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choices: list[Value] = Field(min_length=2)

    @property
    def values(self) -> list[Value]:
        """All of them."""
        return self.choices

    def replaced(self, values: list[Any]) -> Choices:
        """Other values."""
        return Choices(choices=values)


def _kind(parameter: Any) -> str | None:
    if isinstance(parameter, Choices) or (isinstance(parameter, dict) and "choices" in parameter):
        return "choices"
    return "range" if isinstance(parameter, Range | dict) else None


Parameter = Annotated[
    Annotated[Range, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(
        _kind,
        custom_error_type="no_parameter",
        custom_error_message="a parameter is a mapping with `low` and `high`, or with `choices`",
    ),
]
Space = dict[str, Parameter]
"""What is searched, by the name of the recipe's field."""


class Search(BaseModel):
    """`search.yaml`: what was asked for, spelt out for a dataset.

    Attributes:
        name: Its name, and that of its folder.
        title: For people.
        trial: The trial that is tuned, with the recipe that the search starts from.
        space: What is searched.
        trials: How many candidates there are.
        prune_after: Optimiser steps after which a candidate that does badly may be stopped, and again after 3, 9, ...
            times as many; None stops none. Losses before the peak of a one-cycle schedule, at 30 % of its steps,
            say little.
        confirm_seeds: Seeds on which the recipe found, and the one it started from, are trained in the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    trial: TrialConfig
    space: Space
    trials: int
    prune_after: int | None = Field(ge=1)
    confirm_seeds: list[int]

    def recipe(self, params: dict[str, Any]) -> Recipe:
        """The recipe with some of its fields replaced."""
        return Recipe.model_validate(self.trial.recipe.model_dump() | params)

    def config(self, params: dict[str, Any]) -> TrialConfig:
        """The trial with such a recipe."""
        return self.trial.model_copy(update={"recipe": self.recipe(params)})

    def confirming(self, best: Candidate) -> dict[tuple[str, int], TrialConfig]:
        """The trials that compare recipes on other seeds, by recipe (`base` or `found`) and seed."""
        recipes = {"base": self.trial, "found": self.config(best.params)}
        return {
            (name, seed): config.model_copy(update={"seed": seed})
            for name, config in recipes.items()
            for seed in self.confirm_seeds
        }


TryState = Literal["running", "complete", "pruned", "failed"]


class Candidate(BaseModel):
    """`tries/NUMBER.json`: one suggestion and how it went; two may come to the same trial.

    Attributes:
        number: From 0, in the order of suggestion.
        trial: Id of its trial.
        params: The fields of the recipe that were suggested.
        state: `pruned` is one that was stopped since others did better at the same step.
        steps: Optimiser steps done.
        losses: Latest validation loss by step, as reported to the pruner.
        rungs: The losses that count at the pruner's decisions, by Optuna's name for each.
        loss: Validation loss of the weights that a test would use; only of one that is complete.
        accuracy: Their validation accuracy.
        seconds: Wall time of the trial.
        reason: Why it failed.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    trial: str
    params: dict[str, Value]
    state: TryState = "running"
    steps: int = 0
    losses: dict[int, float] = {}
    rungs: dict[str, float] = {}
    loss: float | None = None
    accuracy: float | None = None
    seconds: float = 0.0
    reason: str = ""

    @property
    def described(self) -> str:
        """Its parameters as people say them: `learning_rate 0.00213, batch_size 32`."""
        return ", ".join(
            f"{name} {f'{value:.3g}' if isinstance(value, float) else value}"
            for name, value in self.params.items()
        )


def find_best(candidates: list[Candidate]) -> Candidate | None:
    """The complete candidate of the lowest validation loss, the first of equals; None if none is complete."""
    complete = [one for one in candidates if one.loss is not None]
    return min(complete, key=lambda one: (one.loss, one.number), default=None)


class Confirmation(BaseModel):
    """How a trial on another seed ended.

    Attributes:
        loss: Validation loss; None where the trial failed.
        accuracy: Validation accuracy; likewise.
        reason: Why it failed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    loss: float | None
    accuracy: float | None
    reason: str


class _Confirmed(RootModel[dict[str, Confirmation]]):
    """`confirmed.json`: by the ids of trials."""


class SearchRecord:
    """What a search leaves behind, below `RUN/searches/`: the one place that knows its file names.

    Args:
        folder: `RUN/searches/NAME`; the records of its trials lie in it as they do in a run.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def trial(self, trial_id: str) -> Record:
        """The record of a trial."""
        return Run(self.folder).record(trial_id)

    def exists(self) -> bool:
        """Whether the search has been started."""
        return self.folder.exists(SEARCH_FILE)

    def write_search(self, search: Search) -> None:
        """Write `search.yaml`."""
        self._write_yaml(SEARCH_FILE, search.model_dump(mode="json"))

    def search(self) -> Search:
        """What was asked for.

        Raises:
            CamerabiasError: The file is missing or damaged.
        """
        try:
            return Search.model_validate(yaml.safe_load(self.folder.read_bytes(SEARCH_FILE)))
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise CamerabiasError(
                f"{self.folder.file(SEARCH_FILE)} cannot be read ({error}); copy it again or remove {self.folder}."
            ) from error

    def write_candidate(self, one: Candidate) -> None:
        """Write `tries/NUMBER.json`."""
        self.folder.child(TRIES_FOLDER).write_json(f"{one.number:04d}.json", one.model_dump())

    def candidates(self) -> list[Candidate]:
        """All candidates in the order of suggestion.

        Raises:
            CamerabiasError: One is damaged, or missing in the middle.
        """
        folder = self.folder.child(TRIES_FOLDER)
        candidates = [_read_candidate(folder, name) for name in folder.names()]
        candidates.sort(key=lambda one: one.number)
        if [one.number for one in candidates] != list(range(len(candidates))):
            raise CamerabiasError(
                f"Candidates are missing between others in {folder}, so the search cannot be "
                f"resumed; copy it again or remove "
                f"{self.folder}."
            )
        return candidates

    def write_recipe(self, recipe: Recipe, comment: str) -> None:
        """Write `recipe.yaml`, which a study can name, under a line that says where it comes from."""
        self._write_yaml(RECIPE_FILE, recipe.model_dump(), f"# {comment}\n")

    @property
    def recipe_file(self) -> str:
        """Path or address of `recipe.yaml`."""
        return f"{self.folder}/{RECIPE_FILE}"

    def write_confirmed(self, outcomes: dict[str, Confirmation]) -> None:
        """Write `confirmed.json`: how trials on other seeds ended, by their ids."""
        self.folder.write_json(
            CONFIRMED_FILE, {trial: outcome.model_dump() for trial, outcome in outcomes.items()}
        )

    def confirmed(self) -> dict[str, Confirmation]:
        """How trials on other seeds ended, as far as they have; by their ids.

        Raises:
            CamerabiasError: The file is damaged.
        """
        if not self.folder.exists(CONFIRMED_FILE):
            return {}
        return read_document(self.folder, CONFIRMED_FILE, _Confirmed).root

    def _write_yaml(self, name: str, document: dict[str, Any], comment: str = "") -> None:
        text = comment + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        self.folder.write_bytes(name, text.encode())


def search_record(run: Run, name: str) -> SearchRecord:
    """The record of a search of a run, whether it exists or not."""
    return SearchRecord(run.folder.child(SEARCHES_FOLDER, name))


def search_records(run: Run) -> list[SearchRecord]:
    """All searches of a run."""
    records = [search_record(run, name) for name in run.folder.child(SEARCHES_FOLDER).names()]
    return [record for record in records if record.exists()]


def _read_candidate(folder: Folder, name: str) -> Candidate:
    try:
        return Candidate.model_validate(folder.read_json(name))
    except ValidationError as error:
        raise CamerabiasError(f"{folder.file(name)} is damaged ({error}); copy it again.") from error
