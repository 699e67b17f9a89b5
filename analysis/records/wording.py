"""How a number is shown, and how the lack of one is."""

from __future__ import annotations

from math import isnan

from camerabias.analysis.records.records import Records
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.trainables.records.study import StudyCell


def show_estimate(estimate: Estimate) -> str:
    """`0.974 [0.961, 0.985]`, or the mean alone where there is no interval."""
    if isnan(estimate.low):
        return f"{estimate.mean:.3f}"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def show_absence(records: Records, cell: StudyCell) -> str:
    """Why a cell has no number: `missing (0 of 4 seeds)`, `failed (4 of 4 seeds)`, or how many of each."""
    statuses = [records.status(trial) for trial in cell.trials.values()]
    if "done" in statuses:
        return "no such test photos"
    unfinished = [s for s in ("failed", "damaged", "started") if s in statuses]
    counts = [f"{status} ({statuses.count(status)} of {len(statuses)} seeds)" for status in unfinished]
    return ", ".join(counts) or f"missing (0 of {len(statuses)} seeds)"


PLAIN = "rgb"
"""The view that needs no mention."""
