"""How a claim is decided: one function per kind of claim, from evidence to a verdict.

`DECIDERS` needs accuracies alone, and decides for the paper's printed numbers as for a run; `RECORDED_DECIDERS` needs
records. To add one, write a function and register it; `paper/claims.yaml` names it. Every threshold stands here, with
its reason. A check over several models holds if it does for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.evidence import Choice, Evidence, NotTestedError, Recorded
from camerabias.analysis.findings import steps_learned
from camerabias.analysis.permutation import SIGNIFICANT, camera_effect, map_uniformity
from camerabias.analysis.probes import (
    CropAccuracy,
    alikeness,
    all_crops,
    concentration,
    crop_accuracy,
    energy_shift,
    excess_correlations,
    perturbation_energy,
    place_effects,
)
from camerabias.analysis.records import Probe
from camerabias.analysis.statistics import (
    Comparison,
    Estimate,
    contrast,
    estimate,
    excess_given,
    learning_order,
    learning_threshold,
    share_given,
)
from camerabias.analysis.tables import show_estimate

Outcome = Literal["holds", "does not hold", "cannot tell", "not tested"]

CLOSE = 0.10
"""Accuracies are close where they differ by no more: a convention, about twice the largest difference, 4.8 points,
that the paper itself calls "broadly similar" (Table II). The numbers stand beside every outcome."""

OVERWHELMING = 0.90
"""Share from which on photos are given a label "overwhelmingly": nine of ten, well above the three quarters of a
model that follows the camera every other time and guesses otherwise."""

MOST = 0.5
"""Share from which on it is most of them."""


class Check(BaseModel):
    """One test of a claim.

    Attributes:
        decider: A key of `DECIDERS` or `RECORDED_DECIDERS`.
        cell: What is looked at.
        than: What it is compared with.
        expect: How it should compare.
        regions: Where energy should be, see `probes.REGIONS`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    decider: str
    cell: Choice
    than: Choice | None = None
    expect: Literal["higher", "lower"] = "higher"
    regions: tuple[str, ...] = ()

    @property
    def reference(self) -> Choice:
        """`than`, which the deciders that compare must be given."""
        assert self.than is not None, f"{self.decider} compares with nothing"
        return self.than


@dataclass(frozen=True)
class Verdict:
    """What came of a claim, or of one check of it.

    Attributes:
        outcome: `cannot tell` where the interval decides neither, `not tested` where there is nothing to look at.
        numbers: The numbers behind it, or the reason for their absence.
    """

    outcome: Outcome
    numbers: str


def run_check(check: Check, evidence: Evidence[Any]) -> Verdict:
    """Decide one check; what the evidence does not bear on is not tested, with the reason."""
    try:
        verdict = _decide(check, evidence)
    except NotTestedError as error:
        return Verdict("not tested", str(error))
    unfinished = evidence.unfinished(check.cell)
    numbers = "; ".join([verdict.numbers, *(f"{model} not finished" for model in unfinished)])
    # what has finished can contradict a claim about all, but not bear it out
    outcome = "cannot tell" if unfinished and verdict.outcome == "holds" else verdict.outcome
    return Verdict(outcome, numbers)


def _decide(check: Check, evidence: Evidence[Any]) -> Verdict:
    if check.decider in DECIDERS:
        return DECIDERS[check.decider](evidence, check)
    if not isinstance(evidence, Recorded):
        raise NotTestedError("the paper prints no numbers that decide it")
    return RECORDED_DECIDERS[check.decider](evidence, check)


def worst(outcomes: list[Outcome]) -> Outcome:
    """What several outcomes come to, where all must hold."""
    order: tuple[Outcome, ...] = ("does not hold", "not tested", "cannot tell", "holds")
    return next(outcome for outcome in order if outcome in outcomes)


def above_chance(evidence: Evidence[Any], check: Check) -> Verdict:
    """Accuracy is higher than that of the best guess that looks at no image."""
    return _levels(evidence, check, lambda found, guess: _expected(found.against(guess), "higher"))


