"""The index of a DATASET: a row per image, with its id, group and fold, once all images are known."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from camerabias.datasets.ingest.folds import deal_folds
from camerabias.datasets.schema import INDEX_COLUMNS, MAX_TIED_GROUPS, PICTURE_DIGITS, CamerabiasError

SPLITS = ("train", "val", "test")


def make_index(rows: pd.DataFrame) -> pd.DataFrame:
    """Name the images, check their splits, and deal them into folds.

    Args:
        rows: A row per image: sha256, label, camera, group, split, width, height, format, part, and `others`, the
            user's other columns as JSON.

    Returns:
        A row per image in the same order, with `INDEX_COLUMNS` and the user's other columns.

    Raises:
        CamerabiasError: No images, or splits that cannot be used.
    """
    if rows.empty:
        raise CamerabiasError("Not one photo could be decoded; see rejected.csv for the reasons.")
    copies, pictures = rows.groupby("sha256").cumcount(), rows["sha256"].str[:PICTURE_DIGITS]
    rows["image_id"] = pictures.where(copies == 0, pictures + "-" + copies.astype(str))
    rows["group"] = rows["group"].where(rows["group"].notna(), pictures)
    _check_splits(rows)
    rows["fold"] = deal_folds(
        rows["image_id"].tolist(),
        list(zip(rows["label"], rows["camera"], strict=True)),
        _whole_groups(rows),
    )
    others = pd.DataFrame([json.loads(text) for text in rows["others"]], index=rows.index).apply(_of_one_kind)
    return pd.concat([rows[list(INDEX_COLUMNS)], others], axis=1)


def _of_one_kind(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of mixed kinds, as JSON Lines may have and Parquet cannot, as text."""
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return column.map(str, na_action="ignore")
    return column


def _whole_groups(rows: pd.DataFrame) -> list[str]:
    """Groups, merged where byte-identical images tie them together, so that no copy is trained and tested.

    An image in more than `MAX_TIED_GROUPS` groups ties none.
    """
    group_codes, group_names = pd.factorize(rows["group"])
    content_codes, contents = pd.factorize(rows["sha256"])
    if len(contents) == len(rows):
        return rows["group"].tolist()
    pairs = np.unique(np.stack([group_codes, content_codes]), axis=1)
    groups, ties = pairs[:, np.bincount(pairs[1])[pairs[1]] <= MAX_TIED_GROUPS]
    n = len(group_names) + len(contents)
    graph = coo_matrix((np.ones(len(ties)), (groups, len(group_names) + ties)), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    return [f"component-{component[code]}" for code in group_codes]


def _renamed(words: list[str]) -> str:
    """How to write words of a split as ours are, as far as that is known."""
    if not words:
        return ""
    ours = (
        dict(zip(words, SPLITS, strict=False))
        if words == ["0", "1", "2"]
        else dict.fromkeys(words[:3], "train")
    )
    known = "as WILDS numbers them" if words == ["0", "1", "2"] else "or whichever each means"
    return f" (in pandas: table['split'] = table['split'].astype(str).replace({ours}), {known})"


def _check_splits(rows: pd.DataFrame) -> None:
    if rows["split"].isna().all():
        return
    wrong = sorted(set(rows["split"].dropna()) - set(SPLITS))
    if wrong or rows["split"].isna().any():
        raise CamerabiasError(
            f"The column 'split' holds {', '.join(map(repr, wrong)) or 'gaps'}; allowed: {', '.join(SPLITS)}, in "
            f"every row{_renamed(wrong)}. Rename or drop the column to use camerabias's own folds."
        )
    if not {"train", "test"} <= set(rows["split"]):
        raise CamerabiasError("The column 'split' needs both train and test rows; drop it to use folds.")
    sides = rows.groupby("sha256")["split"].agg(lambda splits: len(set(splits)))
    crossing = sides[sides > 1].index
    if len(crossing):
        first = rows.loc[rows["sha256"] == crossing[0]]
        named = [
            f"{json.loads(o).get('path')} ({s})" for o, s in zip(first["others"], first["split"], strict=True)
        ]
        raise CamerabiasError(
            f"{len(crossing)} images lie byte for byte on both sides of the split, first: {' and '.join(named)}. "
            "Remove one side's copies: a test image that was trained on tests nothing."
        )


def fingerprint(index: pd.DataFrame) -> str:
    """SHA-256 of the sorted (image_id, label, camera, group, fold), and split where the user gave one."""
    columns = ["image_id", "label", "camera", "group", "fold"]
    if index["split"].notna().any():
        columns.append("split")
    rows = index[columns].sort_values("image_id").astype(str)
    digest, encoder = hashlib.sha256(), json.JSONEncoder(ensure_ascii=False)
    for row in rows.itertuples(index=False):
        digest.update(encoder.encode(list(row)).encode())
    return digest.hexdigest()
