"""A verdict's reasons and next steps, in sentences."""

from __future__ import annotations

from math import isnan

from camerabias.analysis.records.wording import PLAIN, show_estimate
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.findings import SENSOR_EXCESS, Findings
from camerabias.analysis.verdict.outcome import Outcome
from camerabias.datasets.schema import N_FOLDS

# --- in words -------------------------------------------------------------------------------------------


def give_reasons(found: Findings, outcome: Outcome) -> list[str]:
    """Why the verdict is what it is, the most important sentence first."""
    use, recognised = _use_sentences(found), _recognition_sentences(found)
    first = {"cheating": use, "cannot tell": _why_not_told(found), "at risk": recognised, "no evidence": use}[
        outcome
    ]
    rest = [
        *use,
        *recognised,
        *_association_sentences(found),
        *_reshot_sentences(found),
        *_cue_sentences(found),
    ]
    return list(dict.fromkeys([*first, *rest]))


def _use_sentences(found: Findings) -> list[str]:
    used = found.used
    if not found.design.implied:
        return [found.design.answers["use"].why]
    if used is None or isnan(used.p):
        return []
    groups = f"{used.n_disagree} independent test groups disagree with their camera, {used.n_agree} agree"
    if used.p <= LEVEL:
        start = "The classifier's predictions follow the camera"
    else:
        start = "No use of the camera is seen"
    sentences = [
        f"{start}: of the test photos whose camera implies a label, {used.share:.1%} are given that label, where "
        f"{used.by_luck:.1%} would be if predictions took no notice of the camera (p = {used.p:.4f}; {groups})."
    ]
    gap = (
        f"A label is named for a share of {show_estimate(used.gap)} more of the photos whose camera implies it than "
        "of others with the same true label"
    )
    if used.p > LEVEL and not isnan(found.detectable):
        gap += f"; a difference of {found.detectable:.2f} would have been seen four times in five"
    sentences.append(f"{gap}.")
    if used.n_disagree and used.n_agree:
        sentences.append(
            f"The label is right on {show_estimate(used.accuracy_agree)} of the test photos where camera and label "
            f"agree, and on {show_estimate(used.accuracy_disagree)} where they do not."
        )
    return sentences


def _why_not_told(found: Findings) -> list[str]:
    answer = found.design.answers["use"]
    if not answer.answerable:
        return [answer.why]
    if found.used is None:
        return ["No trial that learns the label from the photos as they are has finished."]
    return [
        f"Only {found.used.n_disagree} independent test groups have a camera that implies another label than "
        f"theirs, too few to show a use of the camera: {MIN_GROUPS} are needed, and enough that a perfect cheat "
        "would stand out."
    ]


def _recognition_sentences(found: Findings) -> list[str]:
    sentences = []
    for who, seen in (
        ("A model of the same kind", found.recognised),
        ("The sensor pattern, without training,", found.sensor),
    ):
        if seen is None or isnan(seen.p):
            continue
        verb = "tells" if seen.p <= LEVEL else "does not tell"
        if seen is found.sensor and seen.p <= LEVEL and seen.excess.mean < SENSOR_EXCESS:
            verb = "hardly tells (as processing alone could)"
        sentences.append(
            f"{who} {verb} cameras of the same label apart: {show_estimate(seen.accuracy)} right, where naming the "
            f"commonest camera of each label is right on {seen.chance:.3f} (p = {seen.p:.4f}, against the same names "
            "with the cameras of each label exchanged)."
        )
    if not sentences:
        sentences.append(
            "Whether cameras can be recognised within a label was not tested, or no label has two."
        )
    return sentences


def _association_sentences(found: Findings) -> list[str]:
    association = found.design.association
    if isnan(association.p):
        return []
    how = "hang together" if association.p <= LEVEL else "do not hang together noticeably"
    return [
        f"Label and camera {how}: Cramér's V is {show_estimate(association.cramers_v)} (p = {association.p:.3f})."
    ]


def _reshot_sentences(found: Findings) -> list[str]:
    if found.reshot is None or isnan(found.reshot.p):
        return []
    told = f"{show_estimate(found.reshot.across)} of the predictions change"
    if not isnan(found.reshot.noise.mean):
        told += f", by one that implies the same label {show_estimate(found.reshot.noise)}"
    return [
        f"Shot again by a camera that implies another label, {told}; {show_estimate(found.reshot.directed)} more go "
        f"over to the label that the new camera implies than against it (p = {found.reshot.p:.4f})."
    ]


def _cue_sentences(found: Findings) -> list[str]:
    if found.cues is None:
        return []
    sentences = [
        f"What tells the cameras apart looks like {' and '.join(found.cues.named)}, by what is left of it in "
        f"{len(found.cues.views)} views."
    ]
    still = found.labels[(found.labels["p_holm"] <= LEVEL) & (found.labels["view"] != PLAIN)]
    rid = found.labels[(found.labels["p_holm"] > LEVEL) & (found.labels["view"] != PLAIN)]
    if found.follows_cameras:
        for does, views in (("still", still), ("do not noticeably", rid)):
            if len(views):
                sentences.append(
                    f"Predictions {does} follow the camera in the views {', '.join(views['view'])}."
                )
    return sentences


CURES = {
    "colour": "jitter",
    "sensor": "blur_noise",
    "optics": "blur_noise",
    "processing": "blur_noise",
    "compression": "recompress",
}
"""The augmentation that destroys a family of cues, of `MITIGATIONS`."""


def propose_next_steps(found: Findings, outcome: Outcome) -> list[str]:
    """What to do next, the most useful first."""
    photos = [
        answer.photos for answer in found.design.answers.values() if not answer.answerable and answer.photos
    ]
    cures = list(dict.fromkeys(CURES[family] for family in found.cues.named)) if found.cues else []
    augmented = f"augmentation that destroys the cue ({', '.join(cures)}), " if cures else ""
    steps = {
        "cheating": [
            "Do not trust the test accuracy: report it apart for photos where camera and label agree and where they "
            "do not.",
            "Take photos of every label with every camera, or train with a mitigation and see what it costs: "
            f"{augmented}weighting or resampling by label × camera (`camerabias audit --full` compares them).",
        ],
        "cannot tell": [_what_would_tell(found)],
        "at risk": [
            "Balance the cameras over the labels in what you train on, since a model that is trained longer, or on "
            "other photos, may begin to use what is there to be used.",
            "Audit again with more photos to see smaller effects.",
        ],
        "no evidence": [
            "Audit again when photos or cameras change, or with more photos to see smaller effects."
        ],
    }[outcome]
    return [*steps, *photos]


def _what_would_tell(found: Findings) -> str:
    if not found.design.answers["use"].answerable:
        return "Take the photos that are lacking, and audit again: no training can make up for them."
    if found.used is None:
        return "Run the same command again: it goes on where it stopped, and with `--retry-failed` tries what failed."
    folds = ",".join(map(str, range(N_FOLDS)))
    return (
        "Test more photos whose camera disagrees with their label: without a split of your own, "
        f"`--seeds {folds}` tests all folds."
    )