def high(evidence: Evidence[Any], check: Check) -> Verdict:
    """Accuracy is above half of the way from chance to 1: what the report elsewhere calls learned.

    With `than`, the difference from there stands beside, and decides nothing.
    """
    verdict = _levels(
        evidence, check, lambda found, guess: _expected(found.against(learning_threshold(guess)), "higher")
    )
    if check.than is None:
        return verdict
    try:
        beside = _differences(evidence, check, lambda _: "holds").numbers
    except NotTestedError as error:
        beside = str(error)
    return replace(verdict, numbers=f"{verdict.numbers}; {beside}")


def at_chance(evidence: Evidence[Any], check: Check) -> Verdict:
    """Accuracy is no better than chance.

    An interval that holds chance shows that only where it is narrow enough to leave out a task that was learned;
    lower than chance is no better than chance either (always naming the rarer class, for instance).
    """

    def decide(found: Estimate, guess: float) -> Outcome:
        if found.against(guess) == "higher":
            return "does not hold"
        return _expected(found.against(learning_threshold(guess)), "lower")

    return _levels(evidence, check, decide)


def differs(evidence: Evidence[Any], check: Check) -> Verdict:
    """Accuracy is higher (or lower) than elsewhere, on the same photos where they are the same."""
    return _differences(evidence, check, lambda found: _expected(found.against(0), check.expect))


def close(evidence: Evidence[Any], check: Check) -> Verdict:
    """The whole interval of the difference lies within ±0.10."""

    def decide(found: Estimate) -> Outcome:
        if found.low > CLOSE or found.high < -CLOSE:
            return "does not hold"
        return "holds" if found.low >= -CLOSE and found.high <= CLOSE else "cannot tell"

    return _differences(evidence, check, decide)


def downsampled_differ(evidence: Evidence[Any], check: Check) -> Verdict:
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
    return Verdict(
        _expected(found.against(0), check.expect), f"{few} minus {all_pixels}: {show_estimate(found)}"
    )


def learned_first(evidence: Recorded, check: Check) -> Verdict:
    """The task of `cell` is learned in fewer steps than that of `than`, in pairs of one model and seed."""
    steps = {
        c.target: steps_learned(evidence.records, c.target, c.setting) for c in (check.cell, check.reference)
    }
    order = learning_order(steps["camera"], steps["label"])
    if order.pairs.empty:
        raise NotTestedError("no model and seed has finished on both the camera and the label")
    numbers = (
        f"of {len(order.pairs)} pairs of one model and seed, the camera was first in {order.camera_first}, the label "
        f"in {order.label_first}"
    )
    if order.first == "cannot tell":
        return Verdict("cannot tell", numbers)
    return Verdict("holds" if order.first == check.cell.target else "does not hold", numbers)


def given_cameras_label(evidence: Recorded, check: Check) -> Verdict:
    """Photos of cameras that training tied to a label are overwhelmingly given that label."""
    cells, verdicts = evidence.cells(check.cell), {}
    for model, rows in evidence.chosen(check.cell).items():
        found = share_given(list(rows.values()), evidence.records.tied_labels(cells[model]))
        if found.n_seeds == 0:
            raise NotTestedError(f"no camera is tied to a label under {check.cell.setting}")
        verdicts[model] = _expected(found.against(OVERWHELMING), "higher"), show_estimate(found)
    return _each(verdicts)


def mixed(evidence: Recorded, check: Check) -> Verdict:
    """The label that is predicted more rarely still has half of its even share: a quarter, of two labels.

    The rarer one is found seed by seed, so that two constant models of opposite minds are not a mixture.
    """
    labels = evidence.records.info.labels
    verdicts = {}
    for model, rows in evidence.chosen(check.cell).items():
        rarer = []
        for frame in rows.values():
            counts = frame["prediction"].value_counts().reindex(labels, fill_value=0)
            named = frame["prediction"] == counts.idxmin()
            rarer.append(pd.Series(named.to_numpy(float), index=frame["group"]))
        found = estimate(rarer)
        outcome = _expected(found.against(0.5 / len(labels)), "higher")
        verdicts[model] = outcome, f"share of the rarer label {show_estimate(found)}"
    return _each(verdicts)


