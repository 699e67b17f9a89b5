"""A variant: every image of a dataset through one view, at one size."""

from __future__ import annotations

import hashlib
import json

from pydantic import BaseModel, ConfigDict

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.schema import Fit
from camerabias.datasets.views.fit import fit_pixels
from camerabias.datasets.views.registry import View


class Variant(BaseModel):
    """A view at a size: what is built once as Parquet and shared by every trial that sees it.

    Attributes:
        view: The view.
        size: Height of the result in pixels; the width follows from the view.
        fit: How the view's pixels become that size.
    """

    model_config = ConfigDict(frozen=True)

    view: View
    size: int
    fit: Fit

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of every image of the variant."""
        width_share = 1.0 if self.fit == "stretch" else self.view.kind.width_share
        return self.size, round(self.size * width_share), self.view.kind.channels

    @property
    def folder(self) -> str:
        """NAME-HASH: its folder below `variants/`. The hash is over everything that makes the pixels."""
        canonical = json.dumps(self.model_dump(), sort_keys=True)
        return f"{self.view.name}-{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"

    def render(self, pixels: Pixels) -> Pixels:
        """The variant of one image: uint8 (H, W, 3) original pixels in, uint8 of `shape` out."""
        height, width, _ = self.shape
        seen = self.view.kind.transform(pixels, self.view.parameters)
        return fit_pixels(seen, height, width, self.fit)
