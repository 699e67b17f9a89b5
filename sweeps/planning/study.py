"""Studies: named grids of trials, written in YAML. The package ships some; a user's file works the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.sampling.rules import LEAVE_ONE_CAMERA_OUT, RESERVED, RULES, check_name
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.datasets.views.registry import VIEWS, View
from camerabias.sweeps.planning.grid_recipe import GridRecipe, vary_grid_recipe
from camerabias.trainables.models.registry import find_model
from camerabias.trainables.probes.registry import Probe
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import load_recipe


class CellList(BaseModel):
    """A setting of the user's own: the cells that train."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cells: list[tuple[str, str]] = Field(min_length=1)
    equal_counts: bool = False

    @field_validator("name")
    @classmethod
    def _own(cls, name: str) -> str:
        if name in RULES or name.startswith(RESERVED):
            raise ValueError(f"{name!r} is the name of a rule; give the cells another")
        return name


class Grid(BaseModel):
    """Trials of one target: every setting × train view × recipe × mitigation, with every model and seed of the study.

    Attributes:
        target: What is learned.
        settings: Names of rules, or lists of cells; `leave-one-camera-out` stands for a rule per camera.
        views: Train views; by default the photo as it is.
        test_view: What test images are seen as, where that differs from the train view.
        probes: What else is asked of every trained model.
        equal_training_size: Whether all settings are cut down to the training size of the smallest.
        mitigations: Names of `MITIGATIONS`, whose fields every recipe is given in turn.
        recipes: Names, paths or fields of recipes, as `vary_grid_recipe` reads them; by default the own one. Fields
            may say `weights`, too. A list as the value of a field stands for a recipe per value, several lists for a
            recipe per combination.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    settings: list[str | CellList] = Field(min_length=1)
    views: list[View] = Field(default=[View.model_validate("rgb")], min_length=1)
    test_view: View | None = None
    probes: list[Probe] = []
    equal_training_size: bool = False
    mitigations: list[str] = Field(default=["none"], min_length=1)
    recipes: list[str | dict[str, Any]] = Field(default=[{}], min_length=1)

    @model_validator(mode="after")
    def _sees_pieces_alike(self) -> Grid:
        for view in self.views:
            if self.test_view is not None and self.test_view.kind.side != view.kind.side:
                raise ValueError(
                    f"a model trained on {view} cannot be tested on {self.test_view}: the sizes differ"
                )
            for probe in self.probes:
                if probe.kind.of_crops and view.kind.side is None:
                    pieces = ", ".join(name for name, kind in VIEWS.items() if kind.side is not None)
                    raise ValueError(f"probe {probe} needs models trained on {pieces}, not on {view}")
        return self

    @field_validator("settings")
    @classmethod
    def _known(cls, settings: list[str | CellList]) -> list[str | CellList]:
        check_rules([setting for setting in settings if setting != LEAVE_ONE_CAMERA_OUT])
        names = [setting if isinstance(setting, str) else setting.name for setting in settings]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"setting {', '.join(repeated)} stands there twice; give each a name of its own")
        return settings

    @field_validator("mitigations")
    @classmethod
    def _known_mitigations(cls, mitigations: list[str]) -> list[str]:
        unknown = [name for name in mitigations if name not in MITIGATIONS]
        if unknown:
            named = ", ".join(map(repr, unknown))
            raise ValueError(f"mitigation {named} is not known{allowed_names(unknown, MITIGATIONS)}")
        return list(dict.fromkeys(mitigations))

    @field_validator("recipes", mode="before")
    @classmethod
    def _multiplied(cls, recipes: Any) -> list[Any]:
        given = recipes if isinstance(recipes, list) else [recipes]
        return [one for recipe in given for one in _combinations(recipe)]


def _combinations(recipe: Any) -> list[Any]:
    """A recipe per combination of the values that its lists give."""
    if not isinstance(recipe, dict):
        return [recipe]
    values = [value if isinstance(value, list) else [value] for value in recipe.values()]
    return [dict(zip(recipe, combination, strict=True)) for combination in product(*values)]


def check_rules(settings: list[str | CellList]) -> None:
    """Raise a ValueError where a setting is named that there is no rule of."""
    collect(check_name, [setting for setting in settings if isinstance(setting, str)])


class Study(BaseModel):
    """A study.

    Attributes:
        name: Its name, and that of the tables it makes.
        title: What it shows, for people.
        paper: The paper's table that it repeats, such as `Table II`.
        note: What a reader of its tables should know.
        includes: Studies that this one stands for, run with this one's models, seeds, recipe and weights.
        models: Names of models.
        seeds: Seeds; all numbers are means over them.
        recipe: Name of a recipe, path of a recipe file, or its fields.
        weights: What training starts from: `imagenet`, `none` or a file.
        size: Side of the models' input in pixels, where the study is about it.
        grids: The trials.
        rotate_folds: Whether seed k tests fold k (mod 10), instead of all seeds testing fold 0.
        rotation: With `rotate_folds`, that seed k tests every fold that is k (mod `rotation`): so many seeds then
            test every photo.
        skip_unanswerable: Whether a setting that the dataset's cells cannot serve is excluded and named,
            instead of stopping the sweep.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^\w[\w.-]*$")
    title: str
    paper: str | None = None
    note: str | None = None
    includes: list[str] = []
    models: list[str] = Field(min_length=1)
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    recipe: str | dict[str, Any] = "paper"
    weights: str = "imagenet"
    size: int | None = Field(default=None, ge=32)
    grids: list[Grid] = []
    rotate_folds: bool = False
    rotation: Literal[2, 5] | None = None
    skip_unanswerable: bool = False

    @field_validator("models")
    @classmethod
    def _known_models(cls, models: list[str]) -> list[str]:
        collect(find_model, models)
        return models

    @field_validator("includes")
    @classmethod
    def _known_includes(cls, includes: list[str]) -> list[str]:
        unknown = sorted(set(includes) - set(study_names()))
        if unknown:
            raise ValueError(
                f"study {', '.join(unknown)} is not known{allowed_names(unknown, study_names())}"
            )
        return includes

    @field_validator("recipe")
    @classmethod
    def _known_recipe(cls, recipe: str | dict[str, Any]) -> str | dict[str, Any]:
        collect(load_recipe, [recipe])
        return recipe

    @model_validator(mode="after")
    def _has_trials(self) -> Study:
        if bool(self.grids) == bool(self.includes):
            raise ValueError("a study has either `grids` or `includes`")
        return self

    @model_validator(mode="after")
    def _knows_recipes(self) -> Study:
        own = GridRecipe(load_recipe(self.recipe), self.weights)
        collect(partial(vary_grid_recipe, own), [recipe for grid in self.grids for recipe in grid.recipes])
        return self


