"""Is the camera identified within a label, by a model and by the sensors' patterns?"""

from __future__ import annotations

from math import isnan

from camerabias.analysis.effects.shortcut_effect import Identification, identification
from camerabias.analysis.statistics.number_format import show_estimate, show_p, show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.analysis.verdict.evidence.base import Audited, Findings, VerdictTest, register

SENSOR_EXCESS = 0.1
"""Twice what JPEG and processing alone came to beyond chance, with no pattern in the sensor (see the manual)."""


class IdentificationTest(VerdictTest[Identification]):
    """Whether the model identifies the camera."""

    name = "identification"

    def compute(self, audited: Audited) -> Identification | None:
        """Of the audited model on photos as they are."""
        return identification(audited.camera_rows) if audited.camera_rows else None

    def evidence(self, result: Identification) -> dict[str, float]:
        """Accuracy, its baseline and p."""
        return {
            **result.accuracy.named("accuracy"),
            "majority_baseline": result.majority_baseline,
            "p": result.p,
        }

    def sentences(self, found: Findings) -> list[str]:
        """Whether it does, with the numbers."""
        result = found.of(self)
        if result is not None and not isnan(result.p):
            verb = "identifies" if result.p <= LEVEL else "was not shown to identify"
            return [f"The model {verb} the camera within a label: {_numbers(result)}."]
        if found.judged and result is None:
            return [
                "Not tested, and not needed for `cheating`: whether the photos give the camera away. That takes "
                "predictions of the camera (--predicted-camera)."
            ]
        if found.of(SENSOR_PATTERN) is None:
            return ["Whether the camera is identified within a label was not tested, or no label has two."]
        return []


class SensorPatternTest(IdentificationTest):
    """Whether the sensors' patterns identify the camera, without training."""

    name = "sensor_pattern"

    def compute(self, audited: Audited) -> Identification | None:
        """Of the patterns that were matched before training."""
        matches = audited.sensor_matches
        if matches is None or matches.empty:
            return None
        # cameras are matched within label and size in pixels, and so may be exchanged within these alone
        within = matches["label"] + matches["height"].map(" {}".format) + matches["width"].map(" × {}".format)
        found = identification([matches.assign(label=within, truth=matches["camera"], draw=0)])
        return None if isnan(found.p) else found

    def sentences(self, found: Findings) -> list[str]:
        """Whether they do, and by more than processing alone would."""
        result = found.of(self)
        if result is None:
            return []
        weak = result.p <= LEVEL and result.excess.mean < SENSOR_EXCESS
        found_to = "holds traces of" if weak else "identifies"
        verb = found_to if result.p <= LEVEL else "was not shown to identify"
        beside = "; processing alone comes as far" if weak else ""
        return [f"The sensor pattern {verb} the camera within a label: {_numbers(result)}{beside}."]


def _numbers(found: Identification) -> str:
    baseline = show_share(found.majority_baseline)
    return f"accuracy {show_estimate(found.accuracy)}, majority baseline {baseline} (permutation {show_p(found.p)})"


IDENTIFICATION = register(IdentificationTest())
SENSOR_PATTERN = register(SensorPatternTest())
