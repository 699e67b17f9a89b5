"""What the cues look like that were moved: the same photo with another camera's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from matplotlib.figure import Figure

from camerabias.analysis.records.records import Records
from camerabias.analysis.records.study import Example
from camerabias.analysis.report.figures.base import FIGURES, finished, read_photo, show_photo
from camerabias.datasets.cues.names import INTERVENTIONS, probe_of, words_of
from camerabias.datasets.interventions.intervention import Level
from camerabias.datasets.schema import CamerabiasError

SIDE = 192
"""Pixels of a photo's upper left corner that are shown: cues are fine, and some are strongest in corners."""

GAIN = 4
"""How much stronger differences are shown than they are."""


@dataclass(frozen=True)
class _Moved:
    """A cue, a photo that the run carries, the camera whose level it is brought to, and both levels."""

    cue: str
    example: Example
    other: str
    level: Level
    reached: Level


def moved_photos(records: Records) -> tuple[Figure, str] | None:
    """A row per cue: a photo as it is, with another camera's cue, and the difference; None where none was moved."""
    levels = dict(_levels(records))
    if not levels:
        return None
    rows = [found for cue, known in levels.items() if (found := _farthest(records, cue, known))]
    if not rows:
        raise CamerabiasError(
            "the run carries no photo that can be brought to another camera's cue (examples/)"
        )
    figure = Figure(figsize=(4.6, 1.6 * len(rows) + 0.2), layout="constrained")
    for axes, row in zip(figure.subplots(len(rows), 3, squeeze=False), rows, strict=True):
        before = read_photo(records, row.example)
        generator = np.random.default_rng(0)
        after = INTERVENTIONS[row.cue].move(before, row.level, row.reached, generator)
        before, after = before[:SIDE, :SIDE], after[:SIDE, :SIDE]
        difference = np.clip(128 + GAIN * (after.astype(int) - before), 0, 255).astype(np.uint8)
        titles = (row.example.camera, f"{words_of(row.cue)} of {row.other}", f"difference × {GAIN}")
        for axis, pixels, title in zip(axes, (before, after, difference), titles, strict=True):
            show_photo(axis, pixels)
            axis.set_title(title, fontsize=6)
    return figure, (
        "What a cue comes to: a photo as its camera took it, brought to another camera's level of the cue, and the "
        f"difference, {GAIN} times as strong (gray: none). The upper left corner, pixel by pixel."
    )


FIGURES["moved_photos"] = moved_photos


def _levels(records: Records) -> Iterator[tuple[str, Mapping[str, Level]]]:
    """Cues that were moved, and each camera's level, by the first trial that knows them."""
    for cue in INTERVENTIONS:
        for cell in finished(records, "label", "natural"):
            known = [arrays for _, arrays in records.probes(cell, probe_of(cue)) if "levels" in arrays]
            if known:
                yield cue, dict(zip(known[0]["level_cameras"].tolist(), known[0]["levels"], strict=True))
                break


def _farthest(records: Records, cue: str, levels: Mapping[str, Level]) -> _Moved | None:
    """The photo that is brought farthest, in standard deviations over the cameras."""
    spread = np.stack([*levels.values()]).std(axis=0)
    examples = {one.camera: one for one in records.examples()}
    found = [
        _Moved(cue, examples[camera], other, levels[camera], levels[other])
        for camera, other in permutations(levels, 2)
        if camera in examples and INTERVENTIONS[cue].reaches(levels[camera], levels[other])
    ]

    def distance(one: _Moved) -> float:
        return float(np.linalg.norm((one.reached - one.level)[spread > 0] / spread[spread > 0]))

    return max(found, key=distance, default=None)