def collect(read: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    """What a function that may raise our error makes of every value; all complaints become one ValueError."""
    results, complaints = [], []
    for value in values:
        try:
            results.append(read(value))
        except CamerabiasError as error:
            complaints.append(str(error))
    if complaints:
        raise ValueError(" ".join(complaints))
    return results


def study_names() -> list[str]:
    """Names of the studies that the package ships."""
    return sorted(
        file.name.removesuffix(".yaml") for file in _shipped().iterdir() if file.name.endswith(".yaml")
    )


def load_study(given: str, **changes: Any) -> list[Study]:
    """Read a study.

    Args:
        given: The name of a shipped study, or the path of a YAML file.
        changes: Fields that replace the file's own, such as `models` and `seeds`; None changes nothing.

    Returns:
        The study, or those that it includes.

    Raises:
        CamerabiasError: Everything that is wrong with it, in one message, with what is allowed.
    """
    fields = _read(given) | {key: value for key, value in changes.items() if value is not None}
    try:
        study = Study.model_validate(fields)
    except ValidationError as error:
        raise CamerabiasError(explain(f"The study {given}", error, {"": Study, "grids": Grid})) from error
    if not study.includes:
        return [study]
    shared = study.model_dump(
        include={
            "models",
            "seeds",
            "recipe",
            "weights",
            "size",
            "rotate_folds",
            "rotation",
            "skip_unanswerable",
        }
    )
    return [part for name in study.includes for part in load_study(name, **shared)]


def _shipped() -> Any:
    return resources.files("camerabias.sweeps") / "studies"


def _read(given: str) -> dict[str, Any]:
    if given in study_names():
        text = (_shipped() / f"{given}.yaml").read_text()
    elif Path(given).is_file():
        text = Path(given).read_text(errors="replace")  # a file that is no text is no YAML either
    else:
        raise CamerabiasError(
            f"There is no study {given!r}{allowed_names(given, study_names())}, or the path of a YAML file."
        )
    return {"name": Path(given).stem, **read_fields(text, f"The study {given}", Study)}


def read_fields(text: str, what: str, model: type[BaseModel]) -> dict[str, Any]:
    """The fields in a YAML text.

    Args:
        text: The text.
        what: What an error calls it.
        model: What the fields are for.

    Raises:
        CamerabiasError: The text is not YAML, or holds no fields.
    """
    try:
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CamerabiasError(f"{what} is not YAML: {error}") from error
    if not isinstance(fields, dict):
        raise CamerabiasError(f"{what} holds no fields; it needs {', '.join(model.model_fields)}.")
    return fields


def explain(what: str, error: ValidationError, models: Mapping[str, type[BaseModel]]) -> str:
    """Everything that is wrong with the fields of a file, a line each, with what is allowed.

    Args:
        what: What the file is called.
        error: What pydantic found.
        models: Whose keys are allowed, by the key that they stand under; under "" those of the whole.
    """
    wrong = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"] if part not in _NO_PLACES) or what
        text = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            under = next((str(part) for part in problem["loc"] if part in models), "")
            fields = models[under].model_fields
            text = f"unknown key{allowed_names(str(problem['loc'][-1]), fields)}"
        elif problem["type"] == "literal_error":
            text += f", not {problem['input']!r}"
        wrong.append(f"  {place}: {text}")
    return f"{what} cannot be used:\n" + "\n".join(wrong)


_NO_PLACES = ("str", "CellList", "range", "choices")
"""What pydantic calls the kinds of a value, which nobody has written into the file."""
