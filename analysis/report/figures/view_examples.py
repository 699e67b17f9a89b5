"""Figures 6 and 7: what the views binary and jitter show of a photo."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.records.study import ViewPicture
from camerabias.analysis.report.figures.base import FIGURES, read_photo, show_photo
from camerabias.datasets.schema import CamerabiasError

MAX_DRAWS = 5  # so that with the original they fill two rows of three


def binary_view(records: Records) -> tuple[Figure, str]:
    """Figure 6: a photo, and its local mean threshold."""
    pictures = records.view_pictures()
    shown = [_of_view(pictures, "rgb")[:1], _of_view(pictures, "binary")[:1]]
    if not all(shown):
        raise CamerabiasError("the run carries no photo with its binary view (examples/views.json)")
    figure = Figure(figsize=(5.0, 2.6), layout="constrained")
    for axis, (picture,) in zip(figure.subplots(1, 2), shown, strict=True):
        show_photo(axis, read_photo(records, picture))
        axis.set_title(picture.view)
    return figure, "A photo, and its binary view: brighter or darker than its surroundings."


def jitter_draws(records: Records) -> tuple[Figure, str]:
    """Figure 7: a photo, top left, and draws of its colour jitter."""
    pictures = records.view_pictures()
    original, draws = _of_view(pictures, "rgb")[:1], _of_view(pictures, "jitter")[:MAX_DRAWS]
    if not (original and draws):
        raise CamerabiasError("the run carries no photo with jittered draws (examples/views.json)")
    figure = Figure(figsize=(5.0, 3.5), layout="constrained")
    for axis, picture in zip(figure.subplots(2, 3).flat, [*original, *draws], strict=False):
        show_photo(axis, read_photo(records, picture))
    return figure, (
        "A photo (top left), and the same with hue, saturation, contrast and brightness drawn at random, as in "
        "training on the view jitter."
    )


FIGURES["figure6"] = binary_view
FIGURES["figure7"] = jitter_draws


def _of_view(pictures: Sequence[ViewPicture], kind: str) -> list[ViewPicture]:
    """Pictures of a view, whatever its parameters, by draw."""
    found = [picture for picture in pictures if picture.view.partition("-")[0] == kind]
    return sorted(found, key=lambda picture: picture.draw)
