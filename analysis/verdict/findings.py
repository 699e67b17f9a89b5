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

import pandas as pd

from camerabias.analysis.design.design import Design
from camerabias.analysis.effects.cues import SETTING, Attribution, attribute, cameras_by_view, labels_by_view
from camerabias.analysis.effects.shortcut_effect import (
    Flips,
    Recognition,
    Signature,
    detectable_gap,
    flips,
    recognition,
    signature,
)
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.analysis.statistics.permutation import LEVEL, holm
from camerabias.trainables.records.record import SENSOR_PATTERN_FILE
from camerabias.trainables.records.study import StudyCell

SENSOR_EXCESS = 0.1
"""Twice what JPEG and processing alone came to beyond chance, with no pattern in the sensor (see the manual)."""


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
