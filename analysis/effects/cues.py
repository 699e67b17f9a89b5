"""Which cue identifies the cameras? What remains of a model's accuracy, or of its bias, when a cue is removed.

Every view removes some cues and keeps others (`KNOWN_CUES`, measured on simulated cameras that differ in one cue
alone). Of several cues, as much is taken to remain in a view as of the strongest of them. So the cues of unknown
cameras are the smallest set whose fingerprint is near to theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.analysis.effects.known_cues import KNOWN_CUES, fingerprints
from camerabias.analysis.effects.shortcut_effect import identification, shortcut_effect
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN, show_absence
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.permutation import holm
from camerabias.datasets.schema import Target
from camerabias.trainables.records.study import StudyCell

SETTING = "natural"
"""What an audit is about: photos as they are."""

CUE_MARGIN = 0.05
"""Distances that differ by less are taken for equal: of 42 reference datasets judged by fingerprints of the others,
95 % had their own family within 0.042 of the nearest."""

MAY_LACK = 1
"""Views that need not be there, such as `crop32` of photos too small for it: without any one of them 39 to 41 of the
42 reference datasets have their own family named, without some two 34."""

CAMERA_COLUMNS = (
    "view", "n_seeds", "accuracy", "accuracy_low", "accuracy_high", "majority_baseline",
    "kept", "p", "p_holm", "missing",
)  # fmt: skip
LABEL_COLUMNS = (
    "view", "n_seeds", "accuracy", "accuracy_low", "accuracy_high", "risk_difference",
    "risk_difference_low", "risk_difference_high", "p", "p_holm", "missing",
)  # fmt: skip


def cameras_by_view(records: Records, model: str) -> pd.DataFrame:
    """How well cameras are identified within labels, view by view.

    Args:
        records: A run's records.
        model: As `Records.model_name` calls it.

    Returns:
        `CAMERA_COLUMNS`, a row per view under `natural`: accuracy, majority_baseline, normalised_accuracy (as `kept`)
        and p of `shortcut_effect.Identification`, and `p_holm`, corrected over the views. `missing` says why numbers
        are NaN, and is empty otherwise.
    """
    rows = []
    for cell in _cells(records, "camera", model):
        row: dict[str, object] = {"view": cell.views}
        seeds = list(records.test_rows(cell, "seen").values())
        if seeds:
            found = identification(seeds)
            row |= {
                **found.accuracy.named("accuracy"),
                "majority_baseline": found.majority_baseline,
                "kept": found.normalised_accuracy,
                "p": found.p,
            }
        rows.append({**row, "n_seeds": len(seeds), "missing": "" if seeds else show_absence(records, cell)})
    return _corrected(rows, CAMERA_COLUMNS)


def labels_by_view(records: Records, model: str, associated: Mapping[str, str]) -> pd.DataFrame:
    """Accuracy of labels, and how far predictions depend on the camera, view by view.

    Args:
        records: A run's records.
        model: As `Records.model_name` calls it.
        associated: Associated label by camera.

    Returns:
        `LABEL_COLUMNS`, a row per view under `natural`: accuracy, and risk difference and p of
        `shortcut_effect.ShortcutEffect`, as in `cameras_by_view`.
    """
    rows = []
    for cell in _cells(records, "label", model):
        row: dict[str, object] = {"view": cell.views}
        seeds = list(records.test_rows(cell, "seen").values())
        if seeds:
            found = shortcut_effect(seeds, associated)
            row |= {
                **accuracy(seeds).named("accuracy"),
                **found.risk_difference.named("risk_difference"),
                "p": found.p,
            }
        rows.append({**row, "n_seeds": len(seeds), "missing": "" if seeds else show_absence(records, cell)})
    return _corrected(rows, LABEL_COLUMNS)


@dataclass(frozen=True)
class Attribution:
    """What identifies the cameras.

    Attributes:
        named: Families of cues, the nearest first.
        distances: By family, the distance of the nearest cues that it is part of: the root mean square difference of
            what remains, view by view.
        views: Views that were compared.
    """

    named: tuple[str, ...]
    distances: dict[str, float]
    views: tuple[str, ...]


def name_cue(remaining: Mapping[str, float], known: pd.DataFrame | None = None) -> Attribution | None:
    """Name the cues whose fingerprint is nearest to what remains in views.

    Families are named that are part of the nearest set of cues, or of one that is farther by no more than
    `CUE_MARGIN`; the two nearest of them.

    Args:
        remaining: By view, chance-normalised accuracy on the camera; NaN where that is not known.
        known: Fingerprints, cues × views; None for the shipped ones.

    Returns:
        The attribution; None where more than `MAY_LACK` views lack, or nothing remains in any.
    """
    known = fingerprints() if known is None else known
    views = [view for view in known.columns if not np.isnan(remaining.get(view, np.nan))]
    seen = np.array([remaining[view] for view in views])
    if len(views) < len(known.columns) - MAY_LACK or seen.max() <= 0:
        return None
    distances = _distances(known[views], np.clip(seen / seen.max(), 0, 1))
    ranked = sorted(distances, key=distances.__getitem__)
    named = [family for family in ranked if distances[family] <= distances[ranked[0]] + CUE_MARGIN]
    return Attribution(tuple(named[:2]), {family: distances[family] for family in ranked}, tuple(views))


def _distances(known: pd.DataFrame, seen: npt.NDArray[np.float64]) -> dict[str, float]:
    """By family, the distance of the nearest fingerprint, or of two together, which pay `CUE_MARGIN` for it."""
    rows = [(KNOWN_CUES[str(cue)].family, row.to_numpy(float)) for cue, row in known.iterrows()]
    found: dict[str, float] = {}
    for (family, row), (other, beside) in combinations_with_replacement(rows, 2):
        differences = np.maximum(row, beside) - seen
        distance = float(np.sqrt(np.mean(differences**2))) + (0 if family == other else CUE_MARGIN)
        for one in (family, other):
            found[one] = min(distance, found.get(one, np.inf))
    return found


def _cells(records: Records, target: Target, model: str) -> list[StudyCell]:
    """Cells of a model under `natural`, photos as they are first."""
    found = [cell for cell in records.cells(target, SETTING) if records.model_name(cell) == model]
    return sorted(found, key=lambda cell: cell.views != PLAIN)


def _corrected(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    frame["p_holm"] = holm(frame["p"].astype(float).tolist())
    return frame.astype({name: float for name in columns if name not in ("view", "n_seeds", "missing")})
