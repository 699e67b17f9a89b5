"""Checks of claims on crops, attributions and perturbations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from camerabias.analysis.effects.probes import (
    CropAccuracy,
    alikeness,
    concentration,
    crop_accuracy,
    energy_shift,
    excess_correlations,
    perturbation_energy,
)
from camerabias.analysis.paper.estimates import compare, each, expected, probed
from camerabias.analysis.paper.evidence import NotTestedError, Recorded
from camerabias.analysis.paper.outcome import MOST, Check, ClaimOutcome, ClaimResult
from camerabias.analysis.statistics.bootstrap import Estimate, estimate
from camerabias.analysis.statistics.number_format import show_estimate, show_number
from camerabias.trainables.records.record import ProbeArrays


def most_crops_right(evidence: Recorded, check: Check) -> ClaimResult:
    """Of most images, most crops are named right."""
    return _crops(
        evidence,
        check,
        lambda found: (found.most, f"{show_estimate(found.most)} of images have most crops right"),
    )


def flat_crops_right(evidence: Recorded, check: Check) -> ClaimResult:
    """Most crops of flat places are named right."""

    def flat(found: CropAccuracy) -> tuple[Estimate, str]:
        beside = f"textured minus flat {show_estimate(found.difference)}"
        return found.flat, f"crops of flat places {show_estimate(found.flat)}, {beside}"

    return _crops(evidence, check, flat)


def _crops(
    evidence: Recorded, check: Check, pick: Callable[[CropAccuracy], tuple[Estimate, str]]
) -> ClaimResult:
    results = {}
    for model, probes in probed(evidence, check.cell, "crop_images").items():
        found, numbers = pick(crop_accuracy(probes))
        results[model] = expected(found.against(MOST), "higher"), numbers
    return each(results)


def energy_on(evidence: Recorded, check: Check) -> ClaimResult:
    """Perturbations have more (or less) of their energy on some regions than these have of the area."""
    results = {}
    for model, probes in probed(evidence, check.cell, "perturbations").items():
        found = concentration(map(_known_energy, probes), check.regions)
        if found.share.n_seeds == 0:
            raise NotTestedError(f"no prediction of {model} was flipped under {check.cell.setting}")
        results[model] = (
            expected(found.excess.against(0), check.expect),
            f"{show_estimate(found.share)} of the energy on {' and '.join(check.regions)}, "
            f"{show_number(found.density)} times as dense as under a uniform spread",
        )
    return each(results)


def energy_shifts(evidence: Recorded, check: Check) -> ClaimResult:
    """Perturbations of the same photos have more (or less) of their energy on some regions than those of `than`."""
    results: dict[str, tuple[ClaimOutcome, str]] = {}
    for model, pairs in _probed_in_both(evidence, check).items():
        found = estimate(
            [
                shift
                for first, second in pairs
                if len(shift := energy_shift(_with_regions(first), second, check.regions))
            ],
            lowest=-1.0,
        )
        compared = compare(check.cell, check.reference)
        numbers = f"share of the energy on {' and '.join(check.regions)}, {compared}: {show_estimate(found)}"
        if found.n_seeds:
            results[model] = expected(found.against(0), check.expect), numbers
    if not results:
        raise NotTestedError("no photo was flipped under both settings")
    return each(results)


def _with_regions(probe: ProbeArrays) -> ProbeArrays:
    if "regions" not in probe:
        raise NotTestedError("where the photos show code and seam is not known")
    return probe


def _known_energy(probe: ProbeArrays) -> pd.DataFrame:
    return perturbation_energy(_with_regions(probe))


def more_alike(evidence: Recorded, check: Check) -> ClaimResult:
    """Perturbations of different images are more alike for the models of `cell` than for those of `than`."""
    results: dict[str, tuple[ClaimOutcome, str]] = {}
    for model, pairs in _probed_in_both(evidence, check).items():
        found = alikeness(excess_correlations(*pair) for pair in pairs)
        if found.n_seeds:
            compared = compare(check.cell, check.reference)
            numbers = f"mean correlation of perturbations, {compared}: {show_estimate(found)}"
            results[model] = expected(found.against(0), check.expect), numbers
    if not results:
        raise NotTestedError("no two photos were flipped under both settings")
    return each(results)


def _probed_in_both(evidence: Recorded, check: Check) -> dict[str, Iterator[tuple[ProbeArrays, ProbeArrays]]]:
    """Perturbations under `cell` and under `than`, per model those of every seed that has both; a pair at a time."""
    firsts, seconds = evidence.cells(check.cell), evidence.cells(check.reference)

    def pairs(model: str) -> Iterator[tuple[ProbeArrays, ProbeArrays]]:
        for seed, probe in evidence.records.probes(firsts[model], "perturbations"):
            other = evidence.records.probe(seconds[model], "perturbations", seed)
            if other is not None:
                yield probe, other

    return {model: pairs(model) for model in evidence.chosen(check.cell) if model in seconds}
