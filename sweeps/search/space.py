"""Space files: what a search varies and tunes, written in YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.datasets.views.registry import View
from camerabias.sweeps.planning.study import CellList, Grid, Study, check_rules, collect, explain, read_fields
from camerabias.trainables.models.registry import find_model
from camerabias.trainables.records.search import Choices, Parameter, Range, Space
from camerabias.trainables.spec.linear_probe import is_linear
from camerabias.trainables.spec.recipe import BALANCING, Recipe, load_recipe


class SpaceFile(BaseModel):
    """A search as its user writes it; what is not said here is as in `trainables.search.Search`.

    Attributes:
        target: What the tuned trial learns.
        setting: Name of a rule, or a list of cells.
        view: What it sees.
        model: The model.
        seed: Seed of the trials, and of what is drawn from the space.
        recipe: The recipe that the search starts from: a shipped name, a file, or fields with `base`.
        weights: What training starts from: `imagenet`, `none` or a file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^\w[\w.-]*$")
    title: str
    target: Target
    setting: str | CellList
    view: View = View.model_validate("rgb")
    model: str
    seed: int = Field(default=0, ge=0)
    recipe: str | dict[str, Any] = "paper"
    weights: str = "imagenet"
    trials: int = Field(ge=1)
    prune_after: int | None = Field(ge=1)
    space: Space = Field(min_length=1)
    confirm_seeds: list[Annotated[int, Field(ge=0)]] = [1, 2, 3]

    @field_validator("setting")
    @classmethod
    def _known_setting(cls, setting: str | CellList) -> str | CellList:
        check_rules([setting])
        return setting

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str) -> str:
        if is_linear(model):
            raise ValueError(f"{model} chooses its regularisation by itself; a search is for networks")
        collect(find_model, [model])
        return model

    @field_validator("recipe")
    @classmethod
    def _known_recipe(cls, recipe: str | dict[str, Any]) -> str | dict[str, Any]:
        collect(load_recipe, [recipe])
        return recipe

    @field_validator("space")
    @classmethod
    def _fits_recipe(cls, space: Space, info: ValidationInfo) -> Space:
        base = load_recipe(info.data.get("recipe", "paper"))  # a wrong recipe is complained of by itself
        balancing = [name for name in BALANCING if name in space or getattr(base, name)]
        if len(balancing) > 1:
            raise ValueError(f"{' and '.join(balancing)} exclude each other in a recipe; keep one of them")
        return dict(
            zip(space, collect(lambda named: _as_recipe_has_it(base, *named), space.items()), strict=True)
        )

    @field_validator("confirm_seeds")
    @classmethod
    def _other_seeds(cls, seeds: list[int], info: ValidationInfo) -> list[int]:
        if info.data.get("seed") in seeds:
            raise ValueError(f"{info.data['seed']} is the seed of the search itself; name others, or none")
        return seeds

    def study(self) -> Study:
        """The study of one trial that is tuned."""
        grid = Grid(target=self.target, settings=[self.setting], views=[self.view])
        return Study(
            name=self.name,
            title=self.title,
            models=[self.model],
            seeds=[self.seed],
            recipe=self.recipe,
            weights=self.weights,
            grids=[grid],
        )


def load_space(path: str, weights: str | None = None) -> SpaceFile:
    """Read a space file.

    Args:
        path: The file.
        weights: What training starts from in place of what the file says; None changes nothing.

    Raises:
        CamerabiasError: Everything that is wrong with it, in one message, with what is allowed.
    """
    if not Path(path).is_file():
        raise CamerabiasError(
            f"There is no space file {path!r}; write one (examples/search_demo.yaml is one) and give its path."
        )
    what = f"The space file {path}"
    text = Path(path).read_text(errors="replace")  # a file that is no text is no YAML either
    given = {} if weights is None else {"weights": weights}
    fields = {"name": Path(path).stem, **read_fields(text, what, SpaceFile), **given}
    try:
        return SpaceFile.model_validate(fields)
    except ValidationError as error:
        raise CamerabiasError(explain(what, error, _KEYS)) from error


_KEYS: dict[str, type[BaseModel]] = {
    "": SpaceFile,
    "range": Range,
    "choices": Choices,
    "CellList": CellList,
}


def _as_recipe_has_it(base: Recipe, name: str, parameter: Parameter) -> Parameter:
    """The parameter with its values as the recipe reads them: 1e-4, which YAML takes for a word, is a number."""
    if name not in Recipe.model_fields:
        raise CamerabiasError(f"{name!r} is no field of a recipe{allowed_names(name, Recipe.model_fields)}.")
    if name == "precision" and "auto" in parameter.values:
        raise CamerabiasError("precision auto is no choice of a search; name float32, bfloat16 or both.")
    return parameter.replaced([_read_value(base, name, value) for value in parameter.values])


def _read_value(base: Recipe, name: str, value: Any) -> Any:
    try:
        return getattr(Recipe.model_validate(base.model_dump() | {name: value}), name)
    except ValidationError as error:
        (problem,) = error.errors()
        raise CamerabiasError(f"{name} cannot be {value!r}: {problem['msg']}.") from error
