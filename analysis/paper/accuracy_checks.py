"""Checks of claims on accuracies and predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from camerabias.analysis.effects.probes import (
    all_crops,
    place_effects,
)
from camerabias.analysis.paper.estimates import compare, each, expected, probed
from camerabias.analysis.paper.evidence import Evidence, NotTestedError, Recorded
from camerabias.analysis.paper.outcome import CLOSE, OVERWHELMING, Check, ClaimOutcome, ClaimResult
from camerabias.analysis.records.learned import steps_learned
from camerabias.analysis.statistics.accuracy import contrast, excess_given, share_given
from camerabias.analysis.statistics.bootstrap import Estimate, estimate
from camerabias.analysis.statistics.learning import learning_order, learning_threshold
from camerabias.analysis.statistics.number_format import show_estimate, show_p, show_share
from camerabias.analysis.statistics.permutation import SIGNIFICANT, camera_effect, map_uniformity


def above_chance(evidence: Evidence[Any], check: Check) -> ClaimResult:
    """Accuracy is higher than the majority baseline, which looks at no image."""
    return _levels(evidence, check, lambda found, baseline: expected(found.against(baseline), "higher"))


def high(evidence: Evidence[Any], check: Check) -> ClaimResult:
    """Accuracy is above half of the way from chance to 1: what the report elsewhere calls learned.

    With `than`, the difference from there stands beside, and decides nothing.
    """
    result = _levels(
        evidence,
        check,
        lambda found, baseline: expected(found.against(learning_threshold(baseline)), "higher"),
    )
    if check.than is None:
        return result
    try:
        beside = _differences(evidence, check, lambda _: "holds").numbers
    except NotTestedError as error:
        beside = str(error)
    return replace(result, numbers=f"{result.numbers}; {beside}")


def at_chance(evidence: Evidence[Any], check: Check) -> ClaimResult:
    """Accuracy is no better than chance.

    An interval that holds chance shows that only where it is narrow enough to exclude a task that was learned;
    lower than chance is no better than chance either (always naming the rarer class, for instance).
    """

    def decide(found: Estimate, baseline: float) -> ClaimOutcome:
        if found.against(baseline) == "higher":
            return "does not hold"
        return expected(found.against(learning_threshold(baseline)), "lower")

    return _levels(evidence, check, decide)


def differs(evidence: Evidence[Any], check: Check) -> ClaimResult:
    """Accuracy is higher (or lower) than elsewhere, on the same photos where they are the same."""
    return _differences(evidence, check, lambda found: expected(found.against(0), check.expect))


def close(evidence: Evidence[Any], check: Check) -> ClaimResult:
    """The whole interval of the difference lies within ±0.10."""

    def decide(found: Estimate) -> ClaimOutcome:
        if found.low > CLOSE or found.high < -CLOSE:
            return "does not hold"
        return "holds" if found.low >= -CLOSE and found.high <= CLOSE else "cannot tell"

    return _differences(evidence, check, decide)


def downsampled_differ(evidence: Evidence[Any], check: Check) -> ClaimResult:
    """The models that see fewer pixels than the photos have are, on average, higher (or lower) than the others.

    With `than`, what is compared is each model's difference from there: an interaction.
    """
    entries = evidence.chosen(check.cell)
    references = evidence.chosen(check.than) if check.than is not None else None
    models = [model for model in entries if references is None or model in references]
    groups = [
        [m for m in models if evidence.is_downsampled(m) is downsampled] for downsampled in (True, False)
    ]
    if not all(groups):
        raise NotTestedError(
            "it takes models that see fewer pixels than the photos have, and models that see all"
        )
    terms = []
    for sign, group in zip((1, -1), groups, strict=True):
        terms += [(sign / len(group), entries[model]) for model in group]
        if references is not None:
            terms += [(-sign / len(group), references[model]) for model in group]
    found = evidence.weigh(terms)
    few, all_pixels = (", ".join(group) for group in groups)
    return ClaimResult(
        expected(found.against(0), check.expect), f"{few} minus {all_pixels}: {show_estimate(found)}"
    )


def learned_first(evidence: Recorded, check: Check) -> ClaimResult:
    """The task of `cell` is learned in fewer steps than that of `than`, in pairs of one model and seed."""
    steps = {
        c.target: steps_learned(evidence.records, c.target, c.setting) for c in (check.cell, check.reference)
    }
    order = learning_order(steps["camera"], steps["label"])
    if order.pairs.empty:
        raise NotTestedError("no model and seed has finished on both the camera and the label")
    numbers = (
        f"of {len(order.pairs)} pairs of model and seed, the camera was first in {order.camera_first}, the label "
        f"in {order.label_first}"
    )
    if order.first == "cannot tell":
        return ClaimResult("cannot tell", numbers)
    return ClaimResult("holds" if order.first == check.cell.target else "does not hold", numbers)


def given_cameras_label(evidence: Recorded, check: Check) -> ClaimResult:
    """Photos of cameras that training tied to a label are overwhelmingly given that label."""
    cells, results = evidence.cells(check.cell), {}
    for model, rows in evidence.chosen(check.cell).items():
        found = share_given(list(rows.values()), evidence.records.tied_labels(cells[model]))
        if found.n_seeds == 0:
            raise NotTestedError(f"no camera is tied to a label under {check.cell.setting}")
        results[model] = expected(found.against(OVERWHELMING), "higher"), show_estimate(found)
    return each(results)


def mixed(evidence: Recorded, check: Check) -> ClaimResult:
    """The label that is predicted more rarely still has half of its even share: a quarter, of two labels.

    The rarer one is found seed by seed, so that two constant models of opposite minds are not a mixture.
    """
    labels = evidence.records.info.labels
    results = {}
    for model, rows in evidence.chosen(check.cell).items():
        rarer = []
        for frame in rows.values():
            counts = frame["prediction"].value_counts().reindex(labels, fill_value=0)
            named = frame["prediction"] == counts.idxmin()
            rarer.append(pd.Series(named.to_numpy(float), index=frame["group"]))
        found = estimate(rarer)
        outcome = expected(found.against(0.5 / len(labels)), "higher")
        results[model] = outcome, f"share of the rarer label {show_estimate(found)}"
    return each(results)


def same_for_all_cameras(evidence: Recorded, check: Check) -> ClaimResult:
    """Accuracy is the same for every camera: what the paper itself claims."""
    results: dict[str, tuple[ClaimOutcome, str]] = {}
    for model, rows in evidence.chosen(check.cell).items():
        found = camera_effect(list(rows.values()))
        worst_camera, best_camera = found.accuracies.idxmin(), found.accuracies.idxmax()
        numbers = (
            f"{show_p(found.p)}, from {show_share(found.accuracies.min())} ({worst_camera}) to "
            f"{show_share(found.accuracies.max())} ({best_camera})"
        )
        deviations = [
            contrast([(1.0, {seed: f[f["camera"] == camera] for seed, f in rows.items()}), (-1.0, rows)])
            for camera in found.accuracies.index
        ]
        results[model] = _no_effect(found.p, deviations), numbers
    return each(results)


def ignores_cameras(evidence: Recorded, check: Check) -> ClaimResult:
    """Photos are given their camera's label no more often than if predictions were independent of the camera.

    On balanced test photos a model that uses the camera alone is right half of the time on every camera, so that
    accuracies would not give it away.
    """
    cells = evidence.cells(check.cell)
    results: dict[str, tuple[ClaimOutcome, str]] = {}
    for model, rows in evidence.chosen(check.cell).items():
        found = excess_given(list(rows.values()), evidence.records.tied_labels(cells[model]))
        if found.n_seeds == 0:
            raise NotTestedError(f"no camera is tied to a label under {check.cell.setting}")
        within = found.low >= -CLOSE and found.high <= CLOSE
        outcome: ClaimOutcome = "holds" if within else "cannot tell"
        if not within and found.against(0) == "higher":
            outcome = "does not hold"
        numbers = f"difference from the rate expected under independence: {show_estimate(found)}"
        results[model] = outcome, numbers
    return each(results)


def same_everywhere(evidence: Recorded, check: Check) -> ClaimResult:
    """A crop's accuracy does not depend on its position."""
    results: dict[str, tuple[ClaimOutcome, str]] = {}
    for model, probes in probed(evidence, check.cell, "crop_map").items():
        right, groups = all_crops(probes)
        p = map_uniformity(right, groups)
        by_place = right.mean(axis=0)
        numbers = f"{show_p(p)}, positions from {show_share(by_place.min())} to {show_share(by_place.max())}"
        results[model] = _no_effect(p, place_effects(right, groups)), numbers
    return each(results)


