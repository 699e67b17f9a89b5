"""The table of labels and cameras, small enough to be read."""

from __future__ import annotations

import pandas as pd

from camerabias.analysis.design.design import Design

MAX_CAMERAS, MAX_LABELS = 8, 12
"""Columns and rows of the table of cells; the rarest are counted together."""


def folded_cells(
    design: Design, max_labels: int = MAX_LABELS, max_cameras: int = MAX_CAMERAS
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers of photos, and of groups, labels × cameras; of many labels or cameras the rarest are one row or column.

    Args:
        design: What the photos are.
        max_labels: Rows, from 2.
        max_cameras: Columns, from 2.
    """
    photos, groups = (
        _fold(_fold(table, design.photos, max_labels).T, design.photos.T, max_cameras).T
        for table in (design.photos, design.groups)
    )
    return photos, groups


def show_cells(photos: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    """Numbers of photos as text, with groups in brackets where these are fewer."""
    return photos.astype(str).where(groups == photos, photos.astype(str) + " (" + groups.astype(str) + ")")


def _fold(table: pd.DataFrame, photos: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows with most photos as they stand, and the sum of the others, so that there are no more than `most`."""
    if len(table) <= most:
        return table
    large = table.index.isin(photos.sum(axis=1).nlargest(most - 1).index)
    others = table[~large]
    return pd.concat([table[large], others.sum().to_frame(f"{len(others)} others").T])
