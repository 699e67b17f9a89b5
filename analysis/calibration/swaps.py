"""What cues moved in photos have come to, against the same objects simulated with that cue of the other camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from camerabias.analysis.report.tables import WideTable
from camerabias.analysis.statistics.number_format import show_share


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
    """The table of swapped cues, a row per cue and one of all; nothing of no line."""
    if not lines:
        return []
    table = pd.DataFrame([line.model_dump() for line in lines])
    cues = [(cue, rows) for cue, rows in table.groupby("cue", sort=False)]
    caption = "Predictions that go over to the other camera's label: cue moved in photos, and simulated"
    return [WideTable(caption, pd.DataFrame([_row(str(cue), rows) for cue, rows in [*cues, ("all", table)]]))]


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
