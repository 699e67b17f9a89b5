"""Which cues are worth moving in photos: the most probable ones."""

from __future__ import annotations

from camerabias.analysis.cues.naming import CueNaming
from camerabias.datasets.cues.names import INTERVENTIONS

MOST, MOST_UNNAMED = 2, 4
"""Cues that are moved, each in a quarter of a minute; more where none is named, as probabilities say little there."""


def cues_to_move(naming: CueNaming) -> list[str]:
    """Some cues that photos can be brought to another level of, the most probable first."""
    most = MOST if naming.named else MOST_UNNAMED
    return [cue for cue in naming.probabilities if cue in INTERVENTIONS][:most]
