"""Reading a run's records from its folder."""

from __future__ import annotations

from typing import Any

import pandas as pd

from camerabias.analysis.records.reading import UNREADABLE, naming
from camerabias.analysis.records.records import Records
from camerabias.analysis.records.study import RunInfo
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import RUN_FILE, CamerabiasError
from camerabias.trainables.records.documents import damaged
from camerabias.trainables.records.record import (
    CONFIG_FILE,
    DONE_FILE,
    ERROR_FILE,
    HISTORY_FILE,
    HISTORY_SCHEMA,
    PREDICTIONS_FILE,
    PREDICTIONS_SCHEMA,
    Record,
    Status,
)
from camerabias.trainables.records.run import Run
from camerabias.trainables.records.study import PlannedStudy, StudyCell
from camerabias.trainables.spec.linear_probe import is_linear
from camerabias.trainables.spec.trial import TrialConfig


def load_records(location: str | Folder) -> Records:
    """Read the records of a run.

    Args:
        location: The run's local path or URI; a copy serves as well.

    Raises:
        CamerabiasError: There is no run, it has no study, or `run.json` or a study's file is damaged.
    """
    run = Run(location)
    try:
        info = RunInfo.model_validate(run.info())
    except UNREADABLE as error:
        raise damaged(run.folder, RUN_FILE, error) from error
    studies = _load_studies(run)
    return Records(run, info, studies, _load_trials(run, studies))


def _load_studies(run: Run) -> dict[str, PlannedStudy]:
    studies = run.studies()
    if not studies:
        raise CamerabiasError(
            f"{run.folder} holds no study; start one with `camerabias sweep run`. (A search's own table and plots "
            "lie in searches/NAME/.)"
        )
    return studies


def _load_trials(run: Run, studies: dict[str, PlannedStudy]) -> pd.DataFrame:
    statuses = run.statuses()
    rows: dict[str, dict[str, Any]] = {}
    for study in studies.values():
        for cell in study.cells:
            for seed, trial_id in cell.trials.items():
                if trial_id in rows:
                    rows[trial_id]["studies"] += f" {study.name}"
                    continue
                asked = _asked(study, cell, seed)
                rows[trial_id] = asked | _found(run.record(trial_id), statuses.get(trial_id, "missing"))
    columns = list(dict.fromkeys([*_ALWAYS, *(name for row in rows.values() for name in row), "reason"]))
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("id")


_ALWAYS = (
    "name",
    "studies",
    "target",
    "setting",
    "train_view",
    "test_view",
    "model",
    "size",
    "seed",
    "status",
)


def _asked(study: PlannedStudy, cell: StudyCell, seed: int) -> dict[str, Any]:
    fields = cell.model_dump(exclude={"seen_cameras", "family", "trials"})
    return {"name": cell.trial_name(seed), "studies": study.name, **fields, **cell.dimensions, "seed": seed}


def _found(record: Record, status: Status) -> dict[str, Any]:
    """What a trial left behind: its status, and the fields of the files that this status promises."""
    if status == "missing":
        return {"status": status}
    try:
        if status == "failed":
            with naming(record, ERROR_FILE):
                return {"status": status, "reason": record.failure().reason}
        with naming(record, CONFIG_FILE):
            config = record.config()
        if status == "started":
            return {"status": status, **_flat(config)}
        with naming(record, DONE_FILE):
            ended = record.done().model_dump(exclude={"versions", "checksums"})
        # a linear probe is fitted at once, and so has no history
        _check_table(record, HISTORY_FILE, HISTORY_SCHEMA.names, is_linear(config.model))
        _check_table(record, PREDICTIONS_FILE, PREDICTIONS_SCHEMA.names)
        return {"status": status, **_flat(config), **ended}
    except CamerabiasError as error:
        return {"status": "damaged", "reason": str(error)}


def _flat(config: TrialConfig) -> dict[str, Any]:
    recipe = config.recipe.model_dump()
    return {
        name: getattr(config, name) for name in ("weights", "fit", "test_fold", "rotation", "train_size")
    } | recipe


def _check_table(record: Record, name: str, columns: list[str], may_be_empty: bool = False) -> None:
    """Read a table's footer alone: a file that was cut short has none."""
    with naming(record, name), record.folder.open_parquet(name) as parquet:
        there = parquet.schema_arrow.names  # once: pyarrow makes it anew each time
        lacking = [column for column in columns if column not in there]
        if lacking or (parquet.metadata.num_rows == 0 and not may_be_empty):
            raise ValueError(f"it lacks columns {', '.join(lacking)}" if lacking else "it has no rows")
