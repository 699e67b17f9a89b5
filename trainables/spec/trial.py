"""A trial's configuration and its id."""

from __future__ import annotations

import hashlib
import json
import math

from pydantic import BaseModel, ConfigDict, field_validator

from camerabias.datasets.sampling.rules import Setting
from camerabias.datasets.schema import Fit, Target
from camerabias.datasets.views.registry import View
from camerabias.datasets.views.variant import Variant
from camerabias.trainables.spec.linear_probe import (
    AUGMENTED_DRAWS,
    Embedding,
    LinearProbe,
    backbone_of,
)
from camerabias.trainables.spec.recipe import Augmentation, Recipe


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
        source_size: Side of the original pixels that small crops (`crop32`) are cut from; None for other views.
        rotation: The test folds are those that leave `test_fold` as the remainder of a division by this number; None
            is one fold of the ten.
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
    recipe: Recipe | LinearProbe
    train_size: int | None = None
    source_size: int | None = None
    rotation: int | None = None

    @field_validator("recipe")
    @classmethod
    def _is_settled(cls, recipe: Recipe | LinearProbe) -> Recipe | LinearProbe:
        if recipe.precision == "auto":
            raise ValueError("precision auto stands for float32 or bfloat16; a trial has one of them")
        return recipe

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
    def seed_matters(self) -> bool:
        """Whether another seed changes more than the test fold.

        Not of a linear probe that takes all images of its setting: its fit has no start to draw, and draws of random
        views are those of the embedding.
        """
        if not isinstance(self.recipe, LinearProbe) or self.recipe.balancing == "resample":
            return True
        setting = self.setting
        return setting.equal_counts or setting.weights is not None or self.train_size is not None

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
    def tuning(self) -> Recipe:
        """The recipe of a network's training."""
        assert isinstance(self.recipe, Recipe), f"{self.name} is a linear probe"
        return self.recipe

    @property
    def stored(self) -> tuple[Variant | Embedding, Variant | Embedding]:
        """What training and test images come from."""
        return self.embeddings if isinstance(self.recipe, LinearProbe) else self.variants

    @property
    def variants(self) -> tuple[Variant, Variant]:
        """The variants that training and test images of a network come from."""
        return self._variant(self.train_view), self._variant(self.test_view)

    @property
    def embeddings(self) -> tuple[Embedding, Embedding]:
        """What a linear probe is trained on, and tested on."""
        assert isinstance(self.recipe, LinearProbe), f"{self.name} is no linear probe"
        augmentation = self.recipe.augmentation
        random = bool(augmentation) or self.train_view.kind.draw is not None
        return (
            self._embedding(self.train_view, augmentation, AUGMENTED_DRAWS if random else 1),
            self._embedding(self.test_view, Augmentation(), self.test_view.kind.test_draws),
        )

    @property
    def input_shape(self) -> tuple[int, int]:
        """(height, width) of the images that train."""
        if self.source_size is not None:
            return self.size, self.size
        return self.variants[0].shape[:2]

    @property
    def pixels(self) -> int:
        """How many pixels a network looks at in training, at most; of a linear probe none."""
        if isinstance(self.recipe, LinearProbe):
            return 0
        return self.recipe.max_steps * self.recipe.batch_size * math.prod(self.input_shape)

    def _embedding(self, view: View, augmentation: Augmentation, draws: int) -> Embedding:
        assert isinstance(self.recipe, LinearProbe)
        return Embedding(
            backbone=backbone_of(self.model),
            weights=self.weights,
            view=view,
            size=self.size,
            fit=self.fit,
            crops=self.recipe.crops,
            precision=self.recipe.precision,
            augmentation=augmentation,
            draws=draws,
        )

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
