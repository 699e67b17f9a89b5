"""The words that every part of camerabias shares: errors, names of columns and files, the dataset's manifest.

Imports nothing of the rest of the package, and no torch and no Ray, so that analysis can read it anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
"""Version of the files on disk; raised when an old reader would misread a new file."""

N_FOLDS = 10
"""Folds that a dataset is dealt into: a tenth is tested, as in the paper ("a random 10 %")."""

MANIFEST_FILE = "dataset.json"
RUN_FILE = "run.json"
INDEX_FILE = "index.parquet"
REJECTED_FILE = "rejected.csv"
FACTS_FILE = "facts.parquet"
PIXELS_FILE = "pixels.parquet"
JUDGED_FILE = "judged.parquet"
IMAGES_FOLDER = "images"
VARIANTS_FOLDER = "variants"

INDEX_COLUMNS = (
    "image_id", "label", "camera", "group", "fold", "split", "width", "height", "format", "part",
)  # fmt: skip
"""Columns of `index.parquet` that camerabias itself writes; a user's other columns stand after them."""

PICTURE_DIGITS = 20
"""First characters of an image_id, which name the picture by its bytes; copies have `-1`, `-2`, ... after them."""

MAX_TIED_GROUPS = 5
"""Groups that a picture, which lies in all of them byte for byte, ties into one fold. A picture in more of them is a
placeholder or a black frame, which says nothing of the groups and would put all of them into one fold."""

NO_EXIF_CAMERA = "no EXIF"
"""Camera of a photo whose EXIF names neither make nor model."""

STRENGTH, WITHOUT = "strength-", "without-"
"""How the names of two settings begin, which go on with a strength and with a camera."""

Target = Literal["label", "camera"]
"""What a trial learns."""

Fit = Literal["resize", "crop", "pad", "stretch"]
"""How an image of any size becomes the model's input; see `views.fit_pixels`."""

Layout = Literal["label/camera", "camera/label", "label"]
"""What the levels of a folder tree of photos stand for."""

CameraFrom = Literal["exif"]
"""Where the camera comes from, if the source of photos does not name it."""

Preset = Literal["demo", "paper"]
"""What the simulator makes where nothing else is asked for."""

ExecutorName = Literal["ray", "local"]
"""Where work runs: spread by Ray, or on this machine alone."""


def pictures_of(image_ids: pd.Series[str]) -> pd.Series[str]:
    """The picture that each photo shows: photos with the same bytes show the same."""
    return image_ids.str[:PICTURE_DIGITS]


def quoted(name: object) -> str:
    r"""A name in quotes, as sentences hold it; escapes in it stay as tables show them (`\x1b`)."""
    return repr(str(name)).replace("\\\\", "\\")


class CamerabiasError(Exception):
    """An error of the user's, in one or a few sentences: what was given, what is allowed, what to do.

    The command line prints it and exits with 1; everything else that is raised is a bug of ours.
    """


def wrong_fields(error: ValidationError) -> str:
    """What pydantic has found, for a message: `images 15: Input should be a multiple of 10; …`."""
    return "; ".join(map(_wrong_field, error.errors()))


def _wrong_field(problem: ErrorDetails) -> str:
    given = problem["input"]
    shown = (
        f" {given!r}" if isinstance(given, str | int | float) else ""
    )  # not all the fields beside a missing one
    return f"{'.'.join(map(str, problem['loc'])) or 'all'}{shown}: {problem['msg']}"


class CellSize(BaseModel):
    """How many images one label × camera × fold cell holds."""

    model_config = ConfigDict(frozen=True)

    label: str
    camera: str
    fold: int
    n: int


class Part(BaseModel):
    """One `images/part-*.parquet`: its number of images and the SHA-256 of its content hashes, in order."""

    model_config = ConfigDict(frozen=True)

    name: str
    n: int
    checksum: str


class DatasetManifest(BaseModel):
    """`dataset.json`, written last: a folder without it is no dataset."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION
    source: dict[str, Any]
    """How it was made: `kind` (simulator, or a name of `ingest.photo.SOURCES`) and what makes it again."""
    labels: tuple[str, ...]
    cameras: tuple[str, ...]
    n_images: int
    n_rejected: int
    has_split: bool
    """Whether a `split` column of the user's decides what is tested, in place of the folds."""
    size: int
    """Side in pixels at which views are built unless a study asks otherwise."""
    fit: Fit
    cells: tuple[CellSize, ...]
    parts: tuple[Part, ...]
    fingerprint: str
    """SHA-256 of the sorted (image_id, label, camera, group, fold[, split]); names the dataset in records."""
    notes: tuple[str, ...] = ()
    """What was noticed of the photos as they were read, in sentences."""
    index_checksum: str = ""
    """SHA-256 of `index.parquet`; datasets made before there was one have none."""

    def classes(self, target: Target) -> tuple[str, ...]:
        """The classes that a trial on `target` distinguishes, in the order of its probabilities."""
        return self.labels if target == "label" else self.cameras

    def count(self, label: str, camera: str) -> int:
        """How many images the cell `label` × `camera` holds over all folds."""
        return sum(cell.n for cell in self.cells if (cell.label, cell.camera) == (label, camera))
