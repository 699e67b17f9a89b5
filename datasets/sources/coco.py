"""Photos that a file in COCO's format lists: images, annotations and categories, also as camera traps write it."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.photo import SOURCES, Reading, Source, SourceKind
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.table import source_of


def is_coco(location: str) -> bool:
    """Whether a JSON file speaks of images and annotations."""
    folder, name = _split(location)
    if not name.lower().endswith(".json") or not folder.exists(name):
        return False
    content = folder.read_bytes(name)
    return b'"images"' in content and b'"annotations"' in content and b'"categories"' in content


def read_coco(location: str, reading: Reading) -> Source:
    """Read a list; the label of a photo is its category, or the set of them (`cat|dog`).

    What else stands of images or annotations (`location`, `seq_id`) can be named as the camera or the group.

    Raises:
        CamerabiasError: It is not such a list.
    """
    folder, name = _split(location)
    try:
        document = json.loads(folder.read_bytes(name))
        categories = {one["id"]: str(one["name"]) for one in document["categories"]}
        labels = defaultdict(set)
        of_annotations: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for one in document["annotations"]:
            labels[one["image_id"]].add(_category(one["category_id"], categories))
            of_annotations[one["image_id"]] |= _plain(one)
        rows = [
            {
                **of_annotations[image["id"]],
                **_plain(image),
                "path": image["file_name"],
                "label": _joined(labels[image["id"]]),
            }
            for image in document["images"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CamerabiasError(
            f"{folder.file(name)} does not read as a COCO list ({type(error).__name__}: {error}); it needs images "
            "(id, file_name), annotations (image_id, category_id) and categories (id, name)."
        ) from error
    return _source(pd.DataFrame(rows, dtype=object), reading, folder, name)


def _source(frame: pd.DataFrame, reading: Reading, folder: Folder, name: str) -> Source:
    labelled = frame[frame["label"].notna()] if len(frame) else frame
    n_bare = len(frame) - len(labelled)
    notes = [f"{n_bare} images have no annotation and are skipped."] if n_bare else []
    plain = replace(reading, label="label", path="path")
    return source_of(labelled.reset_index(drop=True), plain, folder.file(name), folder, notes, kind="coco")


def _category(number: Any, categories: dict[Any, str]) -> str:
    if number not in categories:
        known = ", ".join(f"{key} {name}" for key, name in [*categories.items()][:5])
        raise CamerabiasError(
            f"An annotation has the category_id {number}, which no category has ({known}): correct one or the other."
        )
    return categories[number]


def _split(location: str) -> tuple[Folder, str]:
    parent, name = posixpath.split(location)
    return Folder(parent or "."), name


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd", "width", "height")
    return {
        key: value
        for key, value in fields.items()
        if key not in names and isinstance(value, (str, int, float))
    }


def _joined(labels: set[str]) -> str | None:
    return "|".join(sorted(labels)) or None


SOURCES["coco"] = SourceKind(is_coco, read_coco, "a COCO list (.json)")
