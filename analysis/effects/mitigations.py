"""What helps against predictions that depend on the camera: bias removed against accuracy lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from camerabias.analysis.effects.by_view import SETTING
from camerabias.analysis.effects.shortcut_effect import ShortcutEffect, shortcut_effect
from camerabias.analysis.records.records import Records, SeedPredictions
from camerabias.analysis.records.wording import show_absence
from camerabias.analysis.statistics.accuracy import accuracy, paired_difference
from camerabias.analysis.statistics.bootstrap import NOTHING, combine
from camerabias.trainables.records.study import StudyCell
from camerabias.trainables.spec.mitigation import MITIGATIONS

_KEY = ["model", "setting", "views"]
_ESTIMATES = ["accuracy", "aligned", "conflicting", "risk_difference", "accuracy_lost", "bias_removed"]

MITIGATION_COLUMNS = [
    *_KEY,
    "mitigation",
    "n_seeds",
    *(f"{name}{end}" for name in _ESTIMATES for end in ("", "_low", "_high")),
    "p",
    "missing",
]


def mitigations(records: Records, associated: Mapping[str, str]) -> pd.DataFrame:
    """How models of the label fare under every mitigation that was asked for, compared with none.

    Args:
        records: A run's records.
        associated: Label by camera, of the cameras that have an associated one in the photos as they are
            (`association.associated_labels`); under other settings than `natural` it is what the setting tied it to.

    Returns:
        `MITIGATION_COLUMNS`, a row per mitigation of each model, setting and views, `none` first: `accuracy`;
        `aligned` and `conflicting`, the accuracy on bias-aligned and bias-conflicting photos;
        `risk_difference` and `p` of `shortcut_effect`; `accuracy_lost`, the accuracy of none minus this one, photo
        by photo and seed by seed, where none is that of the same study (another may test other folds, and train on
        fewer photos); and `bias_removed`, the same of the differences. Each estimate has `_low` and
        `_high`; the interval of `bias_removed` takes both differences for independent, and so is rather too wide.
        `missing` says why numbers are NaN, and is empty otherwise. No rows where nothing was mitigated.

    Raises:
        CamerabiasError: A file of a finished trial is damaged; it is named.
    """
    rows = [
        {**dict(zip(_KEY, (model, setting, views), strict=True)), **row}
        for (model, setting, views), by_mitigation in _compared(records).items()
        for row in _rows(
            records,
            by_mitigation,
            associated if setting == SETTING else records.tied_labels(*by_mitigation.values()),
        )
    ]
    return pd.DataFrame(rows, columns=MITIGATION_COLUMNS)


def _compared(records: Records) -> dict[tuple[str, str, str], dict[str, StudyCell]]:
    """Cells by mitigation of each model, setting and views that was mitigated."""
    found: dict[tuple[str, str, str], dict[str, StudyCell]] = {}
    for cell in records.cells("label", mitigation=None):
        key = (records.model_name(cell), cell.setting, cell.views)
        found.setdefault(key, {})[cell.mitigation] = cell
    return {
        key: {**cells, **_plain_beside(records, cells)}
        for key, cells in found.items()
        if cells.keys() - {"none"}
    }


def _plain_beside(records: Records, cells: Mapping[str, StudyCell]) -> dict[str, StudyCell]:
    """The cell without a mitigation of a study that has one with; empty where no study has both."""
    keys = {cell.key for name, cell in cells.items() if name != "none"}
    plain = next(iter(cells.values())).model_copy(update={"mitigation": "none"}).key
    for study in records.studies.values():
        of_study = {cell.key: cell for cell in study.cells}
        if plain in of_study and keys & of_study.keys():
            return {"none": of_study[plain]}
    return {}


def _rows(
    records: Records, cells: Mapping[str, StudyCell], associated: Mapping[str, str]
) -> list[dict[str, object]]:
    tested = {name: _Tested.of(records, cell, associated) for name, cell in cells.items()}
    plain = tested.get("none")
    rows: list[dict[str, object]] = []
    for name in dict.fromkeys([*MITIGATIONS, *cells]):
        if name not in ("none", *cells):
            continue
        row: dict[str, object] = {"mitigation": name, "n_seeds": 0, "missing": "not asked for"}
        if name in cells:
            row["missing"] = show_absence(records, cells[name])
        if found := tested.get(name):
            row |= found.row() | {"missing": found.lacks()}
            if name != "none":
                row |= _against(plain, found, associated)
        rows.append(row)
    return rows


@dataclass(frozen=True)
class _Tested:
    """A cell of which something has finished."""

    all: SeedPredictions
    seen: SeedPredictions
    """Photos of cameras that training saw, on which the effect is measured."""
    effect: ShortcutEffect

    @classmethod
    def of(cls, records: Records, cell: StudyCell, associated: Mapping[str, str]) -> _Tested | None:
        """What there is of a cell; None where no seed has finished."""
        seen = records.test_rows(cell, "seen")
        if not seen:
            return None
        return cls(records.test_rows(cell), seen, shortcut_effect(list(seen.values()), associated))

    def row(self) -> dict[str, object]:
        """What it came to by itself."""
        return {
            "n_seeds": len(self.all),
            **accuracy(list(self.all.values())).named("accuracy"),
            **self.effect.accuracy_aligned.named("aligned"),
            **self.effect.accuracy_conflicting.named("conflicting"),
            **self.effect.risk_difference.named("risk_difference"),
            "p": self.effect.p,
        }

    def lacks(self) -> str:
        """Why it has no risk difference; nothing where it has one."""
        return "" if self.effect.n_conflicting else "no bias-conflicting test photo"

    def of_seeds(self, seeds: set[int], associated: Mapping[str, str]) -> ShortcutEffect:
        """The effect in some seeds."""
        if seeds == self.seen.keys():
            return self.effect
        return shortcut_effect([self.seen[seed] for seed in sorted(seeds)], associated)


def _against(plain: _Tested | None, found: _Tested, associated: Mapping[str, str]) -> dict[str, object]:
    """What a mitigation cost and removed, on the seeds that have finished with and without it."""
    shared = plain.seen.keys() & found.seen.keys() if plain else set()
    if plain is None or not shared:
        return {"missing": "no seed has finished both without a mitigation and with this one"}
    differences = [
        (sign, one.of_seeds(shared, associated).risk_difference)
        for sign, one in ((1.0, plain), (-1.0, found))
    ]
    return {
        **paired_difference(plain.all, found.all).named("accuracy_lost"),
        **(
            combine(differences)
            if all(risk_difference.n_groups for _, risk_difference in differences)
            else NOTHING
        ).named("bias_removed"),
    }
