"""JPEG: saved again at one quality, with one table and subsampling, the coarsest there is."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from camerabias.datasets.interventions.cue import CUES, CueSpec
from camerabias.datasets.interventions.intervention import Intervention, Level
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.pixels.areas import BLOCK
from camerabias.datasets.pixels.photo import PreparedPhoto

STEPS = BLOCK**2
"""Numbers of a table."""

SUBSAMPLING = ("4:4:4", "4:2:2", "4:2:0")
"""By log₂ of the pixels per stored colour."""

TOLERANCE = 0.05
"""Mean log₂ step by which the other level may be the finer one."""


class Jpeg(Intervention):
    """Levels are log₂ of the quantisation steps of luma and of colour, and of the pixels per stored colour."""

    def measure(self, photo: PreparedPhoto) -> Level:
        """As `tables_of`."""
        return tables_of(photo)

    def common(self, levels: Level) -> Level:
        """The coarsest step at every frequency, and the coarsest subsampling."""
        return np.asarray(levels.max(axis=0))

    def reaches(self, level: Level, other: Level) -> bool:
        """Where the other level is the coarser one."""
        parts = (slice(STEPS), slice(STEPS, -1), slice(-1, None))
        return all(level[part].mean() <= other[part].mean() + TOLERANCE for part in parts)

    def move(self, pixels: Pixels, level: Level, other: Level, generator: np.random.Generator) -> Pixels:
        """Save it again; a photo of that level already is changed by rounding alone."""
        return saved_again(pixels, other)


CUES["jpeg"] = CueSpec(
    number=3,
    parameters=("jpeg_quality", "jpeg_tables", "jpeg_subsampling"),
    mitigation="recompress",
    full_strength={"jpeg_quality": 4, "jpeg_tables": 1, "jpeg_subsampling": 1},
    intervention=Jpeg(),
    words="JPEG compression",
)


def tables_of(photo: PreparedPhoto) -> Level:
    """The level of `Jpeg`, (129,): what the file says; NaN of other formats, and of gray files."""
    if photo.jpeg is None or photo.jpeg.chroma is None or photo.jpeg.luma_per_chroma is None:
        return np.full(2 * STEPS + 1, np.nan)
    steps = np.concatenate([photo.jpeg.luma.ravel(), photo.jpeg.chroma.ravel(), [photo.jpeg.luma_per_chroma]])
    return np.asarray(np.log2(np.maximum(steps, 1).astype(np.float64)))


def saved_again(pixels: Pixels, level: Level) -> Pixels:
    """A photo after JPEG with tables (129,) as those of `tables_of`."""
    tables = np.clip(np.rint(2.0 ** level[:-1]), 1, 255).astype(int).reshape(2, STEPS).tolist()
    subsampling = SUBSAMPLING[int(np.clip(round(level[-1]), 0, len(SUBSAMPLING) - 1))]
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", qtables=tables, subsampling=subsampling)
    return np.asarray(Image.open(file))
