"""How a linear probe is trained, and the embeddings that it is trained on. Plain data, without torch."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from camerabias.datasets.schema import Fit
from camerabias.datasets.views.registry import View
from camerabias.trainables.spec.mitigation import MITIGATIONS
from camerabias.trainables.spec.recipe import BALANCING, Augmentation, Precision

INPUT_SIDE = 224
"""Side in pixels of what a backbone is given: the size that most networks learned ImageNet at."""

NATIVE_CROPS = 1
"""Crops at the original resolution that stand beside the resized image."""

AUGMENTED_DRAWS = 4
"""Draws of each training image where a view or a mitigation is random: an embedding is fixed, so these are all."""


class LinearProbe(BaseModel):
    """Multinomial logistic regression on features of a frozen backbone, in place of a `Recipe`.

    Attributes:
        training: Says so, in the configuration of a trial.
        crops: Crops at the original resolution whose features, averaged, stand beside those of the resized image.
        precision: Of the backbone's forward pass.
        mitigation: A name of `MITIGATIONS`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_steps: ClassVar[int] = 1
    """The fit as a whole is one step."""

    training: Literal["linear_probe"] = "linear_probe"
    crops: int = Field(ge=0)
    precision: Precision
    mitigation: str = "none"

    @property
    def augmentation(self) -> Augmentation:
        """What its mitigation does to training images."""
        fields = MITIGATIONS[self.mitigation].fields
        return Augmentation(**{name: fields[name] for name in Augmentation.model_fields if name in fields})

    @property
    def balancing(self) -> str | None:
        """What its mitigation does to label × camera cells, one of `BALANCING`."""
        return next((name for name in BALANCING if name in MITIGATIONS[self.mitigation].fields), None)


class Embedding(BaseModel):
    """Features of every image of a dataset: what is built once as Parquet and shared by trials, as a variant is.

    Attributes:
        backbone: Name of the model; `OWN_FEATURES` where the user has brought features.
        weights: `sha256:...` of its weights' content, or of the user's file.
        view: How the backbone sees images.
        size: Side of its input in pixels.
        fit: How images become that size.
        crops: See `LinearProbe`.
        precision: Likewise.
        augmentation: What is done to the input at random.
        draws: How often each image is drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbone: str
    weights: str
    view: View
    size: int
    fit: Fit
    crops: int
    precision: Precision
    augmentation: Augmentation = Augmentation()
    draws: int = 1

    @property
    def folder(self) -> str:
        """embedding-BACKBONE-VIEW-HASH: its folder below `variants/`. The hash is over everything above."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        digest = hashlib.sha256(canonical.encode()).hexdigest()[:12]
        return f"embedding-{self.backbone.replace('/', '_')}-{self.view.name}-{digest}"


LINEAR = "linear:"
"""How names of models begin that are linear probes; the name of the backbone follows."""

USUAL_BACKBONE = "tf_efficientnet_lite0"
"""Of the linear probe that is audited unasked: its weights come with the package."""

OWN_FEATURES = "embeddings"
"""The backbone of a probe on features that the user has brought."""


def is_linear(model: str) -> bool:
    """Whether a model is a linear probe, such as `linear:resnet34`."""
    return model.startswith(LINEAR)


def backbone_of(model: str) -> str:
    """The backbone of a linear probe; any other model itself."""
    return model.removeprefix(LINEAR)
