"""What a trial is: its configuration, whose hash is its id. Plain data, without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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
        given = [name for name in EVENING if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(
                f"{' and '.join(given)} each even out the label × camera cells by themselves; keep one of them"
            )
        return self

    @property
    def evens_cells(self) -> bool:
        """Whether label × camera cells count the same, however many images they have."""
        return any(getattr(self, name) for name in EVENING)

    @property
    def mitigation(self) -> str:
        """The mitigation whose fields it has (the one with most of them); `none` where it has those of no other."""
        own = self.model_dump()
        having = [name for name, kind in MITIGATIONS.items() if own | dict(kind.fields) == own]
        return max(having, key=lambda name: len(MITIGATIONS[name].fields))


EVENING = ("reweight", "resample", "group_dro")
"""Fields of a recipe that even out the label × camera cells, of which it may have one."""


@dataclass(frozen=True)
class Mitigation:
    """A way to keep a model from learning the camera.

    Attributes:
        says: What it does, for people.
        fields: The fields of a recipe that it comes to.
    """

    says: str
    fields: Mapping[str, Any]


MITIGATIONS: dict[str, Mitigation] = {
    "none": Mitigation("training as the recipe has it", {}),
    "reweight": Mitigation("every label × camera cell weighs the same in the loss", {"reweight": True}),
    "resample": Mitigation("every label × camera cell is drawn as often", {"resample": True}),
    "group_dro": Mitigation("the cells with the highest losses count more and more", {"group_dro": 0.01}),
    "adversary": Mitigation("features are trained to hide the camera from a second head", {"adversary": 1.0}),
    "recompress": Mitigation("training photos are compressed at random qualities", {"recompress": 1.0}),
    "blur_noise": Mitigation("training photos are blurred, and noise is added", {"blur": 1.0, "noise": 1.0}),
    "rescale": Mitigation("training photos are scaled down and up again", {"rescale": 1.0}),
    "jitter": Mitigation("brightness, contrast, saturation and hue of training photos vary", {"jitter": 1.0}),
}
"""By the name that a study's `mitigations` gives."""


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
            self.target,
            self.setting.name,
            str(self.train_view),
            str(self.test_view),
            self.model,
            self.seed,
            self.recipe.mitigation,
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
    target: str,
    setting: str,
    train_view: str,
    test_view: str,
    model: str,
    seed: int | str,
    mitigation: str = "none",
) -> str:
    """What people call a trial: `label-disjoint-rgb-resnet34-seed3`, or `...-resnet34-reweight-seed3`."""
    views = train_view if test_view == train_view else f"{train_view}-to-{test_view}"
    helped = "" if mitigation == "none" else f"-{mitigation}"
    return f"{target}-{setting}-{views}-{model}{helped}-seed{seed}"


def mitigate(recipe: Recipe, mitigation: str) -> Recipe:
    """A recipe with the fields of a mitigation.

    Raises:
        CamerabiasError: The recipe has fields that do not go with it.
    """
    fields = recipe.model_dump() | dict(MITIGATIONS[mitigation].fields)
    return _validate(fields, f"the recipe with mitigation {mitigation!r}")


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
