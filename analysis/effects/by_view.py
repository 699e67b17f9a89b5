"""What remains of a model's accuracy, and of its bias, in every view: each removes some cues and keeps others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from camerabias.analysis.effects.shortcut_effect import identification, shortcut_effect
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN, show_absence
from camerabias.analysis.statistics.accuracy import accuracy
from camerabias.analysis.statistics.permutation import holm
from camerabias.datasets.schema import Target
from camerabias.trainables.records.study import StudyCell

SETTING = "natural"
"""What an audit is about: photos as they are."""

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


def _cells(records: Records, target: Target, model: str) -> list[StudyCell]:
    """Cells of a model under `natural`, photos as they are first."""
    found = [cell for cell in records.cells(target, SETTING) if records.model_name(cell) == model]
    return sorted(found, key=lambda cell: cell.views != PLAIN)


def _corrected(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    frame["p_holm"] = holm(frame["p"].astype(float).tolist())
    return frame.astype({name: float for name in columns if name not in ("view", "n_seeds", "missing")})
