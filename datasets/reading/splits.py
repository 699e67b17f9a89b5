"""Whether photos train or test: what people call the sides of a split, and the columns that name them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from camerabias.datasets.reading.words import clean, plainly

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "holdout", "publictest", "privatetest"), "test"),
}
"""What people call the sides of a split, by their plain names, and what they are here."""

FLAGS = {
    **dict.fromkeys(("isvalid", "isval", "isvalidation"), ("val", "train")),
    **dict.fromkeys(("istest", "istesting", "isholdout"), ("test", "train")),
    **dict.fromkeys(("istrain", "istraining", "train"), ("train", "test")),
}
"""Columns of yes and no, as fastai's `is_valid`, by their plain names: the side of yes, and that of no."""

_YES = {**dict.fromkeys(("true", "1", "1.0", "yes"), 0), **dict.fromkeys(("false", "0", "0.0", "no"), 1)}


def find_split(table: pd.DataFrame, taken: Iterable[str]) -> str | None:
    """The column, of those not taken, that says of every photo on which side it is; None where there is none.

    Words such as `train` and `test` say it under any name; yes and no say it under those of `FLAGS`. `is_valid` may
    also say which photos are good: then more are than not.
    """
    columns = [str(column) for column in table.columns.difference([*taken], sort=False)]
    return next((column for column in columns if _divides(column, table[column])), None)


def _divides(name: str, column: pd.Series[Any]) -> bool:
    words = column.map(str).value_counts()
    sides = sides_of(name, words.index)
    n_train = sum(n for side, n in zip(sides, words, strict=True) if side == "train")
    known = {"train"} < {*sides} <= {*SPLITS.values()} and not column.isna().any()
    return known and ("val" not in FLAGS.get(plainly(name), ()) or 2 * n_train >= len(column))


def sides_of(name: str, words: Iterable[str]) -> list[str]:
    """The sides that the words of a column mean, as far as they are known; others stay as they are."""
    flags = FLAGS.get(plainly(name), ())
    known = {word: flags[place] for word, place in _YES.items() if flags}
    return [known.get(clean(word).casefold(), SPLITS.get(plainly(word), word)) for word in words]


def look_for_sides(labels: Iterable[str], cameras: Iterable[str]) -> list[str]:
    """Labels or cameras that are named as the sides of a split, in sentences."""
    return [
        f"All {what}s are named as sides of a split ({', '.join(sorted(names))}). If they are, put folders of labels "
        "into them, or give a table with columns path, label, camera and split."
        for what, names in (("label", {*labels}), ("camera", {*cameras}))
        if len(names) > 1 and {*sides_of("", names)} <= {*SPLITS.values()}
    ]


def name_sides(words: Iterable[str], name: str = "split") -> tuple[list[str], list[str]]:
    """The sides of a split by our names, as far as they are known, and what was assumed.

    Where nothing is named test, what is named validation is what one tests on.

    Args:
        words: A photo's each.
        name: Of their column.
    """
    sides = sides_of(name, words)
    if "val" not in sides or "test" in sides:
        return sides, []
    return ["test" if side == "val" else side for side in sides], [
        "No photos are for test, so the validation photos are."
    ]
