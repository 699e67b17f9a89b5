"""From which correlation on predictions depend on the camera, and how models fare on cameras that they never saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from camerabias.analysis.effects.shortcut_effect import ShortcutEffect, shortcut_effect
from camerabias.analysis.records.records import Records, SeedPredictions
from camerabias.analysis.records.wording import show_absence
from camerabias.analysis.statistics.accuracy import accuracy, contrast
from camerabias.analysis.statistics.bootstrap import NOTHING
from camerabias.analysis.statistics.permutation import LEVEL, holm
from camerabias.datasets.schema import STRENGTH, WITHOUT
from camerabias.trainables.records.study import StudyCell

_MODEL = ["model", "views", "mitigation"]
_STRENGTH_ESTIMATES = ["accuracy", "aligned", "conflicting", "risk_difference"]
_UNSEEN_ESTIMATES = ["accuracy", "others", "difference_to_others", "when_seen", "difference_to_seen"]


def _with_ends(names: Iterable[str]) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]


STRENGTH_COLUMNS = [
    *_MODEL,
    "strength",
    "n_seeds",
    *_with_ends(_STRENGTH_ESTIMATES),
    "p",
    "p_holm",
    "significant",
    "missing",
]
UNSEEN_COLUMNS = [*_MODEL, "camera", "n_seeds", *_with_ends(_UNSEEN_ESTIMATES), "missing"]


def strengths(records: Records) -> pd.DataFrame:
    """How models of the label fare under training of every strength (settings `strength-S`).

    A camera's associated label is the one that the strongest of them that has finished gave it most.

    Args:
        records: A run's records.

    Returns:
        `STRENGTH_COLUMNS`, a row per strength of each model, ascending: `accuracy`; `aligned` and `conflicting`, the
        accuracy on bias-aligned and bias-conflicting photos; `risk_difference` and `p` of
        `shortcut_effect`; each estimate with `_low` and `_high`; `p_holm`, corrected over the strengths of the
        model; and `significant`, `yes` where `p_holm` is at most `LEVEL` and the interval of the difference does not
        contain 0, `no` where either is otherwise, empty where there is no p. `missing` says why numbers are NaN, and
        is empty otherwise. A strength that the dataset cannot serve is a row without a model.

    Raises:
        CamerabiasError: A file of a finished trial is damaged; it is named.
    """
    cells = [cell for cell in records.cells("label", mitigation=None) if cell.setting.startswith(STRENGTH)]
    strongest = sorted(cells, key=_strength, reverse=True)
    associated = records.tied_labels(*strongest)
    rows = [_strength_row(records, cell, associated) for cell in cells] + _refused(records)
    found = pd.DataFrame(rows, columns=STRENGTH_COLUMNS)
    found["p_holm"] = found.groupby(_MODEL)["p"].transform(lambda p: holm(p.tolist()))
    found["significant"] = _significant(found)
    return found.sort_values([*_MODEL, "strength"], ignore_index=True)


def _significant(found: pd.DataFrame) -> pd.Series[str]:
    """A test and an interval of few seeds may disagree: an effect of which seeds are not sure is not called one."""
    holds_zero = (found["risk_difference_low"] <= 0) & (found["risk_difference_high"] >= 0)
    decided = ((found["p_holm"] <= LEVEL) & ~holds_zero).map({True: "yes", False: "no"})
    return decided.where(found["p_holm"].notna(), "")


def lowest_noticed(found: pd.DataFrame) -> pd.DataFrame:
    """The lowest strength from which on predictions depend on the camera significantly, as `strengths` has it.

    Args:
        found: What `strengths` gives.

    Returns:
        A row per model with the columns model, views, mitigation, `strength` (NaN where it is none), and `untested`:
        strengths without a p that are lower, or any where it is none, as text.
    """
    rows = []
    for names, rows_of_model in found.groupby(_MODEL):
        above = rows_of_model.loc[rows_of_model["significant"] == "no", "strength"].max()
        noticed = rows_of_model.loc[rows_of_model["significant"] == "yes", "strength"]
        lowest = noticed[~(noticed < above)].min()
        lower = rows_of_model[rows_of_model["p"].isna() & ~(rows_of_model["strength"] > lowest)]
        untested = ", ".join(f"{strength:g}" for strength in lower["strength"])
        rows.append([*names, lowest, untested])
    return pd.DataFrame(rows, columns=[*_MODEL, "strength", "untested"])


def unseen_cameras(records: Records) -> pd.DataFrame:
    """How models of the label fare on a camera that they were trained without (settings `without-CAMERA`).

    Some cameras take harder photos, seen or not. So the accuracy is compared twice: with that of the same model
    on the other cameras, and with that on the same photos of the models that were trained with the camera
    (each without another one).

    Returns:
        `UNSEEN_COLUMNS`, a row per camera of each model, in the dataset's order: `accuracy` on the unseen camera,
        `others`, `when_seen` and the differences, each with `_low` and `_high`; `missing` as in `strengths`.

    Raises:
        CamerabiasError: A file of a finished trial is damaged; it is named.
    """
    models: dict[tuple[str, ...], dict[str, StudyCell]] = {}
    for cell in records.cells("label", mitigation=None):
        if cell.setting.startswith(WITHOUT):
            by_camera = models.setdefault(_names(records, cell), {})
            by_camera[cell.setting.removeprefix(WITHOUT)] = cell
    rows = [
        {**dict(zip(_MODEL, names, strict=True)), "camera": camera, **_unseen_row(records, cells, camera)}
        for names, cells in models.items()
        for camera in records.info.cameras
    ]
    return pd.DataFrame(rows, columns=UNSEEN_COLUMNS)


def _strength_row(records: Records, cell: StudyCell, associated: Mapping[str, str]) -> dict[str, object]:
    row: dict[str, object] = dict(zip(_MODEL, _names(records, cell), strict=True))
    row["strength"] = _strength(cell)
    seeds = list(records.test_rows(cell, "seen").values())
    if not seeds:
        return {**row, "n_seeds": 0, "missing": show_absence(records, cell)}
    found = shortcut_effect(seeds, associated)
    return {
        **row,
        "n_seeds": len(seeds),
        **accuracy(seeds).named("accuracy"),
        **found.accuracy_aligned.named("aligned"),
        **found.accuracy_conflicting.named("conflicting"),
        **found.risk_difference.named("risk_difference"),
        "p": found.p,
        "missing": _lacks(associated, found),
    }


def _lacks(associated: Mapping[str, str], found: ShortcutEffect) -> str:
    if not associated:
        return "no strength at which a camera has an associated label has finished"
    return "" if found.n_conflicting else "no bias-conflicting test photo"


def _strength(cell: StudyCell) -> float:
    return float(cell.setting.removeprefix(STRENGTH))


def _refused(records: Records) -> list[dict[str, object]]:
    """Strengths that the dataset cannot serve, each once."""
    reasons = {
        skipped.setting: skipped.reason
        for study in records.studies.values()
        for skipped in study.skipped
        if skipped.setting.startswith(STRENGTH)
    }
    return [
        {"strength": float(setting.removeprefix(STRENGTH)), "n_seeds": 0, "missing": reason}
        for setting, reason in reasons.items()
    ]


def _unseen_row(records: Records, cells: Mapping[str, StudyCell], camera: str) -> dict[str, object]:
    if camera not in cells:
        return {"n_seeds": 0, "missing": "no study excludes it"}
    cell = cells[camera]
    unseen, others = records.test_rows(cell, "unseen"), records.test_rows(cell, "seen")
    if not unseen:
        return {"n_seeds": 0, "missing": show_absence(records, cell)}
    finished = [_of_camera(records, other, camera) for name, other in cells.items() if name != camera]
    seen = [(1 / sum(map(bool, finished)), rows) for rows in finished if rows]
    to_seen = contrast([(1.0, unseen), *((-weight, rows) for weight, rows in seen)]) if seen else NOTHING
    return {
        "n_seeds": len(unseen),
        **accuracy(list(unseen.values())).named("accuracy"),
        **accuracy(list(others.values())).named("others"),
        **contrast([(1.0, unseen), (-1.0, others)]).named("difference_to_others"),
        **(contrast(seen) if seen else NOTHING).named("when_seen"),
        **to_seen.named("difference_to_seen"),
        "missing": "" if to_seen.n_seeds else "no model trained with the camera, of these seeds",
    }


def _of_camera(records: Records, cell: StudyCell, camera: str) -> SeedPredictions:
    rows = {seed: frame[frame["camera"] == camera] for seed, frame in records.test_rows(cell).items()}
    return {seed: frame for seed, frame in rows.items() if len(frame)}


def _names(records: Records, cell: StudyCell) -> tuple[str, ...]:
    """What names a model, values of `_MODEL`."""
    return records.model_name(cell), cell.views, cell.mitigation
