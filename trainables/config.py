"""What a trial is: its configuration, whose hash is its id. Plain data, without torch."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from camerabias.datasets.schema import CamerabiasError, Fit, Target
from camerabias.datasets.settings import Setting
from camerabias.datasets.views import Variant, View

Precision = Literal["float32", "bfloat16"]


class Recipe(BaseModel):
    """How a trial is trained. Steps are optimiser steps, so that a small training set is trained no less.

    The first fields have no defaults: a recipe file spells them out. A field that is added later has one, and
    is left out of a trial's id at that default, so that older records stay valid.

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
        precision: `float32`, or autocast to `bfloat16`.
        jitter: Colour jitter of training images in whatever view: 0 none, 1 as strong as the view `jitter`'s.
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


class TrialConfig(BaseModel):
    """One trial: exactly what its numbers depend on, and so what its id is a hash of.

    Attributes:
        dataset: Fingerprint of the dataset.
        model: Name of the model, see `models.MODELS`; any other name is timm's.
        weights: `none`, or `sha256:...` of the pretrained weights' content.
        target: What is learned.
        setting: Which images train, spelt out.
        train_view: What training and validation images are seen as.
        test_view: What test images are seen as.
        test_fold: The fold that is tested; the next one validates, the others train.
        seed: Of initialisation, order, augmentation and draws.
        size: Side of the model's input in pixels.
        fit: How images become that size.
        recipe: How it is trained.
        train_size: Training images to keep, of those the setting has; None keeps all.
        source_size: Side of the original pixels that small pieces (`crop32`) are cut from; None for other views.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    model: str
    weights: str
    target: Target
    setting: Setting
    train_view: View
    test_view: View
    test_fold: int
    seed: int
    size: int
    fit: Fit
    recipe: Recipe
    train_size: int | None = None
    source_size: int | None = None

    @property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the canonical configuration."""
        fields = self.model_dump(mode="json", exclude_defaults=True)
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    @property
    def family(self) -> str:
        """The id without seed and test fold: trials of one family are repetitions, whose mean means something."""
        return self.model_copy(update={"seed": 0, "test_fold": 0}).id

    @property
    def name(self) -> str:
        """A readable name for people; it does not tell every field."""
        return trial_name(
            self.target, self.setting.name, str(self.train_view), str(self.test_view), self.model, self.seed
        )

    @property
    def variants(self) -> tuple[Variant, Variant]:
        """The variants that training and test images come from."""
        return self._variant(self.train_view), self._variant(self.test_view)

    @property
    def input_shape(self) -> tuple[int, int]:
        """(height, width) of the images that train."""
        if self.source_size is not None:
            return self.size, self.size
        return self.variants[0].shape[:2]

    def _variant(self, view: View) -> Variant:
        if self.source_size is not None:  # pieces are cut from pixels that nobody has scaled
            return Variant(view=view.stored, size=self.source_size, fit="crop")
        return Variant(view=view.stored, size=self.size, fit=self.fit)


def trial_name(
    target: str, setting: str, train_view: str, test_view: str, model: str, seed: int | str
) -> str:
    """What people call a trial: `label-disjoint-rgb-resnet34-seed3`."""
    views = train_view if test_view == train_view else f"{train_view}-to-{test_view}"
    return f"{target}-{setting}-{views}-{model}-seed{seed}"


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
        return _validate(given, "the recipe given")
    if given in recipe_names():
        text = (_recipes() / f"{given}.yaml").read_text()
    elif Path(given).is_file():
        text = Path(given).read_text(errors="replace")  # a file that is no text is no YAML either
    else:
        raise CamerabiasError(
            f"There is no recipe {given!r}; allowed: {', '.join(recipe_names())}, or the path of a YAML file."
        )
    try:
        return _validate(yaml.safe_load(text), f"recipe {given!r}")
    except yaml.YAMLError as error:
        raise CamerabiasError(f"The recipe {given} is not YAML: {error}") from error


def _recipes() -> Any:
    return resources.files("camerabias.trainables") / "recipes"


def _validate(fields: Any, name: str) -> Recipe:
    if isinstance(fields, dict) and "base" in fields:
        base = load_recipe(str(fields["base"])).model_dump()
        fields = base | {key: value for key, value in fields.items() if key != "base"}
    try:
        return Recipe.model_validate(fields)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'all'}: {e['msg']}" for e in error.errors())
        raise CamerabiasError(
            f"{name} cannot be used ({wrong}); its fields are {', '.join(Recipe.model_fields)}."
        ) from error
