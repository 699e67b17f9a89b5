"""The verdict of an audit: does the classifier use the camera? With its reasons, their numbers, and the next step.

It is decided in this order, by the first that applies:

- `cheating`: the use is shown. Predictions follow the camera within labels, at level 0.01.
- `cannot tell`: too few test photos disagree with their camera for a perfect cheat to be caught, or for an interval.
- `at risk`: cameras can be recognised within labels and hang together with the label, both at level 0.01.
- `no evidence`: with the smallest use of the camera that would have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan, nan
from typing import Literal, get_args

import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.cues import SETTING, Attribution, attribute, cameras_by_view, labels_by_view
from camerabias.analysis.design import Design, check_design
from camerabias.analysis.permutation import LEVEL, holm
from camerabias.analysis.records import Records, StudyCell
from camerabias.analysis.signature import (
    Flips,
    Recognition,
    Signature,
    detectable_gap,
    flips,
    recognition,
    signature,
)
from camerabias.analysis.statistics import MIN_GROUPS, Estimate, accuracy
from camerabias.analysis.tables import PLAIN, show_estimate
from camerabias.datasets.schema import N_FOLDS
from camerabias.trainables.record import FACTS_FILE, SENSOR_PATTERN_FILE

VERDICT_FILE = "verdict.json"
SCHEMA_VERSION = 1

Outcome = Literal["cheating", "cannot tell", "at risk", "no evidence"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
SENSOR_EXCESS = 0.1
"""Twice what JPEG and processing alone came to beyond chance, with no pattern in the sensor (see the manual)."""


class Verdict(BaseModel):
    """`report/verdict.json`.

    Attributes:
        schema_version: Raised when a reader of an older file would misread a newer one.
        verdict: What it comes to.
        level: Level of the tests that decide.
        reasons: Why, a sentence each; the first one decided.
        next_steps: What to do, a sentence each.
        cues: Families of cues that tell the cameras apart, the nearest first; empty where that was not asked, or
            the cameras are not told apart.
        evidence: Every number behind the reasons, by name; None where the photos or the trials do not give it. The
            manual lists the names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    verdict: Outcome
    level: float = LEVEL
    reasons: list[str]
    next_steps: list[str]
    cues: list[str]
    evidence: dict[str, float | None]


@dataclass(frozen=True)
class Findings:
    """Everything that a verdict is decided by.

    Attributes:
        model: The model that it is about: of several the one with the clearest use of the camera.
        design: What the photos can tell.
        recognised: Whether the model tells cameras of the same label apart; None before such a trial has finished.
        sensor: Whether the sensors' patterns do; None where no photo could be judged.
        used: Whether the model's labels follow the camera, its p corrected for the number of models that were looked
            at; None before such a trial has finished.
        detectable: The smallest use that would have been seen, as a gap; NaN where not even a full one would.
        label_accuracy: Accuracy of the label; None likewise.
        reshot: What happens when another camera shoots the same object; None of real photos.
        cameras: `cues.cameras_by_view`.
        labels: `cues.labels_by_view`.
        cues: What tells the cameras apart; None where that was not asked, or they are not told apart.
    """

    model: str
    design: Design
    recognised: Recognition | None
    sensor: Recognition | None
    used: Signature | None
    detectable: float
    label_accuracy: Estimate | None
    reshot: Flips | None
    cameras: pd.DataFrame
    labels: pd.DataFrame
    cues: Attribution | None

    @property
    def tells_cameras(self) -> bool:
        """Whether the cameras of the same label are told apart, significantly."""
        return self.recognised is not None and self.recognised.p <= LEVEL

    @property
    def hang_together(self) -> bool:
        """Whether label and camera hang together in the photos, significantly."""
        return self.design.association.p <= LEVEL

    @property
    def follows_cameras(self) -> bool:
        """Whether predictions of the label follow the camera, significantly."""
        return self.used is not None and self.used.p <= LEVEL


def investigate(records: Records) -> Findings | None:
    """Gather what a verdict is decided by; None where nobody has audited the run."""
    facts = records.run.frame(FACTS_FILE)
    return None if facts is None else gather(records, check_design(facts))