def same_for_all_cameras(evidence: Recorded, check: Check) -> Verdict:
    """Accuracy does not depend on the camera: what the paper itself claims."""
    verdicts: dict[str, tuple[Outcome, str]] = {}
    for model, rows in evidence.chosen(check.cell).items():
        found = camera_effect(list(rows.values()))
        worst_camera, best_camera = found.accuracies.idxmin(), found.accuracies.idxmax()
        numbers = (
            f"p = {found.p:.3f}, from {found.accuracies.min():.3f} ({worst_camera}) to "
            f"{found.accuracies.max():.3f} ({best_camera})"
        )
        deviations = [
            contrast([(1.0, {seed: f[f["camera"] == camera] for seed, f in rows.items()}), (-1.0, rows)])
            for camera in found.accuracies.index
        ]
        verdicts[model] = _no_effect(found.p, deviations), numbers
    return _each(verdicts)


def ignores_cameras(evidence: Recorded, check: Check) -> Verdict:
    """Photos are given their camera's label no more often than if predictions took no notice of the camera.

    On balanced test photos a model that goes by the camera alone is right half of the time on every camera, so that
    accuracies would not give it away.
    """
    cells = evidence.cells(check.cell)
    verdicts: dict[str, tuple[Outcome, str]] = {}
    for model, rows in evidence.chosen(check.cell).items():
        found = excess_given(list(rows.values()), evidence.records.tied_labels(cells[model]))
        if found.n_seeds == 0:
            raise NotTestedError(f"no camera is tied to a label under {check.cell.setting}")
        within = found.low >= -CLOSE and found.high <= CLOSE
        outcome: Outcome = "holds" if within else "cannot tell"
        if not within and found.against(0) == "higher":
            outcome = "does not hold"
        numbers = f"given their camera's label more often than by luck by {show_estimate(found)}"
        verdicts[model] = outcome, numbers
    return _each(verdicts)


def same_everywhere(evidence: Recorded, check: Check) -> Verdict:
    """A crop's accuracy does not depend on its position."""
    verdicts: dict[str, tuple[Outcome, str]] = {}
    for model, probes in _probed(evidence, check.cell, "crop_map").items():
        right, groups = all_crops(probes)
        p = map_uniformity(right, groups)
        by_place = right.mean(axis=0)
        numbers = f"p = {p:.3f}, positions from {by_place.min():.3f} to {by_place.max():.3f}"
        verdicts[model] = _no_effect(p, place_effects(right, groups)), numbers
    return _each(verdicts)


def most_crops_right(evidence: Recorded, check: Check) -> Verdict:
    """Of most images, most crops are named right."""
    return _crops(
        evidence,
        check,
        lambda found: (found.most, f"{show_estimate(found.most)} of images have most crops right"),
    )


def flat_crops_right(evidence: Recorded, check: Check) -> Verdict:
    """Most crops of flat places are named right."""

    def flat(found: CropAccuracy) -> tuple[Estimate, str]:
        beside = f"textured minus flat {show_estimate(found.difference)}"
        return found.flat, f"crops of flat places {show_estimate(found.flat)}, {beside}"

    return _crops(evidence, check, flat)


def _crops(evidence: Recorded, check: Check, pick: Callable[[CropAccuracy], tuple[Estimate, str]]) -> Verdict:
    verdicts = {}
    for model, probes in _probed(evidence, check.cell, "crop_images").items():
        found, numbers = pick(crop_accuracy(probes))
        verdicts[model] = _expected(found.against(MOST), "higher"), numbers
    return _each(verdicts)


