"""Drawing every figure that a run allows, and writing them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import matplotlib as mpl
from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.report.figures.base import AUDIT_FIGURES, FIGURES, STYLE
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.datasets.io.letters import fit_letters
from camerabias.datasets.io.registered import import_files
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import CamerabiasError


@dataclass(frozen=True)
class DrawnFigure:
    """A figure, drawn.

    Attributes:
        name: Name of its files.
        caption: What it shows.
        png: The picture at 200 dots per inch.
        pdf: The same for print.
    """

    name: str
    caption: str
    png: bytes
    pdf: bytes


def draw_figures(records: Records, audit: Findings | None = None) -> tuple[list[DrawnFigure], dict[str, str]]:
    """Draw every figure that the records allow.

    Args:
        records: A run's records.
        audit: What an audit of the run has found, if it is one.

    Returns:
        The figures, those of the audit first, each kind by name; and the reason of each that could not be drawn.
    """
    import_files("camerabias.analysis.report.figures")
    draws = {name: partial(draw, records) for name, draw in sorted(FIGURES.items())}
    if audit is not None:
        draws = {name: partial(draw, audit) for name, draw in sorted(AUDIT_FIGURES.items())} | draws
    drawn, missing = [], {}
    for name, draw in draws.items():
        with mpl.rc_context(STYLE):
            try:
                picture = draw()
            except CamerabiasError as error:
                missing[name] = str(error)
                continue
            if picture is not None:
                drawn.append(render_figure(name, *picture))
    return drawn, missing


def render_figure(name: str, figure: Figure, caption: str) -> DrawnFigure:
    """A figure as files, without dates, so that the same records make the same files."""
    fit_letters(figure)
    return DrawnFigure(name, caption, _save(figure, "png", "Software"), _save(figure, "pdf", "CreationDate"))


def write_figures(figures: Sequence[DrawnFigure], folder: Folder) -> None:
    """Write NAME.png and NAME.pdf of every figure."""
    for figure in figures:
        folder.write_bytes(f"{figure.name}.png", figure.png)
        folder.write_bytes(f"{figure.name}.pdf", figure.pdf)


def _save(figure: Figure, kind: str, dated: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, metadata={dated: None})
    return stream.getvalue()