def gather(records: Records, design: Design) -> Findings:
    """`investigate` where the design has been looked at already."""
    uses = {records.model_name(cell): cell for cell in records.cells("label", SETTING, PLAIN)}
    finished = {
        model: rows
        for model, cell in uses.items()
        if (rows := list(records.test_rows(cell, "seen").values()))
    }
    signatures = {model: signature(rows, design.implied) for model, rows in finished.items()}
    corrected = holm([found.p for found in signatures.values()])
    signatures = {
        model: replace(found, p=p) for (model, found), p in zip(signatures.items(), corrected, strict=True)
    }
    models = [records.model_name(cell) for cell in records.cells("camera", SETTING, PLAIN)]
    # NaN sorts last: a model of which nothing can be said is not the one that the verdict is about
    clearest = sorted(signatures, key=lambda model: (isnan(signatures[model].p), signatures[model].p))
    model = [*clearest, *uses, *models, ""][0]
    cell = uses.get(model)
    cameras = cameras_by_view(records, model)
    recognised = _recognised(records, model)
    tells = recognised is not None and recognised.p <= LEVEL
    used, rows = signatures.get(model), finished.get(model, [])
    return Findings(
        model=model,
        design=design,
        recognised=recognised,
        sensor=_sensor(records),
        used=used,
        detectable=detectable_gap(rows, design.implied) if used and not isnan(used.p) else nan,
        label_accuracy=accuracy(rows) if rows else None,
        reshot=None if cell is None else _reshot(records, cell, design),
        cameras=cameras,
        labels=labels_by_view(records, model, design.implied),
        cues=attribute(dict(zip(cameras["view"], cameras["kept"], strict=True))) if tells else None,
    )


def decide(found: Findings) -> Verdict:
    """The verdict on what an audit has found."""
    outcome = _outcome(found)
    return Verdict(
        verdict=outcome,
        reasons=_reasons(found, outcome),
        next_steps=_next_steps(found, outcome),
        cues=list(found.cues.named) if found.cues else [],
        evidence=_evidence(found),
    )


def _outcome(found: Findings) -> Outcome:
    if found.follows_cameras:
        return "cheating"
    if not found.design.answers["use"].answerable or (found.design.implied and not _could_show(found)):
        return "cannot tell"
    if found.tells_cameras and found.hang_together:
        return "at risk"
    return "no evidence" if found.used is not None else "cannot tell"


def _could_show(found: Findings) -> bool:
    used = found.used
    return used is not None and used.n_disagree >= MIN_GROUPS and not isnan(found.detectable)


def _recognised(records: Records, model: str) -> Recognition | None:
    for cell in records.cells("camera", SETTING, PLAIN):
        rows = list(records.test_rows(cell, "seen").values())
        if rows and records.model_name(cell) == model:
            return recognition(rows)
    return None


def _sensor(records: Records) -> Recognition | None:
    matches = records.run.frame(SENSOR_PATTERN_FILE)
    if matches is None or matches.empty:
        return None
    # cameras are matched within label and size in pixels, and so may be exchanged within these alone
    within = matches["label"] + matches["height"].map(" {}".format) + matches["width"].map(" × {}".format)
    found = recognition([matches.assign(label=within, truth=matches["camera"], draw=0)])
    return None if isnan(found.p) else found


def _reshot(records: Records, cell: StudyCell, design: Design) -> Flips | None:
    shots = []
    for _, arrays in records.probes(cell, "counterfactual"):
        frame = pd.DataFrame(arrays)
        frame["image_id"] = frame["group"] + "/" + frame["camera"]
        shots.append(frame)
    return flips(shots, design.implied) if shots and design.implied else None


# --- in words -------------------------------------------------------------------------------------------


def _reasons(found: Findings, outcome: Outcome) -> list[str]:
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


def _next_steps(found: Findings, outcome: Outcome) -> list[str]:
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


# --- in numbers -----------------------------------------------------------------------------------------


def _evidence(found: Findings) -> dict[str, float | None]:
    association, used, reshot = found.design.association, found.used, found.reshot
    numbers: dict[str, float] = {
        **association.cramers_v.named("association.cramers_v"),
        "association.p": association.p,
        "design.smallest_effect": found.design.smallest_effect,
    }
    for name, seen in (("recognition", found.recognised), ("sensor_pattern", found.sensor)):
        if seen is not None:
            numbers |= {
                **seen.accuracy.named(f"{name}.accuracy"),
                f"{name}.chance": seen.chance,
                f"{name}.p": seen.p,
            }
    if found.label_accuracy is not None:
        numbers |= found.label_accuracy.named("label.accuracy")
    if used is not None:
        numbers |= {
            "use.share": used.share,
            "use.by_luck": used.by_luck,
            **used.gap.named("use.gap"),
            "use.p": used.p,
            "use.detectable": found.detectable,
            "use.n_agree": used.n_agree,
            "use.n_disagree": used.n_disagree,
            **used.accuracy_agree.named("use.accuracy_agree"),
            **used.accuracy_disagree.named("use.accuracy_disagree"),
        }
    if reshot is not None:
        for name in ("across", "noise", "excess", "directed"):
            numbers |= getattr(reshot, name).named(f"counterfactual.{name}")
        numbers["counterfactual.p"] = reshot.p
    if found.cues is not None:
        numbers |= {f"cues.{family}": distance for family, distance in found.cues.distances.items()}
    return {name: None if isnan(value) else float(value) for name, value in numbers.items()}
