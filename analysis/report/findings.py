"""What the numbers say, in sentences that change when the numbers do.

A sentence holds the models for which the same is true, each with its number, interval and seeds. To add a finding,
write a function from the records to answers and list it in `QUESTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from camerabias.analysis.effects.by_setting import REFERENCES, Sides, reference_cell, setting_contrasts
from camerabias.analysis.effects.probes import (
    ENERGY_REGIONS,
    alikeness,
    attribution_energy,
    concentration,
    perturbation_correlations,
    perturbation_energy,
)
from camerabias.analysis.effects.strengths import strengths
from camerabias.analysis.records.learned import steps_learned
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN, show_absence
from camerabias.analysis.statistics.accuracy import (
    contrast,
    excess_given,
    paired_difference,
    share_given,
)
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS, NOTHING, Comparison, Estimate
from camerabias.analysis.statistics.learning import learning_order
from camerabias.analysis.statistics.number_format import show_estimate, show_interval, show_number, show_share
from camerabias.datasets.schema import STRENGTH, Target
from camerabias.trainables.records.study import StudyCell

BESIDE: dict[Comparison, str] = {
    "higher": "higher than",
    "lower": "lower than",
    "cannot tell": "not distinguishable from",
}


@dataclass(frozen=True)
class Finding:
    """Sentences on one question.

    Attributes:
        question: What they answer.
        sentences: The answers.
    """

    question: str
    sentences: list[str]


@dataclass(frozen=True)
class _Answer:
    """Something that is true of one model: `statement: model number`."""

    statement: str
    model: str
    number: str


def find(records: Records) -> list[Finding]:
    """Everything that a run's trials can tell; questions that none of its cells bears on are skipped.

    Raises:
        CamerabiasError: A file of a finished trial is damaged; it is named.
    """
    findings = [Finding(question, _sentences(ask(records))) for question, ask in QUESTIONS.items()]
    return [finding for finding in findings if finding.sentences]


def _sentences(answers: list[_Answer]) -> list[str]:
    models: dict[str, list[str]] = {}
    for answer in answers:
        models.setdefault(answer.statement, []).append(f"{answer.model} {answer.number}".strip())
    return [f"{statement}: {'; '.join(dict.fromkeys(numbers))}." for statement, numbers in models.items()]


def _in_short(records: Records) -> list[_Answer]:
    """Paper, Table II in a line: label accuracy by whether the camera goes with the label, after each training."""
    return [
        _Answer(
            "Label accuracy where the camera goes with the label, and where it does not, after "
            f"{one.without.setting} training and after disjoint (every camera has one label)",
            one.model,
            f"{_both(one.without)}, then {_both(one.tied)}",
        )
        for one in setting_contrasts(records)
    ]


def _both(sides: Sides) -> str:
    return f"{show_estimate(sides.aligned)} and {show_estimate(sides.conflicting)}"


def _recognition(records: Records, target: Target) -> list[_Answer]:
    """Accuracy against chance, of every cell of a target."""
    answers = []
    for cell in records.cells(target):
        start = f"Trained on {_training(cell)}, {target} accuracy is"
        found, by_chance = records.accuracy_and_chance(cell)
        if found.n_seeds:
            statement, number = f"{start} {_beside(found, by_chance, 'chance')}", _number(found)
        else:
            statement, number = f"{start} unknown", show_absence(records, cell)
        answers.append(_Answer(statement, records.model_name(cell), number))
    return answers


def _setting_costs(records: Records) -> list[_Answer]:
    """Label accuracy of other settings minus that of the reference, on the same test photos."""
    answers = []
    for cell in records.cells("label", views=PLAIN):
        reference = reference_cell(records, cell)
        if reference is None or cell.setting in REFERENCES:
            continue
        found = paired_difference(records.rows(cell), records.rows(reference))
        if found.n_seeds:  # what is missing, the sentences on accuracy name
            start = (
                f"Label accuracy after {cell.setting} minus {reference.setting} training, on the same photos,"
            )
            statement = f"{start} is {_compared(found, 0)} 0"
            number = _number(found) + _sizes(records, reference, cell)
            answers.append(_Answer(statement, records.model_name(cell), number))
    return answers


def _sizes(records: Records, first: StudyCell, second: StudyCell) -> str:
    """A warning where two cells were trained on very different numbers of photos, which alone moves accuracy."""
    n, m = (
        records.trials.loc[list(records.done(cell).values()), "train_images"].median()
        for cell in (first, second)
    )
    if max(n, m) <= 1.5 * min(n, m):
        return ""
    sizes = f"{n:.0f} training photos under {first.setting}, {m:.0f} under {second.setting}"
    return f"; the sizes differ, too: {sizes}"


def _tied_cameras(records: Records) -> list[_Answer]:
    """Paper, Figure 3: how often photos of cameras that were tied to a label are predicted as that label."""
    answers, by_test = [], _significant_strengths(records)
    for cell in records.cells("label"):
        tied = records.tied_labels(cell)
        given = share_given(records.rows(cell), tied) if tied else NOTHING
        if not given.n_seeds:
            continue
        excess = excess_given(records.rows(cell), tied)
        start = f"Trained on {_training(cell)},"
        compared, rule = _compared(excess, 0), ""
        if significant := by_test.get((records.model_name(cell), cell.views, cell.setting)):
            compared, rule = _decided(excess, significant == "yes"), " (p corrected for the strengths)"
        statement = (
            f"{start} the share of test photos predicted as their camera's label is {compared} that "
            f"expected if predictions were independent of the camera{rule}"
        )
        number = f"{_number(given)}, difference {show_estimate(excess)}"
        ties = ", ".join(f"{label} to {camera}" for camera, label in tied.items())
        answers.append(_Answer(f"{start} labels are tied to cameras", "", ties))
        answers.append(_Answer(statement, records.model_name(cell), number))
    return answers


def _significant_strengths(records: Records) -> dict[tuple[str, str, str], str]:
    """Of models trained at several strengths, by model, views and setting: `significant` of `strengths`."""
    found = strengths(records)
    found = found[(found["mitigation"] == "none") & (found["significant"] != "")]
    names = zip(found["model"], found["views"], found["strength"], strict=True)
    keys = [(model, views, f"{STRENGTH}{strength:g}") for model, views, strength in names]
    return dict(zip(keys, found["significant"], strict=True))


def _decided(found: Estimate, significant: bool) -> str:
    """How an estimate compares with 0 where a test has decided."""
    if not significant:
        return BESIDE["cannot tell"]
    return BESIDE["higher" if found.mean > 0 else "lower"]


def _unseen_cameras(records: Records) -> list[_Answer]:
    """Paper, Figure 4: label accuracy on cameras that were not in training, beside those that were."""
    answers = []
    for cell in records.cells("label"):
        (seen, _), (unseen, by_chance) = (
            records.accuracy_and_chance(cell, some) for some in ("seen", "unseen")
        )
        if not (seen.n_seeds and unseen.n_seeds):
            continue
        apart = contrast([(1.0, records.rows(cell, "unseen")), (-1.0, records.rows(cell, "seen"))])
        cameras = ", ".join(records.unseen_cameras(cell))
        start = f"Trained on {_training(cell)}, label accuracy on unseen cameras ({cameras}) is"
        level = _beside(unseen, by_chance, "chance")
        statement = f"{start} {level} and {_compared(apart, 0)} that on seen cameras"
        number = f"{_number(unseen)}, seen {show_estimate(seen)}"
        answers.append(_Answer(statement, records.model_name(cell), number))
    return answers


def _learned_first(records: Records) -> list[_Answer]:
    """Paper, Figure 2: which of camera and label is learned first, in pairs of one model and seed."""
    answers = []
    for setting in REFERENCES:
        camera, label = (steps_learned(records, target, setting) for target in ("camera", "label"))
        order = learning_order(camera, label)
        if order.pairs.empty:
            continue
        answer = f"the {order.first} is learned first"
        if order.first == "cannot tell":
            answer = "we cannot tell which is learned first, camera or label"
        camera_steps, label_steps = (_median_steps(order.pairs[target]) for target in ("camera", "label"))
        decided = order.camera_first + order.label_first
        share = show_interval(order.camera_first / decided, order.low, order.high) if decided else ""
        interval = f" (camera's share {share})" if share else ""
        number = (
            f"of {len(order.pairs)} pairs of model and seed, the camera was in {order.camera_first} and the label in "
            f"{order.label_first}{interval}"
        )
        answers.append(_Answer(f"On {setting} photos, {answer}", "", number))
        statement = f"On {setting} photos, median time to half of the way from chance to 1"
        answers.append(_Answer(statement, "", f"camera {camera_steps}, label {label_steps}"))
    return answers


def _median_steps(steps: pd.Series[float]) -> str:
    median = steps.fillna(np.inf).median()
    return f"{median:.0f} steps" if np.isfinite(median) else "not in training"


def _perturbations(records: Records) -> list[_Answer]:
    """Paper, section IV-C: what is changed to flip a prediction, and whether it is the same in different photos."""
    answers = []
    for cell in records.cells("label"):
        energies, correlations = [], []
        for _, probe in records.probes(cell, "perturbations"):
            correlations.append(perturbation_correlations(probe))
            if "regions" in probe:
                energies.append(perturbation_energy(probe))
        answers += _places(records, cell, "perturbations that flip the prediction", energies)
        alike = alikeness(correlations)
        if alike.n_seeds:
            start = f"Trained on {_training(cell)}, the mean correlation of perturbations between objects is"
            statement = f"{start} {_compared(alike, 0)} 0"
            answers.append(_Answer(statement, records.model_name(cell), _number(alike)))
    return answers


def _attributions(records: Records) -> list[_Answer]:
    """Where the evidence for the predicted label lies."""
    answers = []
    for cell in records.cells("label"):
        probes = (probe for _, probe in records.probes(cell, "attributions"))
        energies = [attribution_energy(probe) for probe in probes if "regions" in probe]
        answers += _places(records, cell, "integrated gradients", energies)
    return answers


def _places(records: Records, cell: StudyCell, what: str, energies: list[pd.DataFrame]) -> list[_Answer]:
    """Where energy is, in one answer; none where no photo has known regions."""
    if not any(map(len, energies)):
        return []
    places = {region: concentration(energies, [region]) for region in ENERGY_REGIONS}
    numbers = ", ".join(
        f"{region} {show_estimate(place.share)} (× {show_number(place.density)})"
        for region, place in places.items()
    )
    statement = (
        f"Trained on {_training(cell)}, energy of {what} by region (× density against a uniform spread; top: plastic "
        "in the uppermost tenth of rows)"
    )
    return [_Answer(statement, records.model_name(cell), numbers)]


QUESTIONS: dict[str, Callable[[Records], list[_Answer]]] = {
    "In short": _in_short,
    "Are cameras recognised?": partial(_recognition, target="camera"),
    "Is the label recognised?": partial(_recognition, target="label"),
    "What does the setting change?": _setting_costs,
    "Do predictions depend on the camera?": _tied_cameras,
    "Does it work on unseen cameras?": _unseen_cameras,
    "Is the camera learned before the label?": _learned_first,
    "What flips a prediction?": _perturbations,
    "Where do predictions look?": _attributions,
}


def _training(cell: StudyCell) -> str:
    return cell.setting if cell.views == PLAIN else f"{cell.setting} ({cell.views})"


def _number(found: Estimate) -> str:
    few = "" if found.n_groups >= MIN_GROUPS else f", {found.n_groups} groups: too few for an interval"
    return f"{show_estimate(found)} ({found.n_seeds} seed{'s' if found.n_seeds != 1 else ''}{few})"


def _beside(found: Estimate, value: float, name: str) -> str:
    """`higher than chance (0.200)`, and so on."""
    return f"{_compared(found, value)} {name} ({show_share(value)})"


def _compared(found: Estimate, value: float) -> str:
    """How an estimate compares with a value; without an interval it does not."""
    if np.isnan(found.low):
        return "not comparable (too few groups) with"
    return BESIDE[found.against(value)]
