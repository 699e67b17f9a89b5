"""How a number is shown, and how the lack of one is."""

from __future__ import annotations

from math import floor, isnan, log10

from camerabias.analysis.records.records import Records
from camerabias.analysis.statistics.bootstrap import Estimate
from camerabias.trainables.records.study import StudyCell

DIGITS = 3
"""Significant digits of a number, and decimals of what is 0.1 or more: shares are read side by side."""


def show_number(number: float) -> str:
    """Three significant digits: `0.974`, `0.0312`, `12.3`; nothing of NaN."""
    if isnan(number):
        return ""
    decimals = DIGITS if number == 0 else DIGITS - 1 - floor(log10(abs(number)))
    return f"{number:.{max(0, min(decimals, DIGITS + 2))}f}"


def show_estimate(estimate: Estimate) -> str:
    """`0.974 [0.961, 0.985]`, or the mean alone where there is no interval."""
    if isnan(estimate.low):
        return f"{estimate.mean:.3f}"
    return f"{estimate.mean:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def show_points(difference: float) -> str:
    """A difference of shares in whole percentage points: `31`."""
    return str(round(100 * difference))  # never -0


def show_p(p: float) -> str:
    """`p = 0.0312`, or `p < 0.001`; nothing is claimed of NaN."""
    if isnan(p):
        return "p not known"
    return "p < 0.001" if p < 0.001 else f"p = {show_number(p)}"


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
