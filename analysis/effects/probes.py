"""What the arrays of probes say in numbers: crops of flat and textured places, perturbations and attributions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.statistics.accuracy import mean_over_pairs
from camerabias.analysis.statistics.bootstrap import Estimate, Floats, estimate
from camerabias.trainables.records.record import ProbeArrays

PLASTIC, CODE, SEAM = 0, 1, 2
"""Values of a simulated photo's `regions`."""

ENERGY_REGIONS = ("code", "seam", "top", "flat")
"""Where energy is counted: on the printed code; on the seam; on plastic in the uppermost tenth of the rows (the top
band); on the plastic below. Every pixel is in one of them."""


def crops_right(probe: ProbeArrays) -> npt.NDArray[np.bool_]:
    """Which crops of `crop_map` or `crop_images` are named right: (n, gy, gx)."""
    right: npt.NDArray[np.bool_] = probe["predicted"] == probe["truth"][:, None, None]
    return right


def all_crops(probes: Iterable[ProbeArrays]) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """`crops_right` of the images of all probes together, and the group of each image."""
    maps, groups = [], []
    for probe in probes:
        maps.append(crops_right(probe))
        groups += probe["group"].tolist()
    return np.concatenate(maps), groups


def place_effects(right: npt.NDArray[np.bool_], groups: Sequence[str]) -> list[Estimate]:
    """Accuracy at each position of a crop map minus that at all of them, with its interval.

    Args:
        right: bool (n, gy, gx), as `map_uniformity` takes it.
        groups: Group of each of the n.
    """
    deviations = right - right.mean(axis=(1, 2), keepdims=True)
    places = deviations.reshape(len(right), -1).T
    return [estimate([pd.Series(place, index=list(groups))], lowest=-1.0) for place in places]


@dataclass(frozen=True)
class CropAccuracy:
    """Accuracy of small crops over many images (paper, Figures 8 and 9).

    Attributes:
        most: Share of the images most of whose crops are right.
        flat: Accuracy on the flatter half of each image's crops.
        difference: Accuracy on the other, textured half minus that on the flat one.
    """

    most: Estimate
    flat: Estimate
    difference: Estimate


def crop_accuracy(probes: Iterable[ProbeArrays]) -> CropAccuracy:
    """Accuracy on flat and on textured crops; an image is split at its own median texture.

    Args:
        probes: `crop_images` (or `crop_map`) of each seed. Crops at the median count as flat; an image without
            texture is flat.
    """
    most, flat, difference = [], [], []
    for probe in probes:
        right, texture = crops_right(probe), probe["texture"].astype(float)
        is_flat = texture <= np.median(texture, axis=(1, 2), keepdims=True)
        on_flat = pd.Series(right.mean(axis=(1, 2), where=is_flat), index=probe["group"])
        flat.append(on_flat)
        textured = ~is_flat.all(axis=(1, 2))  # images that have texture at all
        on_textured = right[textured].mean(axis=(1, 2), where=~is_flat[textured])
        difference.append(on_textured - on_flat[textured])
        most.append(pd.Series(right.mean(axis=(1, 2)) > 0.5, index=probe["group"], dtype=float))
    compared = [scores for scores in difference if len(scores)]
    return CropAccuracy(estimate(most), estimate(flat), estimate(compared, lowest=-1.0))


def attacked(probe: ProbeArrays) -> npt.NDArray[np.bool_]:
    """Which images of `perturbations` were perturbed at all; the others had the prediction aimed at."""
    perturbed: npt.NDArray[np.bool_] = probe["steps"] > 0
    return perturbed


def flipped(probe: ProbeArrays) -> npt.NDArray[np.bool_]:
    """Which images were perturbed until their prediction flipped; of others a perturbation says little."""
    flips: npt.NDArray[np.bool_] = attacked(probe) & probe["flipped"]
    return flips


