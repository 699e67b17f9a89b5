"""How cameras differ, in sentences of a photographer's words and units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from camerabias.analysis.cues.differences import Differences
from camerabias.analysis.cues.recognition import Recognition
from camerabias.analysis.design.names import count_of
from camerabias.analysis.statistics.number_format import show_estimate, show_number, show_share
from camerabias.analysis.statistics.permutation import LEVEL
from camerabias.datasets.pixels.registry import NOTICEABLE, STATISTICS

MIN_EFFECT = 0.5
"""Standard deviations from which a difference is said."""

NEAR = 0.7
"""Share of the largest effect of a kind from which the most general statistic of it is said instead."""

ZERO = 1e-4
"""Numbers up to which are rounding errors, and shown as 0."""

MAX_CAMERAS, MAX_STATISTICS = 4, 3
"""Cameras that are spoken of, and statistics of each, of different kinds: those that differ most."""


def describe_differences(found: Differences) -> list[str]:
    """How cameras differ within a label: sentences, six at most; none where no cameras can be compared."""
    return list(_sentences(found))


def describe_in_short(found: Differences) -> list[str]:
    """How the camera that differs most does, and whether pixel statistics identify cameras: two sentences at most."""
    said = describe_differences(found)
    first = [sentence.partition(" They are also")[0] for sentence in said[:1]]
    return list(dict.fromkeys([*first, *said[-1:]])) if found.camera is not None else first


def _sentences(found: Differences) -> Iterator[str]:
    table = found.table
    if table.empty:
        return
    notable = table[(table["p_holm"] < LEVEL) & (table["effect"].abs() >= MIN_EFFECT) & _noticeable(table)]
    cameras = notable["camera"].unique()  # those that differ most first
    for camera in cameras[:MAX_CAMERAS]:
        first, *more = _traits(notable[notable["camera"] == camera])
        also = f" They are also {' and '.join(more)}." if more else ""
        yield f"Photos of {camera!r} are {first} than others of their labels.{also}"
    if len(cameras) > MAX_CAMERAS:
        yield f"{count_of(len(cameras) - MAX_CAMERAS, 'more camera differs', 'more cameras differ')} too."
    if notable.empty:
        yield _nothing(table)
    if found.camera is not None:
        yield _recognition(found.camera)


def _noticeable(table: pd.DataFrame) -> pd.Series[bool]:
    least = table["statistic"].map(lambda name: NOTICEABLE.get(STATISTICS[name].unit, 0.0))
    return (table["mean"] - table["others"]).abs() >= least


def _traits(rows: pd.DataFrame) -> list[str]:
    return [_trait(row) for row in _one_of_each_kind(rows).head(MAX_STATISTICS).itertuples()]


def _one_of_each_kind(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each kind the most general statistic of those that differ about as much, the largest effects first."""
    kind, size = rows["statistic"].map(lambda name: STATISTICS[name].kind), rows["effect"].abs()
    largest = size.groupby(kind).transform("max")
    near = rows.assign(kind=kind, largest=largest)[size >= NEAR * largest]
    general_first = near.sort_values("statistic", key=lambda names: names.map([*STATISTICS].index))
    return general_first.drop_duplicates("kind").sort_values("largest", ascending=False, kind="stable")


def _trait(row: Any) -> str:
    """One statistic: `noisier (standard deviation of luma in flat areas 5.10 against 2.00 of 255)`."""
    one = STATISTICS[row.statistic]
    word = one.more if row.effect > 0 else one.less
    mean, others = (show_number(value if abs(value) > ZERO else 0) for value in (row.mean, row.others))
    numbers = f"{mean} against {others} {one.unit}".strip()
    return f"{word} ({one.measures}: {numbers})"


def _nothing(table: pd.DataFrame) -> str:
    found = table[table["p_holm"] < LEVEL]
    least, most = (show_number(value) for value in (table["detectable"].min(), table["detectable"].max()))
    size = least if least == most else f"{least} to {most}, by camera,"
    seen = f"; differences of {size} standard deviations or more would have been detected (power 0.8)."
    n = table["statistic"].nunique()
    if found.empty:
        return f"None of {n} pixel statistics differs significantly between cameras of a label{seen}"
    largest = found.iloc[0]
    return (
        f"None of {n} pixel statistics differs by {MIN_EFFECT} standard deviations or more between cameras of a "
        f"label; the largest difference is {show_number(abs(largest['effect']))}, in "
        f"{STATISTICS[largest['statistic']].measures}."
    )


def _recognition(found: Recognition) -> str:
    how = "identify" if found.works else "were not shown to identify"
    return (
        f"{len(STATISTICS)} pixel statistics alone {how} the camera within a label: accuracy "
        f"{show_estimate(found.accuracy)}, majority baseline {show_share(found.majority_baseline)}."
    )
