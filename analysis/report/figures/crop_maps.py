"""Figures 8 and 9: where in a photo the camera is recognised, crop by crop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

from camerabias.analysis.effects.probes import all_crops, crops_right
from camerabias.analysis.records.records import Records
from camerabias.analysis.report.figures.base import FIGURES, by_preference, show_photo
from camerabias.analysis.statistics.number_format import show_p, show_share
from camerabias.analysis.statistics.permutation import map_uniformity
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.trainables.records.record import ProbeArrays
from camerabias.trainables.records.study import StudyCell

HEAT = "viridis"


def crop_heat_map(records: Records) -> tuple[Figure, str]:
    """Figure 8: accuracy of small crops by their position, over the training photos of all seeds."""
    cell, probes = _preferred(records, "camera", "crop_map")
    right, groups = all_crops(probes)
    p, by_place, first = map_uniformity(right, groups), right.mean(axis=0), probes[0]
    figure = Figure(figsize=(3.9, 3.2), layout="constrained")
    axis = figure.subplots()
    _show_map(axis, first, by_place, (float(by_place.min()), float(by_place.max())))
    axis.set(xlabel="centre of the crop (pixels)", ylabel="centre of the crop (pixels)")
    _colour_bar(figure, axis, "accuracy")
    side = int(first["side"])
    return figure, (
        f"Accuracy of {records.model_name(cell)} on the camera from {side} × {side} crops by position, over "
        f"{right.shape[0] // len(probes)} training photos and {len(probes)} seeds: mean "
        f"{show_share(by_place.mean())}, from {show_share(by_place.min())} to {show_share(by_place.max())}, which "
        f"the colours span. Permutation test of uniformity: {show_p(p)}."
    )


def crops_of_single_photos(records: Records) -> tuple[Figure, str]:
    """Figure 9: a test photo of each camera, and the probability of that camera by the position of a crop."""
    cell, (probe, *_) = _preferred(records, "camera", "crop_images")
    shown = probe["camera"].tolist()
    order = [shown.index(camera) for camera in records.info.cameras if camera in shown]
    figure = Figure(figsize=(1.3 * len(order) + 0.7, 3.0), layout="constrained")
    axes = figure.subplots(2, len(order), squeeze=False)
    right = crops_right(probe)
    for column, image in enumerate(order):
        show_photo(axes[0, column], probe["pixels"][image])
        _show_map(axes[1, column], probe, probe["probability"][image], (0, 1))
        axes[0, column].set_title(str(probe["camera"][image]))
        axes[1, column].set(xticks=[], yticks=[], xlabel=f"{right[image].mean():.0%} right")
    _colour_bar(figure, axes[1, -1], "probability")
    side = int(probe["side"])
    return figure, (
        f"A test photo of each camera. Below it: the probability that one {records.model_name(cell)} gives the true "
        f"camera from the {side} × {side} crop around each place, and the share of crops that are right."
    )


FIGURES["figure8"] = crop_heat_map
FIGURES["figure9"] = crops_of_single_photos


def _preferred(records: Records, target: Target, kind: str) -> tuple[StudyCell, list[ProbeArrays]]:
    """The cell whose probes a figure shows, the paper's model first, with those of all of its seeds."""
    for cell in by_preference(records.cells(target)):
        probes = [probe for _, probe in records.probes(cell, kind)]
        if probes:
            return cell, probes
    raise CamerabiasError(f"the probe {kind} has not run on any trial on the {target}")


def _show_map(
    axis: Axes, probe: ProbeArrays, values: npt.NDArray[np.floating], span: tuple[float, float]
) -> None:
    """Show values by the position of crops, at the centres of the crops in pixels of the image."""
    half = int(probe["side"]) / 2
    extent = (*_ends(probe["left"] + half), *_ends(probe["top"] + half)[::-1])
    axis.imshow(values, cmap=HEAT, vmin=span[0], vmax=span[1], extent=extent, interpolation="nearest")


def _ends(centres: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Where the first cell of a row begins and the last one ends."""
    step = float(centres[1] - centres[0]) if len(centres) > 1 else 1.0
    return float(centres[0]) - step / 2, float(centres[-1]) + step / 2


def _colour_bar(figure: Figure, axis: Axes, label: str) -> Colorbar:
    return figure.colorbar(axis.images[0], ax=axis, label=label, shrink=0.9)