def energy_on(evidence: Recorded, check: Check) -> Verdict:
    """Perturbations have more (or less) of their energy on some regions than these have of the area."""
    verdicts = {}
    for model, probes in _probed(evidence, check.cell, "perturbations").items():
        found = concentration(map(_known_energy, probes), check.regions)
        if found.share.n_seeds == 0:
            raise NotTestedError(f"no prediction of {model} was flipped under {check.cell.setting}")
        verdicts[model] = (
            _expected(found.excess.against(0), check.expect),
            f"{show_estimate(found.share)} of the energy on {' and '.join(check.regions)}, {found.density:.2f} times "
            "as dense as if spread evenly",
        )
    return _each(verdicts)


def energy_shifts(evidence: Recorded, check: Check) -> Verdict:
    """Perturbations of the same photos have more (or less) of their energy on some regions than those of `than`."""
    verdicts: dict[str, tuple[Outcome, str]] = {}
    for model, pairs in _probed_in_both(evidence, check).items():
        found = estimate(
            [
                shift
                for first, second in pairs
                if len(shift := energy_shift(_with_regions(first), second, check.regions))
            ],
            lowest=-1.0,
        )
        compared = _compared(check.cell, check.reference)
        numbers = f"share of the energy on {' and '.join(check.regions)}, {compared}: {show_estimate(found)}"
        if found.n_seeds:
            verdicts[model] = _expected(found.against(0), check.expect), numbers
    if not verdicts:
        raise NotTestedError("no photo was flipped under both settings")
    return _each(verdicts)


def _with_regions(probe: Probe) -> Probe:
    if "regions" not in probe:
        raise NotTestedError("where the photos show code and seam is not known")
    return probe


def _known_energy(probe: Probe) -> pd.DataFrame:
    return perturbation_energy(_with_regions(probe))


def more_alike(evidence: Recorded, check: Check) -> Verdict:
    """Perturbations of different images are more alike for the models of `cell` than for those of `than`."""
    verdicts: dict[str, tuple[Outcome, str]] = {}
    for model, pairs in _probed_in_both(evidence, check).items():
        found = alikeness(excess_correlations(*pair) for pair in pairs)
        if found.n_seeds:
            compared = _compared(check.cell, check.reference)
            numbers = f"mean correlation of perturbations, {compared}: {show_estimate(found)}"
            verdicts[model] = _expected(found.against(0), check.expect), numbers
    if not verdicts:
        raise NotTestedError("no two photos were flipped under both settings")
    return _each(verdicts)


DECIDERS: dict[str, Callable[[Evidence[Any], Check], Verdict]] = {
    "above_chance": above_chance,
    "high": high,
    "at_chance": at_chance,
    "differs": differs,
    "close": close,
    "downsampled_differ": downsampled_differ,
}

RECORDED_DECIDERS: dict[str, Callable[[Recorded, Check], Verdict]] = {
    "learned_first": learned_first,
    "given_cameras_label": given_cameras_label,
    "mixed": mixed,
    "same_for_all_cameras": same_for_all_cameras,
    "ignores_cameras": ignores_cameras,
    "same_everywhere": same_everywhere,
    "most_crops_right": most_crops_right,
    "flat_crops_right": flat_crops_right,
    "energy_on": energy_on,
    "energy_shifts": energy_shifts,
    "more_alike": more_alike,
}


def _levels(evidence: Evidence[Any], check: Check, decide: Callable[[Estimate, float], Outcome]) -> Verdict:
    verdicts, guesses, seeds = {}, set(), set()
    for model, entry in evidence.chosen(check.cell).items():
        found, guess = evidence.weigh([(1.0, entry)]), evidence.chance(check.cell, entry)
        verdicts[model] = decide(found, guess), show_estimate(found)
        guesses.add(f"{guess:.3f}")
        seeds.add(found.n_seeds)
    verdict = _each(verdicts)
    return replace(
        verdict, numbers=f"{verdict.numbers} (chance {', '.join(sorted(guesses))}; {_seeds(seeds)})"
    )


