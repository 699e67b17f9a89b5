"""What FiftyOne exports: a folder with `labels.json` (image classification) or `samples.json` (a whole dataset)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import SOURCES, Reading, Source, SourceKind
from camerabias.datasets.reading.words import name_class
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.table import source_of

LABELS_FILE, SAMPLES_FILE = "labels.json", "samples.json"


def is_fiftyone(location: str) -> bool:
    """Whether a folder holds one of the files that FiftyOne writes beside its photos."""
    folder = Folder(location)
    return folder.exists(SAMPLES_FILE) or (folder.exists(LABELS_FILE) and folder.exists("data"))


def read_fiftyone(location: str, reading: Reading) -> Source:
    """Read an export; of a whole dataset, the label is the classification `ground_truth` unless `reading` names one.

    Raises:
        CamerabiasError: It does not read as that.
    """
    folder = Folder(location)
    name = SAMPLES_FILE if folder.exists(SAMPLES_FILE) else LABELS_FILE
    try:
        document = folder.read_json(name)
        rows = _samples(document["samples"]) if name == SAMPLES_FILE else _labels(document)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise CamerabiasError(
            f"{folder.file(name)} does not read as an export of FiftyOne ({type(error).__name__}: {error})."
        ) from error
    frame = pd.DataFrame(rows, dtype=object)
    label = reading.label if reading.label in frame or "ground_truth" not in frame else "ground_truth"
    plain = replace(reading, label=label, path=reading.path or "path")
    return source_of(frame, plain, folder.file(name), folder, kind="fiftyone")


def _labels(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Ids of files in `data`, without their endings, and classes by number or name."""
    classes = document.get("classes") or []

    def name(target: Any) -> Any:
        target = target.get("label") if isinstance(target, dict) else target
        return name_class(target, classes, "label") if isinstance(target, int) else target

    return [{"path": f"data/{key}", "label": name(target)} for key, target in document["labels"].items()]


def _samples(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "path": sample["filepath"],
            **{
                key: value["label"] if isinstance(value, dict) and "label" in value else value
                for key, value in sample.items()
                if key not in ("filepath", "path") and not key.startswith("_")
            },
        }
        for sample in samples
    ]


SOURCES["fiftyone"] = SourceKind(is_fiftyone, read_fiftyone, "an export of FiftyOne")
