"""All cues by the name that a verdict gives, collected from the files of this folder."""

from __future__ import annotations

from collections.abc import Iterable

from camerabias.datasets.interventions.cue import CUES as REGISTERED
from camerabias.datasets.io.registered import import_files
from camerabias.datasets.near_names import near_names
from camerabias.datasets.schema import CamerabiasError

import_files("camerabias.datasets.cues")

CUES = dict(sorted(REGISTERED.items(), key=lambda pair: pair[1].number))
"""By name, in the order of their numbers."""

PLANTED = {name: spec.full_strength for name, spec in CUES.items() if spec.full_strength}
"""Cues that verdicts are calibrated with, and their scales at full strength."""

INTERVENTIONS = {name: spec.intervention for name, spec in CUES.items() if spec.intervention}
"""How photos are brought to another level, of the cues of which they can be."""


def cue_to_move(text: str) -> str:
    """The cue that is named by its name or its words, of which photos can be brought to another level.

    Raises:
        CamerabiasError: There is no such cue, or no photo is brought to another level of it.
    """
    known = {word.casefold(): name for name in CUES for word in (name, words_of(name))}
    cue, movable = known.get(text.casefold()), ", ".join(map(repr, INTERVENTIONS))
    if cue is None:
        raise CamerabiasError(
            f"No cue is named {text!r}{near_names(text, INTERVENTIONS)}; allowed: {movable}."
        )
    if cue not in INTERVENTIONS:
        raise CamerabiasError(
            f"Photos cannot be brought to one level of {words_of(cue)}: {CUES[cue].immovable}. "
            f"They can of {movable}."
        )
    return cue


def mitigations_of(named: Iterable[str]) -> list[str]:
    """The mitigations that destroy some cues."""
    found = (CUES[cue].mitigation for cue in named)
    return [one for one in dict.fromkeys(found) if one is not None]


def words_of(cue: str) -> str:
    """What sentences, tables and pictures call a cue: `JPEG compression` for `jpeg`."""
    return CUES[cue].words or cue


def probe_of(cue: str) -> str:
    """Name of the probe that moves a cue: `moved_white_balance`."""
    return f"moved_{'_'.join(cue.replace(',', '').split())}"
