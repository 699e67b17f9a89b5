"""Features that users bring: a table with a row per image, in place of a backbone."""

from __future__ import annotations

import hashlib
import posixpath
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.reading.parsers import parse_table
from camerabias.datasets.schema import CamerabiasError
from camerabias.trainables.embeddings.store import Features

KEYS = ("image_id", "path")
"""Columns by which rows are matched with images, the first that is there."""


def own_features_id(location: str) -> str:
    """`sha256:` of a table's bytes, which takes the place of the weights' hash.

    Raises:
        CamerabiasError: There is no such table.
    """
    root, name = _divide(location)
    if not root.exists(name):
        raise CamerabiasError(
            f"There is no table of features {location!r}. Give --embeddings a Parquet or CSV file with a row per "
            f"photo: a column {' or '.join(KEYS)}, and either a column `features` of lists or a column per feature."
        )
    return f"sha256:{hashlib.sha256(root.read_bytes(name)).hexdigest()}"


def own_features(location: str, images: pd.DataFrame) -> Features:
    """The features of some images.

    Args:
        location: The table.
        images: A row per image with `image_id`, and `path` as it was imported.

    Returns:
        float32 (1, n, d), in the order of the images.

    Raises:
        CamerabiasError: An image has no row, or several, or features that are no finite numbers.
    """
    key, features = _read(location)
    wanted = images[key] if key in images else images["image_id"]
    if features.index.has_duplicates:
        twice = features.index[features.index.duplicated()][0]
        raise CamerabiasError(f"{location} has several rows of {key} {twice!r}; keep one row per photo.")
    places = features.index.get_indexer(pd.Index(wanted))
    if (places < 0).any():
        lacking = wanted[places < 0]
        raise CamerabiasError(
            f"{location} lacks features of {len(lacking)} of {len(wanted)} photos, first {key} {lacking.iloc[0]!r}; "
            f"it has such as {features.index[0]!r}. Write the {key} as the dataset's index has it, a row per photo."
        )
    found: Features = np.stack(features.iloc[places].tolist())[None]
    return found


@lru_cache(maxsize=1)
def _read(location: str) -> tuple[str, pd.Series[Any]]:
    """The column that names images, and a float32 array per row, indexed by that column."""
    frame = parse_table(*_divide(location)).frame
    key = next((name for name in KEYS if name in frame), None)
    if key is None:
        raise CamerabiasError(
            f"{location} has the columns {', '.join(map(str, frame))[:200]}; one must be {' or '.join(KEYS)}."
        )
    try:
        values = _numbers(frame)
    except (TypeError, ValueError) as error:
        raise CamerabiasError(
            f"{location}: beside {key}, every column must hold numbers, or one, `features`, lists of as many "
            f"({error})."
        ) from error
    if values.ndim != 2 or not np.isfinite(values).all():
        raise CamerabiasError(f"{location}: features must be finite numbers, as many for every photo.")
    return key, pd.Series(list(values), index=frame[key].astype(str))


def _numbers(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The features of a table, (n, d): of one column of lists, or of all columns that are no words of a photo."""
    if "features" in frame:
        return np.asarray(frame["features"].tolist(), dtype=np.float32)
    words = [*KEYS, "label", "camera", "group", "split"]
    return frame.drop(columns=words, errors="ignore").to_numpy(dtype=np.float32)


def _divide(location: str) -> tuple[Folder, str]:
    parent, name = posixpath.split(location)
    return Folder(parent or "."), name