def energy_by_region(signal: npt.NDArray[np.floating], regions: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """Where each image's energy is: the squares of a perturbation or attribution.

    Args:
        signal: float (n, H, W) or (n, H, W, channels), of any precision.
        regions: uint8 (n, H, W): 0 plastic, 1 code, 2 seam.

    Returns:
        A row per image: for every region its share of the energy (`code` ...) and of the area (`code area` ...). An
        image without any energy has NaN.
    """
    height, width = regions.shape[1:]
    # one by one: the squares of half-precision numbers need room
    squares = (np.square(one, dtype=np.float64).reshape(height, width, -1) for one in signal)
    energy = np.array([square.sum(axis=-1) for square in squares]).reshape(regions.shape)
    plastic = regions == PLASTIC
    is_top = (np.arange(regions.shape[1]) < regions.shape[1] / 10)[:, None]
    masks = [regions == CODE, regions == SEAM, plastic & is_top, plastic & ~is_top]
    totals = energy.sum(axis=(1, 2))
    totals[totals == 0] = np.nan
    shares = {}
    for name, mask in zip(ENERGY_REGIONS, masks, strict=True):
        shares[name] = (energy * mask).sum(axis=(1, 2)) / totals
        shares[f"{name} area"] = mask.mean(axis=(1, 2))
    return pd.DataFrame(shares)


def perturbation_energy(probe: ProbeArrays) -> pd.DataFrame:
    """`energy_by_region` of the images of `perturbations` whose prediction flipped, indexed by group."""
    chosen = flipped(probe)
    energy = energy_by_region(probe["perturbation"][chosen], probe["regions"][chosen])
    return energy.set_index(pd.Index(probe["group"][chosen]))


def energy_shift(first: ProbeArrays, second: ProbeArrays, regions: Sequence[str]) -> pd.Series[float]:
    """Share of the energy on some of `ENERGY_REGIONS` for one model minus that for another, by group.

    Of the images that flipped for both, since where an image's code and plastic are is its own.
    """
    shares = []
    for probe in (first, second):
        energy = (
            perturbation_energy(probe)[[*regions]].sum(axis=1).rename_axis("group").reset_index(name="share")
        )
        energy["image_id"] = probe["image_id"][flipped(probe)]
        shares.append(energy.set_index(["image_id", "group"])["share"])
    return (shares[0] - shares[1]).dropna().droplevel("image_id")


def attribution_energy(probe: ProbeArrays) -> pd.DataFrame:
    """`energy_by_region` of `attributions`, indexed by group."""
    return energy_by_region(probe["attribution"], probe["regions"]).set_index(pd.Index(probe["group"]))


@dataclass(frozen=True)
class Concentration:
    """How much of the energy lies in some regions.

    Attributes:
        share: Share of the energy.
        excess: `share` minus the regions' share of the area, which it would have if it were spread evenly.
        density: `share` over the regions' share of the area.
    """

    share: Estimate
    excess: Estimate
    density: float


def concentration(seeds: Iterable[pd.DataFrame], regions: Sequence[str]) -> Concentration:
    """How much energy lies in some of `ENERGY_REGIONS`.

    Args:
        seeds: Per seed, `energy_by_region`, indexed by group; images without energy are excluded.
        regions: Some of `ENERGY_REGIONS`.
    """
    measured = [frame.dropna() for frame in seeds]
    measured = [frame for frame in measured if len(frame)]
    energy = [frame[[*regions]].sum(axis=1) for frame in measured]
    area = [frame[[f"{name} area" for name in regions]].sum(axis=1) for frame in measured]
    excess = [a - b for a, b in zip(energy, area, strict=True)]
    share, covered = estimate(energy), estimate(area).mean
    density = share.mean / covered if covered else np.nan
    return Concentration(share, estimate(excess, lowest=-1.0), density)


def perturbation_correlations(probe: ProbeArrays, images: Sequence[str] | None = None) -> pd.DataFrame:
    """Pearson correlation of the perturbations of any two images whose prediction flipped, both axes named by group.

    Args:
        probe: `perturbations`.
        images: Image ids to look at alone; None for all.
    """
    chosen = flipped(probe)
    if images is not None:
        chosen &= np.isin(probe["image_id"], list(images))
    groups = probe["group"][chosen]
    return pd.DataFrame(_correlations(probe["perturbation"][chosen]), groups, groups)


def excess_correlations(first: ProbeArrays, second: ProbeArrays) -> pd.DataFrame:
    """`perturbation_correlations` of one model minus those of another, over the images that flipped for both.

    The same images: photos of one camera are more alike than those of several, and a model that cheats can be
    attacked on some cameras alone.
    """
    both = set(first["image_id"][flipped(first)]) & set(second["image_id"][flipped(second)])
    return perturbation_correlations(first, sorted(both)) - perturbation_correlations(second, sorted(both))


def alikeness(seeds: Iterable[pd.DataFrame]) -> Estimate:
    """Mean correlation of perturbations of images of different groups.

    Args:
        seeds: `perturbation_correlations` (or `excess_correlations`) of each seed; those with fewer than two groups
            are excluded.
    """
    return mean_over_pairs([matrix for matrix in seeds if matrix.index.nunique() > 1])


def _correlations(signals: npt.NDArray[np.floating]) -> Floats:
    """Pearson correlation of any two of n signals of the same shape: (n, n)."""
    size = int(np.prod(signals.shape[1:]))
    flat = signals.reshape(len(signals), size).astype(np.float32)  # half precision is for storage alone
    centred = flat - flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    correlations: Floats = (centred @ centred.T).astype(float) / np.outer(norms, norms)
    return correlations
