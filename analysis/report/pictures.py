"""The paper's figures that show photos: 1 and 5 to 9. `figures.FIGURES` lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

from camerabias.analysis.effects.probes import all_crops, attacked, crops_right
from camerabias.analysis.paper.evidence import PREFERRED_MODEL
from camerabias.analysis.records.records import Probe, Records
from camerabias.analysis.records.study import Example, ViewPicture
from camerabias.analysis.statistics.permutation import map_uniformity
from camerabias.datasets.io.decode import Pixels, decode
from camerabias.datasets.schema import CamerabiasError, Target
from camerabias.trainables.records.study import StudyCell

MAX_ROWS, MAX_COLUMNS = 4, 6  # of photos in Figure 1
MAX_ATTACKED = 2  # photos in Figure 5, as in the paper
MAX_DRAWS = 5  # in Figure 7, so that with the original they fill two rows of three
MID_GRAY = 128
VISIBLE = 96
"""Gray levels that the 99.5th percentile of a perturbation is amplified to: well visible, and little is cut off."""
HEAT = "viridis"


def photo_grid(records: Records) -> tuple[Figure, str]:
    """Figure 1: the same objects through different cameras, a row per label."""
    examples = records.examples()
    labels = [label for label in records.info.labels if len(_of_label(examples, label)) > 1][:MAX_ROWS]
    cameras = [c for c in records.info.cameras if any(e.camera == c and e.label in labels for e in examples)]
    cameras = cameras[:MAX_COLUMNS]
    if not labels:
        raise CamerabiasError("the run carries no photos of one label from two cameras (examples/)")
    figure = Figure(figsize=(1.25 * len(cameras) + 0.3, 1.25 * len(labels) + 0.3), layout="constrained")
    axes = figure.subplots(len(labels), len(cameras), squeeze=False)
    for row, label in enumerate(labels):
        by_camera = {example.camera: example for example in _of_label(examples, label)}
        axes[row, 0].set_ylabel(label)
        for column, camera in enumerate(cameras):
            _show_photo(
                axes[row, column], _picture(records, by_camera[camera]) if camera in by_camera else None
            )
    for axis, camera in zip(axes[0], cameras, strict=True):
        axis.set_title(fill(camera, 14))  # as wide as a photo
    objects = {(example.label, example.group) for example in examples if example.label in labels}
    what = "The same object" if len(objects) == len(labels) else "Photos"
    left_out = [label for label in records.info.labels if label not in labels]
    without = f" Without {', '.join(left_out)}: not from two cameras, or no room." if left_out else ""
    return figure, f"{what} of each label (rows) as each camera (columns) takes it.{without}"


@dataclass(frozen=True)
class _Attack:
    """The perturbations of one model in Figure 5, and by how much they are amplified."""

    setting: str
    probe: Probe
    amplification: float


def perturbation_pairs(records: Records) -> tuple[Figure, str]:
    """Figure 5: the same photos attacked for a balanced and for a disjoint model, a row per photo."""
    model, seed, attacks = _attacks(records)
    chosen = _attacked_in_all(attacks)
    figure = Figure(figsize=(6.4, 1.65 * len(chosen) + 0.3), layout="constrained")
    axes = figure.subplots(len(chosen), 4, squeeze=False)
    for column, attack in enumerate(attacks):
        axes[0, 2 * column].set_title(f"{attack.setting}: on the photo")
        axes[0, 2 * column + 1].set_title(f"{attack.setting}: alone")
        for row, image in enumerate(chosen):
            index = attack.probe["image_id"].tolist().index(image)
            amplified = attack.amplification * attack.probe["perturbation"][index]
            _show_photo(axes[row, 2 * column], _as_pixels(attack.probe["pixels"][index] + amplified))
            _show_photo(axes[row, 2 * column + 1], _as_pixels(MID_GRAY + amplified))
    first = attacks[0].probe
    flips = "; ".join(_flips(attack) for attack in attacks)
    return figure, (
        f"Perturbations of the same photos that turn {model}'s prediction from {first['source']} to {first['aim']} "
        f"(seed {seed}), amplified: on the photo, and alone around mid-gray. {flips}."
    )


def binary_view(records: Records) -> tuple[Figure, str]:
    """Figure 6: a photo, and its local mean threshold."""
    pictures = records.view_pictures()
    shown = [_of_view(pictures, "rgb")[:1], _of_view(pictures, "binary")[:1]]
    if not all(shown):
        raise CamerabiasError("the run carries no photo with its binary view (examples/views.json)")
    figure = Figure(figsize=(5.0, 2.6), layout="constrained")
    for axis, (picture,) in zip(figure.subplots(1, 2), shown, strict=True):
        _show_photo(axis, _picture(records, picture))
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
        _show_photo(axis, _picture(records, picture))
    return figure, (
        "A photo (top left), and the same with hue, saturation, contrast and brightness drawn at random, as in "
        "training on the view jitter."
    )


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
        f"{right.shape[0] // len(probes)} training photos and {len(probes)} seeds: mean {by_place.mean():.3f}, from "
        f"{by_place.min():.3f} to {by_place.max():.3f}, which the colours span. Permutation test of uniformity: "
        f"p = {p:.3f}."
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
        _show_photo(axes[0, column], probe["pixels"][image])
        _show_map(axes[1, column], probe, probe["probability"][image], (0, 1))
        axes[0, column].set_title(str(probe["camera"][image]))
        axes[1, column].set(xticks=[], yticks=[], xlabel=f"{right[image].mean():.0%} right")
    _colour_bar(figure, axes[1, -1], "probability")
    side = int(probe["side"])
    return figure, (
        f"A test photo of each camera, and below it the probability that one {records.model_name(cell)} gives the "
        f"true camera from the {side} × {side} crop around each place; beneath, the share of crops named right."
    )


def _preferred(records: Records, target: Target, kind: str) -> tuple[StudyCell, list[Probe]]:
    """The cell whose probes a figure shows, the paper's model first, with those of all of its seeds."""
    for cell in _by_preference(records.cells(target)):
        probes = [probe for _, probe in records.probes(cell, kind)]
        if probes:
            return cell, probes
    raise CamerabiasError(f"the probe {kind} has not run on any trial on the {target}")


