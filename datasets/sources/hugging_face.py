"""Datasets of Hugging Face: `hf:NAME`, `hf:FOLDER` as `save_to_disk` left it, and `hf:...:SPLIT` of either.

Needs the library `datasets` (`pip install camerabias[hf]`). A name is downloaded by that library, a folder is not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.embedded import bytes_of, row_of
from camerabias.datasets.reading.photo import SOURCES, Reading, Source, SourceKind
from camerabias.datasets.reading.words import name_class
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.table import source_of

PREFIX = "hf:"


@dataclass(frozen=True)
class HuggingFacePhotos:
    """Reads photos of a dataset by paths such as `train#17`.

    Attributes:
        name: Of the dataset, or its folder.
        column: Of images.
    """

    name: str
    column: str

    def __call__(self, path: str) -> bytes:
        """The bytes of a row's image, or of the file that it names."""
        split = path.rpartition("#")[0]
        encoded = _load(self.name)[split].cast_column(self.column, _library().Image(decode=False))
        value = encoded[row_of(path)][self.column]
        if not value["bytes"] and value["path"]:
            with open(value["path"], "rb") as file:
                return file.read()
        return bytes_of(value, path)


def is_hugging_face(location: str) -> bool:
    """Whether a location says that it is a dataset of Hugging Face."""
    return location.startswith(PREFIX)


def read_hugging_face(location: str, reading: Reading) -> Source:
    """Read all splits of a dataset, or the one that is named.

    Raises:
        CamerabiasError: The library is missing, the dataset cannot be loaded, or has no such split or no images.
    """
    name, wanted = _name_and_split(location.removeprefix(PREFIX))
    loaded = _load(name)
    if wanted and wanted not in loaded:
        raise CamerabiasError(f"{name} has no split {wanted!r}; it has {', '.join(loaded)}.")
    splits = {wanted: loaded[wanted]} if wanted else dict(loaded)
    column = reading.path or _image_column(next(iter(splits.values())), name)
    frames = [
        _frame(dataset, split, column, split_named=len(splits) > 1) for split, dataset in splits.items()
    ]
    _refuse_unlabelled(dict(zip(splits, frames, strict=True)), reading.label, name)
    notes = [f"Photos are the images in the column {column!r}."]
    plain = replace(reading, path="path", images=None)
    read = HuggingFacePhotos(name, column)
    return source_of(pd.concat(frames, ignore_index=True), plain, location, Folder("."), notes, read, "hf")


def _refuse_unlabelled(frames: dict[str, pd.DataFrame], label: str, name: str) -> None:
    """Splits whose labels are kept back, -1 everywhere, are named, with the way to the others."""
    without = {
        split: len(frame) for split, frame in frames.items() if label in frame and frame[label].isna().all()
    }
    labelled = [f"{PREFIX}{name}:{split}" for split in frames if split not in without]
    if without and labelled:
        said = ", ".join(f"{n} of {split}" for split, n in without.items())
        raise CamerabiasError(
            f"{name}: no photo of some splits has a label ({said}). Give a split that has: {', '.join(labelled)}."
        )


def _name_and_split(text: str) -> tuple[str, str]:
    name, _, split = text.rpartition(":")
    return (name, split) if name and not os.path.exists(text) else (text, "")


def _library() -> ModuleType:
    try:
        import datasets
    except ImportError as error:
        raise CamerabiasError(
            "hf: needs the library datasets; install it with pip install camerabias[hf]."
        ) from error
    if not hasattr(datasets, "load_dataset"):
        raise CamerabiasError(
            f"hf: needs the library datasets, which {next(iter(datasets.__path__))} hides; run this elsewhere."
        )
    return datasets


@lru_cache(maxsize=1)
def _load(name: str) -> dict[str, Any]:
    """Splits by name."""
    library = _library()
    library.disable_progress_bars()
    saved = any(os.path.exists(os.path.join(name, file)) for file in ("dataset_dict.json", "state.json"))
    try:
        found = library.load_from_disk(name) if saved else library.load_dataset(name)
    except Exception as error:  # the library fails in many ways; each is of this dataset
        reason = " ".join(str(error).split())[:300]
        raise CamerabiasError(
            f"Cannot load the dataset {name!r} of Hugging Face ({type(error).__name__}: {reason}). Give the name "
            "of one that can be downloaded here, or the folder of one that was saved."
        ) from error
    return dict(found) if isinstance(found, dict) else {"all": found}


def _image_column(dataset: Any, name: str) -> str:
    images = [column for column, kind in dataset.features.items() if type(kind).__name__ == "Image"]
    if not images:
        raise CamerabiasError(f"{name} has no column of images; it has {', '.join(dataset.features)}.")
    return str(images[0])


def _frame(dataset: Any, split: str, column: str, split_named: bool) -> pd.DataFrame:
    """A row per photo, classes by their names."""
    frame: pd.DataFrame = dataset.remove_columns(column).to_pandas()
    for name, kind in dataset.features.items():
        classes = getattr(kind, "feature", kind)  # of a list of them
        if type(classes).__name__ == "ClassLabel":
            frame[name] = [name_class(code, classes.names, name) for code in frame[name]]
    paths = [f"{split}#{row}" for row in range(len(frame))]
    frame = frame.rename(columns={"path": "given_path"}).assign(path=paths)
    return frame.assign(split=split) if split_named else frame


SOURCES["hf"] = SourceKind(is_hugging_face, read_hugging_face, "a dataset of Hugging Face (hf:NAME)")
