"""What a run says of its studies and examples: the files' models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from camerabias.datasets.schema import Target
from camerabias.trainables.spec.trial import trial_name


class RunInfo(BaseModel):
    """What analysis needs of `run.json`; its other entries are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow")

    dataset: str
    dataset_location: str
    labels: tuple[str, ...]
    cameras: tuple[str, ...]
    versions: dict[str, Any]
    machine: dict[str, Any]
    has_split: bool


class StudyCell(BaseModel):
    """One cell of a study's grid: the trials that differ by their seed alone."""

    model_config = ConfigDict(frozen=True)

    target: Target
    setting: str
    train_view: str
    test_view: str
    model: str
    size: int
    seen_cameras: tuple[str, ...]
    """Cameras of the training images."""
    trials: dict[int, str]
    """Trial id by seed."""
    probes: tuple[str, ...] = ()
    """What else was asked of the trained models."""
    test_draws: int = 1
    """How often each test image is drawn: more than once only through a random view."""
    downsampled: bool = False
    """Whether the model sees fewer pixels than the images of the dataset have."""
    mitigation: str = "none"
    """What is done against learning the camera, a name of `config.MITIGATIONS`."""

    @property
    def views(self) -> str:
        """Both views as one word: `rgb`, or `left → right` where they differ."""
        if self.train_view == self.test_view:
            return self.train_view
        return f"{self.train_view} → {self.test_view}"

    @property
    def view_kinds(self) -> tuple[str, str]:
        """Names of the train and the test view, whatever their parameters: `binary` of `binary-window15`."""
        return self.train_view.partition("-")[0], self.test_view.partition("-")[0]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the cell from others."""
        views = (self.train_view, self.test_view)
        return (self.target, self.setting, *views, self.model, str(self.size), self.mitigation)

    def trial_name(self, seed: int) -> str:
        """A readable name, as `TrialConfig.name` gives it."""
        views = (self.train_view, self.test_view)
        return trial_name(self.target, self.setting, *views, self.model, seed, self.mitigation)


Sizes = Mapping[tuple[str, str], set[int]]
"""Input sizes by model and views."""


def sizes_of(cells: Iterable[StudyCell]) -> Sizes:
    """The sizes at which models see the same views."""
    sizes: dict[tuple[str, str], set[int]] = {}
    for cell in cells:
        sizes.setdefault((cell.model, cell.views), set()).add(cell.size)
    return sizes


def name_model(cell: StudyCell, sizes: Sizes) -> str:
    """The model, with its input size where there are several for the same views, so that they look different.

    Small pieces and whole photos are of different sizes anyway; their views tell them apart.
    """
    return cell.model if len(sizes[cell.model, cell.views]) == 1 else f"{cell.model} at {cell.size}"


class Skipped(BaseModel):
    """A setting that the dataset cannot serve."""

    model_config = ConfigDict(frozen=True)

    target: Target
    setting: str
    reason: str


class Study(BaseModel):
    """`studies/NAME.yaml`: what was asked for, and the trials it came to."""

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    paper: str | None
    """The paper's table or figure that the study repeats, such as `Table II`."""
    note: str | None
    models: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: tuple[StudyCell, ...]
    skipped: tuple[Skipped, ...]


class Example(BaseModel):
    """An original photo that the run carries along for Figure 1; `file` lies in `examples/`."""

    model_config = ConfigDict(frozen=True)

    image_id: str
    label: str
    camera: str
    group: str
    file: str


class ViewPicture(BaseModel):
    """One photo as a view shows it, for Figures 6 and 7; `file` is a PNG in `examples/`."""

    model_config = ConfigDict(frozen=True)

    image_id: str
    view: str
    draw: int
    file: str
