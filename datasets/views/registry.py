"""What a trial sees of an image. Deterministic views are built once, as *variants*, random ones drawn from `rgb`.

To add a view, write a function from original pixels to pixels and register it in `VIEWS`; for a random view, one
like those in `random_views`.
Views are computed on the original pixels at full size; only then is the result fitted to the model's input,
since resizing first would destroy (and plant) the very traces that a view is meant to keep or remove.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import cv2
import numpy as np
from pydantic import model_validator

from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.io.registered import Parameters, Registered
from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.views.random import CROP_SIDE, jitter, random_crop
from camerabias.datasets.views.traces import highpass, lowpass, recompressed, resampled, residual, shuffled

if TYPE_CHECKING:
    from camerabias.datasets.views.random import Draw


class Bounds(NamedTuple):
    """Values that a parameter may have, from `low` to `high`, `whole` numbers alone or any."""

    low: float
    high: float
    whole: bool = False

    def allows(self, value: float) -> bool:
        """Whether a value is one of these."""
        return self.low <= value <= self.high and not (self.whole and value % 1)

    def __str__(self) -> str:
        ends = f"{self.low:g} and {self.high:g}"
        return f"be a whole number between {ends}" if self.whole else f"lie between {ends}"


@dataclass(frozen=True)
class ViewKind:
    """A registered view.

    Attributes:
        transform: uint8 (H, W, 3) and parameters in, uint8 (h, w, channels) out.
        channels: 3, or 1 where the view has no colour.
        defaults: Parameters with their default values.
        ranges: Values that parameters may have.
        width_share: Width of the result relative to its height, for a square image.
        draw: Of a random view, how a batch is drawn from the stored `rgb` images, see `random_views.Draw`.
        n_numbers: Random numbers that a draw takes per image.
        test_draws: Draws of each test image.
        side: Side in pixels of a view that is a small crop of the original pixels; None for the model's input.
        moves: Whether what a photo shows lies elsewhere in the view.
    """

    transform: Callable[[Pixels, Mapping[str, float]], Pixels]
    channels: int = 3
    defaults: Parameters = field(default_factory=dict)
    ranges: Mapping[str, Bounds] = field(default_factory=dict)
    width_share: float = 1.0
    draw: Draw | None = None
    n_numbers: int = 0
    test_draws: int = 1
    side: int | None = None
    moves: bool = False


def rgb(pixels: Pixels, _: Mapping[str, float]) -> Pixels:
    """The photo as it is."""
    return pixels


def gray(pixels: Pixels, _: Mapping[str, float]) -> Pixels:
    """Luma after ITU-R BT.601, (H, W, 1): what is left without colour."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], dtype=np.uint8)


def binary(pixels: Pixels, parameters: Mapping[str, float]) -> Pixels:
    """Local mean threshold (paper, section IV-D): 255 where luma > mean over `window`² - `offset`, else 0.

    `window` is an odd number of pixels, `offset` in gray levels; edges are mirrored. The paper gives neither.
    """
    luma = gray(pixels, {})[..., 0].astype(np.float64)
    window = int(parameters["window"])
    # sums of whole numbers are exact in float64, so that a flat area falls on one side of the threshold
    total = cv2.boxFilter(luma, cv2.CV_64F, (window, window), normalize=False, borderType=cv2.BORDER_REFLECT)
    above = (luma + parameters["offset"]) * window**2 > total
    return np.where(above, 255, 0).astype(np.uint8)[..., None]


def left(pixels: Pixels, _: Mapping[str, float]) -> Pixels:
    """The left half (paper, section IV-G); of an odd width, the middle column belongs to neither half."""
    return pixels[:, : pixels.shape[1] // 2]


def right(pixels: Pixels, _: Mapping[str, float]) -> Pixels:
    """The right half, as wide as the left one."""
    return pixels[:, pixels.shape[1] - pixels.shape[1] // 2 :]


VIEWS: dict[str, ViewKind] = {
    "rgb": ViewKind(rgb),
    "gray": ViewKind(gray, channels=1),
    # 25 pixels hold a printed dot and its surroundings at the paper's 1024 pixels; 15 gray levels leave nothing of
    # the noise of flat plastic (below 0.2 % of its pixels with the noisiest simulated camera, where 5 left 5.5 %)
    "binary": ViewKind(binary, channels=1, defaults={"window": 25, "offset": 15}),
    "left": ViewKind(left, width_share=0.5),
    "right": ViewKind(right, width_share=0.5),
    # any hue, from nearly gray to nearly twice as colourful: the paper's Figure 7 leaves no colour to rely on
    "jitter": ViewKind(
        rgb,
        defaults={"brightness": 0.4, "contrast": 0.4, "saturation": 0.8, "hue": 0.5},
        ranges={
            "brightness": Bounds(0, 1),
            "contrast": Bounds(0, 1),
            "saturation": Bounds(0, 1),
            "hue": Bounds(0, 0.5),
        },
        draw=jitter,
        n_numbers=4,
    ),
    # a test on a single crop, and the mean over ten
    "crop32": ViewKind(rgb, draw=random_crop, n_numbers=2, test_draws=10, side=CROP_SIDE),
    # with two pixels the blur is as wide as a block of a JPEG, and wider than what sharpening and demosaicing reach
    "lowpass": ViewKind(lowpass, defaults={"sigma": 2}, ranges={"sigma": Bounds(0.3, 100)}),
    "highpass": ViewKind(highpass, defaults={"sigma": 2}, ranges={"sigma": Bounds(0.3, 100)}),
    "residual": ViewKind(residual, defaults={"gain": 4}, ranges={"gain": Bounds(0.1, 100)}),
    "recompressed": ViewKind(
        recompressed, defaults={"quality": 50}, ranges={"quality": Bounds(1, 100, whole=True)}
    ),
    "resampled": ViewKind(resampled, defaults={"factor": 2}, ranges={"factor": Bounds(1, 100)}),
    "shuffled": ViewKind(
        shuffled, defaults={"grid": 4}, ranges={"grid": Bounds(2, 100, whole=True)}, moves=True
    ),
}


class View(Registered):
    """A view by name, with its parameters."""

    noun: ClassVar[str] = "view"
    registry: ClassVar[Mapping[str, ViewKind]] = VIEWS

    @model_validator(mode="after")
    def _check(self) -> View:
        window = self.parameters.get("window")
        if window is not None and (window < 3 or window % 2 != 1):
            raise ValueError(f"window {window:g} of view {self.name!r} must be an odd number from 3 up")
        for name, allowed in self.kind.ranges.items():
            if not allowed.allows(self.parameters[name]):
                raise ValueError(f"{name} {self.parameters[name]:g} of view {self.name!r} must {allowed}")
        return self

    @property
    def kind(self) -> ViewKind:
        """The registered view behind the name."""
        return VIEWS[self.name]

    @property
    def stored(self) -> View:
        """What is built as Parquet: the view itself, or what a random view draws from."""
        return self if self.kind.draw is None else View.model_validate("rgb")


def parse_views(text: str) -> list[View]:
    """Views from the command line's `rgb,gray`; parameters are for study files."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    allowed = sorted(name for name, kind in VIEWS.items() if kind.draw is None)
    unknown = [name for name in names if name not in allowed]
    if unknown or not names:
        raise CamerabiasError(
            f"No view to build is named {', '.join(unknown) or '(none given)'}{allowed_names(unknown, allowed)} "
            "(random views are drawn while training)."
        )
    return [View.model_validate(name) for name in names]
