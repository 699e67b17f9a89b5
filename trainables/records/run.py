"""A run: the folder that holds the records of studies over one dataset."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml
from pydantic import ValidationError

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import JUDGED_FILE, RUN_FILE, SCHEMA_VERSION, CamerabiasError
from camerabias.trainables.records.documents import damaged
from camerabias.trainables.records.record import (
    LEASE_FILE,
    NODES_FOLDER,
    STUDIES_FOLDER,
    TRIALS_FOLDER,
    Contents,
    Record,
    Status,
)
from camerabias.trainables.records.study import PlannedStudy

# a study of 10,000 trials takes Python's own YAML ten times as long as libyaml, which most builds of PyYAML have
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YAML_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Run:
    """A RUN folder: the one place that knows its file names.

    Args:
        location: Local path or URI.
    """

    def __init__(self, location: str | Folder) -> None:
        self.folder = Folder(location)

    def record(self, trial_id: str) -> Record:
        """The record of a trial, whether it exists or not."""
        return Record(self.folder.child(TRIALS_FOLDER, trial_id))

    def contents(self) -> dict[str, Contents]:
        """What every trial that has a folder holds, from one listing of `trials/`."""
        files: dict[str, dict[str, float]] = {}
        for path, changed in self.folder.child(TRIALS_FOLDER).walk_times().items():
            trial_id, _, name = path.partition("/")
            files.setdefault(trial_id, {})[name] = changed
        return {
            trial_id: Contents(frozenset(times), max(times.values())) for trial_id, times in files.items()
        }

    def statuses(self) -> dict[str, Status]:
        """Status of every trial that has a folder."""
        return {trial_id: contents.status for trial_id, contents in self.contents().items()}

    def write_info(self, info: dict[str, Any]) -> None:
        """Write `run.json`."""
        self.folder.write_json(RUN_FILE, {"schema_version": SCHEMA_VERSION, **info})

    def info(self) -> dict[str, Any]:
        """What `run.json` says: `dataset` (fingerprint), `labels`, `cameras`, `dataset_location`, versions, machine.

        Raises:
            CamerabiasError: There is no run here, or one of a newer version, or the file is damaged.
        """
        if self.folder.exists(JUDGED_FILE):
            raise CamerabiasError(
                f"{self.folder} holds what `camerabias judge` wrote, with its page in report/, and no trials. Give "
                "the predictions to judge again to make it anew."
            )
        if not self.folder.exists(RUN_FILE):
            raise CamerabiasError(
                f"There is no run at {self.folder} (no {RUN_FILE}); start one with `camerabias sweep run`."
            )
        info: dict[str, Any] = self.folder.read_json(RUN_FILE)
        if not isinstance(info, dict):
            raise damaged(self.folder, RUN_FILE, ValueError("it is no JSON object"))
        version = info.get("schema_version", SCHEMA_VERSION)  # the first runs had none
        if version != SCHEMA_VERSION:
            raise CamerabiasError(
                f"The run {self.folder} has schema version {version}; this camerabias reads version "
                f"{SCHEMA_VERSION}. Use the camerabias that made it, or another folder."
            )
        return info

    def write_frame(self, name: str, frame: pd.DataFrame) -> None:
        """Write what an audit found without training: `schema.FACTS_FILE` or `SENSOR_PATTERN_FILE`."""
        self.folder.write_table(name, pa.Table.from_pandas(frame, preserve_index=False), checksums=True)

    def frame(self, name: str) -> pd.DataFrame | None:
        """What `write_frame` wrote; None where nobody has audited."""
        return self.folder.read_table(name).to_pandas() if self.folder.exists(name) else None

    def lease(self) -> dict[str, Any] | None:
        """What `driver.json` says of the driver that is at work on the run, if one is.

        Raises:
            CamerabiasError: The file is damaged.
        """
        try:
            lease = json.loads(self.folder.read_bytes(LEASE_FILE))
        except FileNotFoundError:
            return None
        except ValueError:
            lease = None
        if isinstance(lease, dict):
            return lease
        raise damaged_lease(self)

    def write_lease(self, lease: dict[str, Any]) -> None:
        """Write `driver.json`."""
        self.folder.write_json(LEASE_FILE, lease)

    def drop_lease(self) -> None:
        """Remove `driver.json`."""
        self.folder.delete(LEASE_FILE)

    def write_node(self, host: str, node: dict[str, Any]) -> None:
        """Write `nodes/HOST.json`."""
        self.folder.child(NODES_FOLDER).write_json(f"{host}.json", node)

    def write_study(self, study: PlannedStudy) -> None:
        """Write `studies/NAME.yaml`: what was asked for, with the trials it comes to."""
        text = yaml.dump(
            study.model_dump(mode="json"), Dumper=_YAML_DUMPER, sort_keys=False, allow_unicode=True
        )
        self.folder.child(STUDIES_FOLDER).write_bytes(f"{study.name}.yaml", text.encode())

    def studies(self) -> dict[str, PlannedStudy]:
        """What was asked for, by the name of the study.

        Raises:
            CamerabiasError: A study's file is damaged; it is named.
        """
        folder = self.folder.child(STUDIES_FOLDER)
        names = [name for name in folder.names() if name.endswith(".yaml")]
        return {name.removesuffix(".yaml"): _read_study(folder, name) for name in names}

    @property
    def report(self) -> Folder:
        """Where the report goes."""
        return self.folder.child("report")


def damaged_lease(run: Run) -> CamerabiasError:
    """An error for a lease that cannot be read."""
    return CamerabiasError(
        f"{run.folder.file(LEASE_FILE)} is damaged, so that nobody knows who is at work on the run; where no sweep "
        "is, delete it."
    )


def _read_study(folder: Folder, name: str) -> PlannedStudy:
    try:
        document = yaml.load(folder.read_bytes(name), Loader=_YAML_LOADER)  # noqa: S506 - the safe loader, in C
        return PlannedStudy.model_validate(document)
    except yaml.YAMLError as error:
        wrong = f"is not YAML ({error})"
    except ValidationError as error:
        first = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3]]
        wrong = f"holds no study ({'; '.join(first)})"
    raise CamerabiasError(
        f"{folder.file(name)} {wrong}; copy it again, or remove it and run the sweep again."
    )
