"""How the lack of a number is shown."""

from __future__ import annotations

from camerabias.analysis.records.records import Records
from camerabias.trainables.records.study import StudyCell
from camerabias.trainables.spec.linear_probe import OWN_FEATURES, backbone_of, is_linear

PLAIN = "rgb"
"""The view that needs no mention."""


def show_absence(records: Records, cell: StudyCell) -> str:
    """Why a cell has no number: `missing (0 of 4 seeds)`, `failed (4 of 4 seeds)`, or how many of each."""
    statuses = [records.status(trial) for trial in cell.trials.values()]
    if "done" in statuses:
        return "no such test photos"
    unfinished = [s for s in ("failed", "damaged", "started") if s in statuses]
    counts = [f"{status} ({statuses.count(status)} of {len(statuses)} seeds)" for status in unfinished]
    return ", ".join(counts) or f"missing (0 of {len(statuses)} seeds)"


def describe_model(name: str) -> str:
    """What sentences call a model: `linear:resnet34` is a linear probe."""
    if not is_linear(name):
        return name
    backbone = backbone_of(name)
    return "a linear probe on " + (
        "your own features" if backbone == OWN_FEATURES else f"features of {backbone}"
    )
