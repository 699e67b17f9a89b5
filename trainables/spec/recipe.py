"""What a trial is: its configuration, whose hash is its id. Plain data, without torch."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import CamerabiasError, wrong_fields
from camerabias.trainables.spec.mitigation import MITIGATIONS

Precision = Literal["float32", "bfloat16", "auto"]
"""What a network computes in; `auto` is settled before there is a trial."""


class Augmentation(BaseModel):
    """What is done to training images at random, image by image; the fields are those of `Recipe`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    jitter: float = 0
    recompress: float = 0
    blur: float = 0
    noise: float = 0
    rescale: float = 0

    def __bool__(self) -> bool:
        return any(self.model_dump().values())


class Recipe(BaseModel):
    """How a trial is trained. Steps are optimiser steps, so that a small training set is trained no less.

    The first fields have no defaults: a recipe file spells them out. A field that is added later has one, and
    does not count in a trial's id at that default, so that older records stay valid.

    Attributes:
        learning_rate: Adam's, constant or the peak of the one cycle.
        weight_decay: Adam's L2 penalty.
        batch_size: Images per optimiser step.
        schedule: `constant`, testing the weights of the lowest validation loss, or `one_cycle` over `max_steps`
            (Smith & Topin 2019), testing the last.
        max_steps: Where training ends if it has not converged.
        patience_steps: Training has converged when the validation loss has not improved for so many steps;
            None trains for `max_steps`, as a one-cycle schedule wants.
        evaluate_every: Steps between two validations.
        precision: `float32`, or autocast to `bfloat16`; `auto` is bfloat16 where it pays on the machine that the
            trials run on, and is settled before there is a trial.
        jitter: Colour jitter of training images in whatever view: 0 none, 1 as strong as the view `jitter`'s.
        reweight: Whether losses are weighed such that every label × camera cell counts the same.
        resample: Whether training images are drawn such that every cell comes up as often, with replacement.
        group_dro: Step size of group DRO (Sagawa et al. 2020): how fast the cells with the highest losses come to
            count more, of images drawn as with `resample`; 0 for none.
        adversary: Weight at which a second head that names the camera works against the features of the model, by
            a reversed gradient (Ganin et al. 2016); 0 for none. For the target `label`.
        recompress: JPEG compression of training images, at a quality drawn for each: 0 none, 1 down to 30.
        blur: Gaussian blur likewise: 0 none, 1 up to a standard deviation of 2 pixels.
        noise: Gaussian noise likewise: 0 none, 1 up to a standard deviation of 20 gray levels.
        rescale: Scaling down and up again likewise: 0 none, 1 down to a quarter of the size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch_size: int = Field(ge=2)
    schedule: Literal["constant", "one_cycle"]
    max_steps: int = Field(ge=1)
    patience_steps: int | None = Field(ge=1)
    evaluate_every: int = Field(ge=1)
    precision: Precision
    jitter: float = Field(default=0, ge=0, le=1)
    reweight: bool = False
    resample: bool = False
    group_dro: float = Field(default=0, ge=0)
    adversary: float = Field(default=0, ge=0)
    recompress: float = Field(default=0, ge=0, le=1)
    blur: float = Field(default=0, ge=0, le=1)
    noise: float = Field(default=0, ge=0, le=1)
    rescale: float = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _evens_once(self) -> Recipe:
        given = [name for name in BALANCING if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} each balance the label × camera cells by themselves; keep one of them"
            )
        return self

    def in_precision(self, precision: Precision) -> Recipe:
        """The recipe in another precision."""
        return self.model_copy(update={"precision": precision})

    @property
    def evens_cells(self) -> bool:
        """Whether label × camera cells count the same, however many images they have."""
        return any(getattr(self, name) for name in BALANCING)

    @property
    def augmentation(self) -> Augmentation:
        """What is done to training images."""
        return Augmentation.model_validate(self.model_dump(include=set(Augmentation.model_fields)))

    @property
    def mitigation(self) -> str:
        """The mitigation whose fields it has (the one with most of them); `none` where it has those of no other."""
        own = self.model_dump()
        having = [name for name, kind in MITIGATIONS.items() if own | dict(kind.fields) == own]
        return max(having, key=lambda name: len(MITIGATIONS[name].fields))


BALANCING = ("reweight", "resample", "group_dro")
"""Fields of a recipe that balance the label × camera cells, of which it may have one."""


def recipe_names() -> list[str]:
    """Names of the recipes that the package ships."""
    return sorted(
        path.name.removesuffix(".yaml") for path in _recipes().iterdir() if path.name.endswith(".yaml")
    )


def load_recipe(given: str | dict[str, Any]) -> Recipe:
    """Read a recipe.

    Args:
        given: The name of a shipped recipe, the path of a YAML file, or the fields themselves; fields, and a file,
            may name a recipe to start from as `base`.

    Raises:
        CamerabiasError: There is no such recipe, or it has unknown, missing or impossible fields.
    """
    if isinstance(given, dict):
        return validate_recipe(given, "the recipe given")
    if given in recipe_names():
        text = (_recipes() / f"{given}.yaml").read_text()
    elif Path(given).is_file():
        text = Path(given).read_text(errors="replace")  # a file that is no text is no YAML either
    else:
        raise CamerabiasError(
            f"There is no recipe {given!r}{allowed_names(given, recipe_names())}, or the path of a YAML file."
        )
    try:
        return validate_recipe(yaml.safe_load(text), f"recipe {given!r}")
    except yaml.YAMLError as error:
        raise CamerabiasError(f"The recipe {given} is not YAML: {error}") from error


def _recipes() -> Any:
    return resources.files("camerabias.trainables") / "recipes"


def validate_recipe(fields: Any, name: str) -> Recipe:
    """A recipe from its fields, or a `CamerabiasError` that names what is wrong."""
    if isinstance(fields, dict) and "base" in fields:
        base = load_recipe(str(fields["base"])).model_dump()
        fields = base | {key: value for key, value in fields.items() if key != "base"}
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        raise CamerabiasError(
            f"{name} cannot be used ({wrong_fields(error)}); its fields are {', '.join(Recipe.model_fields)}."
        ) from error


BASE = "base"
"""What a recipe is called where it does not differ from the study's own."""


def vary(recipe: Recipe, given: str | dict[str, Any]) -> Recipe:
    """Another recipe, as `load_recipe` reads it; fields that name no `base` replace those of the recipe.

    Raises:
        CamerabiasError: There is no such recipe, or it has unknown or impossible fields.
    """
    if isinstance(given, dict) and "base" not in given:
        return validate_recipe(recipe.model_dump() | given, f"the recipe {given}")
    return load_recipe(given)


def name_difference(recipe: Recipe, own: Recipe) -> str:
    """The fields in which a recipe differs from another: `learning_rate 0.001, batch_size 16`, or `base`."""
    before = own.model_dump()
    differing = {name: value for name, value in recipe.model_dump().items() if value != before[name]}
    return ", ".join(f"{name} {value}" for name, value in differing.items()) or BASE


def mitigate(recipe: Recipe, mitigation: str) -> Recipe:
    """A recipe with the fields of a mitigation.

    Raises:
        CamerabiasError: The recipe has fields that do not go with it.
    """
    fields = recipe.model_dump() | dict(MITIGATIONS[mitigation].fields)
    return validate_recipe(fields, f"the recipe with mitigation {mitigation!r}")
