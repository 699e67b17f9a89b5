"""A verdict's reasons and next steps, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isnan

from camerabias.analysis.design.design import Design
from camerabias.analysis.design.wording import photos_to_take
from camerabias.analysis.effects.shortcut_effect import ShortcutEffect
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.number_format import (
    show_estimate,
    show_points,
    show_share,
    show_with_points,
)
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.commands import audit_again, compare_settings, equalise
from camerabias.analysis.verdict.evidence.base import Findings
from camerabias.analysis.verdict.evidence.cues import CUES_TEST
from camerabias.analysis.verdict.evidence.moved_cues import MOVED_CUES
from camerabias.analysis.verdict.evidence.registry import all_tests
from camerabias.analysis.verdict.evidence.shortcut_effect import SHORTCUT_EFFECT
from camerabias.analysis.verdict.evidence.task import TASK
from camerabias.analysis.verdict.outcome import VerdictOutcome
from camerabias.datasets.cues.names import mitigations_of, words_of
from camerabias.trainables.spec.linear_probe import is_linear

LARGEST_UNSEEN = 0.25
"""The largest risk difference that `no evidence` may have been unable to detect."""

MAX_LACKING = 4
"""Labels and cameras that are named of those that training has too few photos of."""

DECIDED_BY: dict[VerdictOutcome, str] = {
    "cheating": "shortcut_effect",
    "at risk": "identification",
    "no evidence": "shortcut_effect",
}
"""The test whose sentences come first."""


def give_reasons(found: Findings, outcome: VerdictOutcome) -> list[str]:
    """Why the verdict is what it is: what a network adds to a linear probe, then the most important sentence."""
    sentences = {test.name: test.sentences(found) for test in all_tests()}
    first = _why_undecided(found) if outcome == "cannot tell" else sentences[DECIDED_BY[outcome]]
    others = (sentence for found_by in sentences.values() for sentence in found_by)
    return list(dict.fromkeys([*_beside_the_probe(found), *first, *others]))


def _beside_the_probe(found: Findings) -> list[str]:
    """What each network that was trained adds to the linear probe before it; nothing where one of them is alone."""
    tested = {name: effect for name, effect in found.effects.items() if not isnan(effect.p)}
    probe = next((effect for name, effect in tested.items() if is_linear(name)), None)
    if probe is None:
        return []
    return [_compare(name, effect, probe) for name, effect in tested.items() if not is_linear(name)]


def _compare(name: str, network: ShortcutEffect, probe: ShortcutEffect) -> str:
    own, other = (show_with_points(effect.risk_difference.mean) for effect in (network, probe))
    shown = (network.p <= LEVEL, probe.p <= LEVEL)
    says = {
        (True, True): f"agrees with the linear probe: its shortcut effect is {own}, the probe's {other}",
        (False, False): f"agrees with the linear probe: neither shows a shortcut effect ({own}, and {other})",
        (
            True,
            False,
        ): f"differs from the linear probe: its shortcut effect is {own}, the probe's {other} are none "
        "that is significant",
        (
            False,
            True,
        ): f"differs from the linear probe: it shows no significant shortcut effect ({own}), the probe "
        f"one of {other}",
    }[shown]
    return f"Trained on these photos, {name} {says}."


def _why_undecided(found: Findings) -> list[str]:
    answer, tested = found.design.answers["use"], found.of(SHORTCUT_EFFECT)
    if not answer.answerable:
        return [answer.why]
    if tested is None:
        return ["No trial that learns the label from the photos as they are has finished."]
    if why := why_no_evidence_is_none(found):
        return [why]
    return [
        f"Too few photos to test: {tested.effect.n_conflicting} bias-conflicting {found.noun}; it takes "
        f"{MIN_GROUPS}, and enough to detect a perfect shortcut."
    ]


def why_no_evidence_is_none(found: Findings) -> str:
    """Why finding nothing says nothing; empty where it does."""
    tested, task = found.of(SHORTCUT_EFFECT), found.of(TASK)
    if tested is None or task is None:
        return "No trial that learns the label from the photos as they are has finished."
    if not task.is_known:
        return (
            "The model was not shown to know the task, and might use the camera if it did: label accuracy "
            f"{show_estimate(task.accuracy)}, majority baseline {show_share(task.majority_baseline)}."
        )
    if found.design.associated_labels and not tested.minimum_detectable <= LARGEST_UNSEEN:
        return (
            f"Nothing was found, but only effects from {show_with_points(tested.minimum_detectable)} on would have "
            f"been (power 0.8); `no evidence` takes {show_points(LARGEST_UNSEEN)} or fewer."
        )
    return ""


def propose_next_steps(found: Findings, outcome: VerdictOutcome) -> list[str]:
    """What to do next, the most useful first."""
    photos = photos_to_take(found.design)
    if found.judged:
        first = [*_photos_to_balance(found), *_quote_both(found)] if outcome == "cheating" else []
        return [*first, *_steps_of_predictions(found, outcome), *photos]
    steps = {
        "cheating": [
            *(_photos_to_balance(found) or ["Take photos of every label with every camera."]),
            *_quote_both(found),
            *_equalise(found),
            _mitigate(found),
        ],
        "cannot tell": [_what_would_decide(found)],
        "at risk": [
            _BALANCE,
            *_photos_to_balance(found),
            "Audit again with more photos to find smaller effects.",
        ],
        "no evidence": _while_nothing_is_found(found),
    }[outcome]
    return [*_mend_the_split(found), *steps, *photos, *_judge_your_own(found)]


def _while_nothing_is_found(found: Findings) -> list[str]:
    if found.design.associated_labels:
        return ["Audit again when photos or cameras change, or with more photos to find smaller effects."]
    tied = f"See what a classifier does where the camera would help it: {compare_settings(found)}."
    return [
        "Keep each camera's share of every label, and audit again when photos or cameras change.",
        "Test on photos by a camera that training never saw.",
        *([] if found.contrast else [tied]),
    ]


def _quote_both(found: Findings) -> list[str]:
    """Which accuracies to quote; nothing where one of the two kinds of photos was not tested."""
    tested = found.of(SHORTCUT_EFFECT)
    if tested is None or not tested.effect.has_both:
        return []
    aligned, conflicting = (
        show_share(one.mean) for one in (tested.effect.accuracy_aligned, tested.effect.accuracy_conflicting)
    )
    return [
        f"Quote both accuracies: {conflicting} on bias-conflicting photos, {aligned} on bias-aligned ones. One "
        "number hides the shortcut effect."
    ]


def _mend_the_split(found: Findings) -> list[str]:
    """What test photos whose group trained, too, ask for: they may be recognised."""
    crossing = found.design.crossing_photos if isinstance(found.design, Design) else 0
    if not crossing:
        return []
    return [
        f"Import again without the split: {crossing} of its test photos have others of their group in training, so "
        "that test accuracy may be too high. Folds keep groups together."
    ]


def _judge_your_own(found: Findings) -> list[str]:
    """That a linear probe of the tool was judged, and no classifier of the user's."""
    if not is_linear(found.model):
        return []
    return ["Judge the classifier that you use by its predictions: `camerabias judge predictions.csv`."]