def _differences(evidence: Evidence[Any], check: Check, decide: Callable[[Estimate], Outcome]) -> Verdict:
    entries, references = evidence.chosen(check.cell), evidence.chosen(check.reference)
    verdicts, seeds = {}, set()
    for model in [model for model in entries if model in references]:
        found = evidence.weigh([(1.0, entries[model]), (-1.0, references[model])])
        verdicts[model] = decide(found), show_estimate(found)
        seeds.add(found.n_seeds)
    verdict = _each(verdicts)
    compared = _compared(check.cell, check.reference)
    return replace(verdict, numbers=f"{compared}: {verdict.numbers} ({_seeds(seeds)})")


def _seeds(counts: set[int]) -> str:
    """`4 seeds`, `2 to 4 seeds`."""
    n = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    return f"{n} seed{'' if counts == {1} else 's'}"


def _compared(first: Choice, second: Choice) -> str:
    """What differs between two choices: `disjoint minus balanced`."""
    words = [(c.setting, c.views, f"cameras {c.cameras}") for c in (first, second)]
    differing = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    return " minus ".join(", ".join(side) for side in zip(*differing, strict=True))


def _expected(found: Comparison, expected: Comparison) -> Outcome:
    if found == "cannot tell":
        return "cannot tell"
    return "holds" if found == expected else "does not hold"


def _no_effect(p: float, deviations: Sequence[Estimate]) -> Outcome:
    """Of accuracies by camera or place: close to their mean, all of them, or else as a permutation test says.

    That a test finds nothing shows nothing where there was little to find it in; and over many photos it finds
    differences that matter to nobody.
    """
    if all(found.low >= -CLOSE and found.high <= CLOSE for found in deviations):
        return "holds"
    return "does not hold" if p < SIGNIFICANT else "cannot tell"


def _each(verdicts: Mapping[str, tuple[Outcome, str]]) -> Verdict:
    """One verdict of those by model: the models for which it does not hold, or cannot be told, are named first."""
    if not verdicts:
        raise NotTestedError("no model has finished both of what is compared")
    outcomes = [outcome for outcome, _ in verdicts.values()]
    names = {o: [m for m, (found, _) in verdicts.items() if found == o] for o in dict.fromkeys(outcomes)}
    exceptions = [
        f"{outcome} for {', '.join(models)}" for outcome, models in names.items() if outcome != "holds"
    ]
    numbers = "; ".join(f"{model} {text}" for model, (_, text) in verdicts.items())
    prefix = f"{'; '.join(exceptions)}: " if len(names) > 1 else ""
    return Verdict(worst(outcomes), prefix + numbers)


def _probed(evidence: Recorded, choice: Choice, kind: str) -> dict[str, Iterator[Probe]]:
    """The probes of a kind, per model those of all seeds; one at a time, as they are large."""
    cells = evidence.cells(choice)
    found: dict[str, Iterator[Probe]] = {}
    for model in evidence.chosen(choice):
        probes = (probe for _, probe in evidence.records.probes(cells[model], kind))
        first = next(probes, None)
        if first is not None:
            found[model] = chain([first], probes)
    if not found:
        raise NotTestedError(f"the probe {kind} has not run under {choice.setting}")
    return found


def _probed_in_both(evidence: Recorded, check: Check) -> dict[str, Iterator[tuple[Probe, Probe]]]:
    """Perturbations under `cell` and under `than`, per model those of every seed that has both; a pair at a time."""
    firsts, seconds = evidence.cells(check.cell), evidence.cells(check.reference)

    def pairs(model: str) -> Iterator[tuple[Probe, Probe]]:
        for seed, probe in evidence.records.probes(firsts[model], "perturbations"):
            other = evidence.records.probe(seconds[model], "perturbations", seed)
            if other is not None:
                yield probe, other

    return {model: pairs(model) for model in evidence.chosen(check.cell) if model in seconds}
