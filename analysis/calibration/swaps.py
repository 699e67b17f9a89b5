"""What cues moved in photos have come to, against the same objects simulated with that cue of the other camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.calibration.cases import share
from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.number_format import show_share

CLEAR = 0.1
"""By how much simulated swaps of two cues differ where it is clear which moves more predictions: twice the largest
standard error of a share of so few swaps."""


class SwapLine(BaseModel):
    """A cue moved in the photos of a world.

    Attributes:
        world: Number of the world.
        cue: The cue.
        planted: Strength by cue that its cameras differ in.
        size: Side of the photos in pixels.
        photos: How many were given the cue of a camera with another associated label.
        swapped: Share of predictions that change to that label, minus the share that changes against it.
        exact: The same of simulated photos.
        alike: Share of photos for which both are predicted alike.
        seconds: Wall time, on one core.
        version: Of camerabias.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    world: int
    cue: str
    planted: dict[str, float]
    size: int
    photos: int
    swapped: float
    exact: float
    alike: float
    seconds: float
    version: str


def summarise_swaps(lines: Sequence[SwapLine]) -> list[WideTable]:
    """The table of swapped cues, a row per cue and one of all, and that of worlds of two cues; none of no line."""
    if not lines:
        return []
    table = pd.DataFrame([line.model_dump() for line in lines])
    cues = [(cue, rows) for cue, rows in table.groupby("cue", sort=False)]
    caption = "Predictions that go over to the other camera's label: cue moved in photos, and simulated"
    by_cue = pd.DataFrame([_row(str(cue), rows) for cue, rows in [*cues, ("all", table)]])
    return [WideTable(caption, by_cue), *_table_of_two(table)]


def _table_of_two(table: pd.DataFrame) -> list[WideTable]:
    """Is the cue whose simulated swap moves most the one whose swap in photos does? Nothing of single cues."""
    two = [rows.set_index("cue") for _, rows in table.groupby("world") if len(rows) > 1]
    if not two:
        return []
    same = pd.Series([rows["swapped"].idxmax() == rows["exact"].idxmax() for rows in two])
    clear = pd.Series([np.ptp(rows["exact"].nlargest(2)) >= CLEAR for rows in two])
    rows = {f"differ by {CLEAR} or more": same[clear], "differ by less": same[~clear]}
    caption = "Worlds of two cues: the one that moves most when simulated moves most in photos"
    shown = [
        {"simulated swaps": name, "worlds": share(int(some.sum()), len(some))} for name, some in rows.items()
    ]
    return [WideTable(caption, pd.DataFrame(shown))]


def _row(cue: str, rows: pd.DataFrame) -> dict[str, str]:
    errors = rows["swapped"] - rows["exact"]
    return {
        "cue": cue,
        "worlds": str(rows["world"].nunique()),
        "photos": str(rows["photos"].sum()),
        "simulated": show_share(rows["exact"].mean()),
        "moved": show_share(rows["swapped"].mean()),
        "mean error": show_share(errors.abs().mean()),
        "largest error": show_share(errors.abs().max()),
        "predicted alike": show_share(float(np.average(rows["alike"], weights=rows["photos"]))),
    }
