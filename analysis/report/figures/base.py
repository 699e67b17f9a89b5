"""What a figure is, and what several of them need: colours, panels, photos.

A figure is a function from records, or from what an audit has found, to a picture and its caption. It gives None
where it is not about such a run, and raises `CamerabiasError` with the reason where the run lacks what it would show.
Colours are Okabe and Ito's, which colour-blind readers can distinguish.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from camerabias.analysis.paper.evidence import PREFERRED_MODEL
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.study import Example, ViewPicture
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.datasets.io.decode import ImageError, Pixels, decode
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.trainables.records.study import StudyCell

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, YELLOW = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#F0E442",
)  # fmt: skip
TARGET_COLOURS: dict[Target, str] = {"camera": VERMILION, "label": BLUE}
LABEL_COLOURS = (SKY, ORANGE, GREEN, PURPLE, BLUE, VERMILION, YELLOW)

STYLE: dict[Any, Any] = {
    "figure.dpi": 200, "font.size": 8, "axes.titlesize": 8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "legend.frameon": False,
    "text.parse_math": False,  # a label may hold a dollar sign
    "pdf.fonttype": 42,  # text stays text
}  # fmt: skip
PANEL_WIDTH, PANEL_HEIGHT = 2.4, 2.1  # inches
MAX_PANELS = 3  # side by side, which fills a printed page

FIGURES: dict[str, Callable[[Records], tuple[Figure, str] | None]] = {}
"""Figures of any run, by the name of their files; the files of this folder fill it."""

AUDIT_FIGURES: dict[str, Callable[[Findings], tuple[Figure, str] | None]] = {}
"""Figures of an audit."""


def panels(n: int, extra: float = 0.0, below: float = 0.0) -> tuple[Figure, list[Axes]]:
    """Panels side by side.

    Args:
        n: How many.
        extra: Inches that each is wider than usual.
        below: Inches under each for long names.
    """
    columns = min(n, MAX_PANELS)
    rows = ceil(n / columns)
    width = PANEL_WIDTH + extra + (1.0 if n == 1 else 0.0)
    figure = Figure(figsize=(width * columns, (PANEL_HEIGHT + below) * rows + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten().tolist()
    for unused in grid[n:]:
        unused.set_visible(False)
    return figure, grid[:n]


def legend_below(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend of all panels, below them."""
    drawn = {
        name: handle for axis in axes for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    # about 13 letters an inch, and 5 for the handle
    columns = int(13 * figure.get_figwidth() / (max(map(len, drawn)) + 5)) if drawn else 1
    columns = max(1, min(len(drawn), columns))
    figure.legend(list(drawn.values()), list(drawn), loc="outside lower center", ncols=columns)


def tilt(names: Sequence[str]) -> dict[str, Any]:
    """How names stand below an axis: long or many of them at an angle."""
    longest = max(len(line) for name in names for line in name.split("\n"))
    if longest * len(names) <= 50:
        return {}
    return {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}


def finished(records: Records, target: Target, setting: str) -> list[StudyCell]:
    """Cells of a setting with a finished trial, on photos as they are."""
    return [cell for cell in records.cells(target, setting, "rgb") if records.done(cell)]


def by_preference(cells: Sequence[StudyCell]) -> list[StudyCell]:
    """Cells in the order in which a figure of one of them takes them: the paper's model first."""
    return sorted(cells, key=lambda cell: cell.model != PREFERRED_MODEL)


def read_photo(records: Records, example: Example | ViewPicture) -> Pixels:
    """The pixels of a photo that a run carries.

    Raises:
        CamerabiasError: It cannot be read; it is named.
    """
    try:
        return decode(records.example_bytes(example))
    except (OSError, ImageError) as error:
        raise CamerabiasError(f"examples/{example.file} cannot be read ({error})") from error


def show_photo(axis: Axes, pixels: Pixels | None) -> None:
    """Show a photo, or that there is none."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    if pixels is None:
        axis.text(0.5, 0.5, "none", ha="center", va="center", transform=axis.transAxes, color="gray")
    else:
        axis.imshow(pixels)
        axis.set(box_aspect=1, adjustable="datalim")  # photos of any shape stand in squares
