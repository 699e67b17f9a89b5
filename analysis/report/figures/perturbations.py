"""Figure 5: what flips the predictions of a balanced and of a disjoint model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from camerabias.analysis.effects.probes import attacked
from camerabias.analysis.records.records import Records
from camerabias.analysis.report.figures.base import FIGURES, by_preference, show_photo
from camerabias.analysis.statistics.number_format import show_number
from camerabias.datasets.io.decode import Pixels
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.records.record import ProbeArrays
from camerabias.trainables.records.study import StudyCell

MAX_ATTACKED = 2  # photos, as in the paper
MID_GRAY = 128
VISIBLE = 96
"""Gray levels that the 99.5th percentile of a perturbation is amplified to: well visible, and little is cut off."""


@dataclass(frozen=True)
class _Attack:
    """The perturbations of one model in Figure 5, and by how much they are amplified."""

    setting: str
    probe: ProbeArrays
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
            show_photo(axes[row, 2 * column], _as_pixels(attack.probe["pixels"][index] + amplified))
            show_photo(axes[row, 2 * column + 1], _as_pixels(MID_GRAY + amplified))
    first = attacks[0].probe
    flips = "; ".join(_flips(attack) for attack in attacks)
    return figure, (
        f"Perturbations of the same photos that turn {model}'s prediction from {first['source']} to {first['aim']} "
        f"(seed {seed}), amplified: on the photo, and alone around mid-gray. {flips}."
    )


FIGURES["figure5"] = perturbation_pairs


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
    for cell in by_preference(records.cells("label", "balanced", "rgb")):
        for other in records.cells("label", "disjoint", "rgb"):
            if (other.model, other.size) == (cell.model, cell.size):
                yield cell, other


def _attack(setting: str, probe: ProbeArrays) -> _Attack:
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
    n_flipped = int(attack.probe["flipped"][perturbed].sum())
    return (
        f"{attack.setting}: {show_number(attack.amplification)} times, {n_flipped} of {int(perturbed.sum())} "
        "attacked photos flipped"
    )


def _as_pixels(levels: npt.NDArray[np.float32]) -> Pixels:
    pixels: Pixels = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return pixels