def _by_preference(cells: Sequence[StudyCell]) -> list[StudyCell]:
    return sorted(cells, key=lambda cell: cell.model != PREFERRED_MODEL)


def _attacks(records: Records) -> tuple[str, int, list[_Attack]]:
    """The first model and seed that was attacked under both settings."""
    for cell, other in _balanced_and_disjoint(records):
        for seed, probe in records.probes(cell, "perturbations"):
            for other_seed, other_probe in records.probes(other, "perturbations"):
                if other_seed == seed:
                    attacks = [_attack(cell.setting, probe), _attack(other.setting, other_probe)]
                    return records.model_name(cell), seed, attacks
    raise CamerabiasError(
        "no model has had its predictions attacked (probe perturbations) both under balanced and under disjoint"
    )


def _balanced_and_disjoint(records: Records) -> Iterator[tuple[StudyCell, StudyCell]]:
    for cell in _by_preference(records.cells("label", "balanced", "rgb")):
        for other in records.cells("label", "disjoint", "rgb"):
            if (other.model, other.size) == (cell.model, cell.size):
                yield cell, other


def _attack(setting: str, probe: Probe) -> _Attack:
    sizes = np.abs(probe["perturbation"][attacked(probe)])
    largest = float(np.quantile(sizes, 0.995)) if sizes.size else 0.0
    return _Attack(setting, probe, VISIBLE / largest if largest else 1.0)


def _attacked_in_all(attacks: Sequence[_Attack]) -> list[str]:
    """Photos whose prediction was flipped by steps of every attack, the first of each object first."""
    first, *others = [
        pd.Series(attack.probe["group"], attack.probe["image_id"])[
            attacked(attack.probe) & attack.probe["flipped"]
        ]
        for attack in attacks
    ]
    groups = first[[all(image in other.index for other in others) for image in first.index]]
    if groups.empty:
        raise CamerabiasError("no photo's prediction was flipped both under balanced and under disjoint")
    seen_before = groups.groupby(groups).cumcount()
    return seen_before.sort_values(kind="stable").index.tolist()[:MAX_ATTACKED]


def _flips(attack: _Attack) -> str:
    perturbed = attacked(attack.probe)
    return (
        f"{attack.setting}: {attack.amplification:.3g} times, {int(attack.probe['flipped'][perturbed].sum())} of "
        f"{int(perturbed.sum())} attacked photos flipped"
    )


def _as_pixels(levels: npt.NDArray[np.float32]) -> Pixels:
    pixels: Pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return pixels


def _of_view(pictures: Sequence[ViewPicture], kind: str) -> list[ViewPicture]:
    """Pictures of a view, whatever its parameters, by draw."""
    found = [picture for picture in pictures if picture.view.partition("-")[0] == kind]
    return sorted(found, key=lambda picture: picture.draw)


def _of_label(examples: Sequence[Example], label: str) -> list[Example]:
    return [example for example in examples if example.label == label]


def _picture(records: Records, example: Example | ViewPicture) -> Pixels:
    try:
        return decode(records.example_bytes(example))
    except (OSError, ValueError, SyntaxError) as error:
        raise CamerabiasError(f"examples/{example.file} cannot be read ({error})") from error


def _show_photo(axis: Axes, pixels: Pixels | None) -> None:
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    if pixels is None:
        axis.text(0.5, 0.5, "none", ha="center", va="center", transform=axis.transAxes, color="gray")
    else:
        axis.imshow(pixels)
        axis.set(box_aspect=1, adjustable="datalim")  # photos of any shape stand in squares


def _show_map(axis: Axes, probe: Probe, values: npt.NDArray[np.floating], span: tuple[float, float]) -> None:
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
