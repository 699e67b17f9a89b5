"""The table of labels and cameras, shaded by how many photos a cell has."""

from __future__ import annotations

from dataclasses import dataclass

from camerabias.analysis.design.cells import folded_cells, show_cells
from camerabias.analysis.design.design import Design


@dataclass(frozen=True)
class HeatCell:
    """A label by a camera.

    Attributes:
        text: Its photos, with its groups in brackets where these are fewer.
        share: Its photos as a share of the fullest cell's, from 0 to 1.
        aligned: Whether the label is the camera's associated one.
    """

    text: str
    share: float
    aligned: bool


@dataclass(frozen=True)
class HeatTable:
    """A row of cells per label.

    Attributes:
        cameras: Heads of the columns.
        rows: Labels, and their cells.
        noun: What stands in brackets, if anything.
        has_aligned: Whether any camera has an associated label.
    """

    cameras: list[str]
    rows: list[tuple[str, list[HeatCell]]]
    noun: str
    has_aligned: bool


def heat_table(design: Design) -> HeatTable:
    """The cells of a design; of many labels or cameras the rarest are counted together."""
    photos, groups = folded_cells(design)
    shown, most = show_cells(photos, groups), max(1, int(photos.to_numpy().max()))
    rows = [
        (
            str(label),
            [
                HeatCell(
                    str(shown.loc[label, camera]),
                    float(photos.loc[label, camera]) / most,
                    design.associated_labels.get(str(camera)) == label,
                )
                for camera in photos.columns
            ],
        )
        for label in photos.index
    ]
    return HeatTable(
        [str(camera) for camera in photos.columns], rows, design.noun, bool(design.associated_labels)
    )
