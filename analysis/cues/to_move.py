"""Which cues are worth moving in photos: the most probable ones."""

from __future__ import annotations

from collections.abc import Mapping

from camerabias.datasets.cues.names import INTERVENTIONS

MOST = 2
"""Cues that are moved: each takes a quarter of a minute."""


def cues_to_move(probabilities: Mapping[str, float]) -> list[str]:
    """At most `MOST` cues that photos can be brought to another level of, the most probable first.

    Args:
        probabilities: By cue, that cameras differ in it.
    """
    ranked = sorted(probabilities, key=lambda cue: -probabilities[cue])
    return [cue for cue in ranked if cue in INTERVENTIONS][:MOST]