def _levels(
    evidence: Evidence[Any], check: Check, decide: Callable[[Estimate, float], ClaimOutcome]
) -> ClaimResult:
    results, baselines, seeds = {}, set(), set()
    for model, entry in evidence.chosen(check.cell).items():
        found, baseline = evidence.weigh([(1.0, entry)]), evidence.chance(check.cell, entry)
        results[model] = decide(found, baseline), show_estimate(found)
        baselines.add(show_share(baseline))
        seeds.add(found.n_seeds)
    result = each(results)
    return replace(
        result, numbers=f"{result.numbers} (chance {', '.join(sorted(baselines))}; {_seeds(seeds)})"
    )


def _differences(
    evidence: Evidence[Any], check: Check, decide: Callable[[Estimate], ClaimOutcome]
) -> ClaimResult:
    entries, references = evidence.chosen(check.cell), evidence.chosen(check.reference)
    results, seeds = {}, set()
    for model in [model for model in entries if model in references]:
        found = evidence.weigh([(1.0, entries[model]), (-1.0, references[model])])
        results[model] = decide(found), show_estimate(found)
        seeds.add(found.n_seeds)
    result = each(results)
    compared = compare(check.cell, check.reference)
    return replace(result, numbers=f"{compared}: {result.numbers} ({_seeds(seeds)})")


def _seeds(counts: set[int]) -> str:
    """`4 seeds`, `2 to 4 seeds`."""
    n = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    return f"{n} seed{'' if counts == {1} else 's'}"


def _no_effect(p: float, deviations: Sequence[Estimate]) -> ClaimOutcome:
    """Of accuracies by camera or place: close to their mean, all of them, or else as a permutation test says.

    That a test finds nothing shows nothing where there was little to find it in; and over many photos it finds
    differences that matter to nobody.
    """
    if all(found.low >= -CLOSE and found.high <= CLOSE for found in deviations):
        return "holds"
    return "does not hold" if p < SIGNIFICANT else "cannot tell"
