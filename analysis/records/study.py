"""What a run says of itself and its examples, and what its models are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from camerabias.trainables.records.study import StudyCell


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
    source: dict[str, Any] = {}

    @property
    def is_simulated(self) -> bool:
        """Whether the photos are a simulator's."""
        return self.source.get("kind") == "simulator"


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

    Small crops and whole photos are of different sizes anyway; their views differ.
    """
    return cell.model if len(sizes[cell.model, cell.views]) == 1 else f"{cell.model} at {cell.size}"


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