def _photos_to_balance(found: Findings) -> list[str]:
    """Which photos training lacks most; nothing where that is not known."""
    lacking = found.design.to_balance
    if not lacking:
        return []
    cells = [f"{cell.n} of {cell.label!r} by {cell.camera!r}" for cell in lacking[:MAX_LACKING]]
    others = lacking[MAX_LACKING:]
    more = f", and {sum(cell.n for cell in others)} of {len(others)} more pairs" if others else ""
    return [f"Take more training photos, until each camera has its labels alike: {', '.join(cells)}{more}."]


def _equalise(found: Findings) -> list[str]:
    """That photos can be brought to one level of the cue that is used most; nothing where none was shown to be."""
    used = [cue for cue, moved in (found.of(MOVED_CUES) or {}).items() if moved.is_used]
    return [
        f"Or bring all photos to one level of {words_of(cue)}, and audit them: {equalise(found, cue)}."
        for cue in used[:1]
    ]


def _mitigate(found: Findings) -> str:
    """How to train, and what that has come to where it was compared."""
    names = mitigations_of(_cues_to_destroy(found))
    destroying = " or ".join(f"`{name}`" for name in names)
    augmented = f", or with augmentation that destroys the cue ({destroying})" if names else ""
    return f"Or train with weights or resampling by label × camera{augmented}. {_compared(found)}"


def _compared(found: Findings) -> str:
    """Which mitigation removes most of the effect, of those that were compared."""
    frame = found.mitigations
    tested = [
        row
        for row in frame.to_dict("records")
        if row["model"] == found.model and not isnan(row["bias_removed"])
    ]
    if not tested:
        return f"{compare_settings(found)} compares what they cost."
    shown = [row for row in tested if row["bias_removed_low"] > 0]
    if not shown:
        return f"None of the {len(tested)} mitigations compared here was shown to lower the shortcut effect."
    best = max(shown, key=lambda row: float(row["bias_removed"]))
    return (
        f"Of {len(tested)} mitigations compared here, `{best['mitigation']}` removes most: "
        f"{show_with_points(best['bias_removed'])}, for {show_with_points(best['accuracy_lost'])} of accuracy."
    )


def _cues_to_destroy(found: Findings) -> Sequence[str]:
    """The cues that were shown to be used, where some were; else those that cameras differ in."""
    moved, named = found.of(MOVED_CUES) or {}, found.of(CUES_TEST)
    return [cue for cue, one in moved.items() if one.is_used] or (named.named if named else ())


_BALANCE = (
    "Balance the cameras over the labels in training: a model trained longer, or on other photos, may begin "
    "to use the camera."
)


def _steps_of_predictions(found: Findings, outcome: VerdictOutcome) -> list[str]:
    """What to do where predictions are all there is."""
    return {
        "cheating": [
            "Where no more photos can be had, train with weights or resampling by label × camera.",
            "Test on photos by a camera that training never saw, where no shortcut helps, and judge these too.",
            "With the photos at hand, `camerabias audit photos.csv --run runs/audit` trains a model of its own on "
            "them and says which cue that uses.",
        ],
        "cannot tell": [
            "Judge predictions of more photos of every label with every camera.",
            f"Say what training was like: `camerabias judge {found.source} --training train.csv` reads labels and "
            "cameras of its photos.",
        ],
        "at risk": [_BALANCE, "Judge again with more photos to find smaller effects."],
        "no evidence": [
            "Judge again when the classifier, photos or cameras change, or with more photos to find smaller effects."
        ],
    }[outcome]


def _what_would_decide(found: Findings) -> str:
    if not found.design.answers["use"].answerable:
        return "Take the photos that are lacking, and audit again: no training can make up for them."
    if found.of(SHORTCUT_EFFECT) is None:
        return f"{audit_again(found)} resumes where it stopped, and with `--retry-failed` runs what failed again."
    task = found.of(TASK)
    if task is not None and not task.is_known:
        return (
            "Audit more photos, or with a model that knows the task: "
            f"{audit_again(found, '--fine-tune')}, or another `--backbone`."
        )
    return f"Test {_how_many_more(found)}; without `--quick`, all there are are tested: {audit_again(found)}."


def _how_many_more(found: Findings) -> str:
    """How many photos would lower the minimum detectable effect, which goes as one over the root of their number."""
    tested = found.of(SHORTCUT_EFFECT)
    if tested is None or not tested.minimum_detectable > LARGEST_UNSEEN:
        return "more bias-conflicting photos"
    factor = (tested.minimum_detectable / LARGEST_UNSEEN) ** 2
    n = tested.effect.n_conflicting
    return f"about {ceil(n * factor)} bias-conflicting {found.noun} (now {n})"
