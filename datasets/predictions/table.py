"""A table of predictions, read: a row per photo and model, with words written one way."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from camerabias.datasets.io.storage import Folder
from camerabias.datasets.predictions.columns import (
    PredictionColumns,
    find_prediction_columns,
    find_score_columns,
    no_column,
)
from camerabias.datasets.predictions.nested import unfold_scores
from camerabias.datasets.reading.columns import refuse_gaps
from camerabias.datasets.reading.parsers import PARSERS, parse_table
from camerabias.datasets.reading.sets import in_or_not, one_vs_rest, separators_of
from camerabias.datasets.reading.splits import name_sides
from camerabias.datasets.reading.walk import CONVERSIONS
from camerabias.datasets.reading.words import clean, plainly
from camerabias.datasets.schema import JUDGED_FILE, RUN_FILE, CamerabiasError
from camerabias.datasets.sources.table import is_table

RowNumbers = npt.NDArray[np.intp]
TRAIN, TEST = "train", "test"
MAX_NAMED = 8

THRESHOLD = 0.5
"""From where on the only score of two labels predicts the second."""

POSITIVE = {"1", "true", "yes", "positive"}
"""What the second of two labels is called where a score is of it, in lower case."""


@dataclass(frozen=True)
class PredictionTable:
    """Predictions as a table has them.

    Attributes:
        rows: A row per prediction: image_id, group and seed (numbers), label, prediction, camera, and where they were
            given image (path or name), predicted_camera and split (`train`, `val` or `test`).
        scores: As many rows, a column of numbers per class that has scores.
        notes: What was assumed in reading, in sentences.
    """

    rows: pd.DataFrame
    scores: pd.DataFrame
    notes: tuple[str, ...]


def read_predictions(
    source: str | PathLike[str] | pd.DataFrame, columns: PredictionColumns, member: str | None = None
) -> PredictionTable:
    """Read a table of predictions.

    Args:
        source: A frame, or the path or URI of a table that photos can be imported from.
        columns: Names of its columns.
        member: A label, or a member of labels that are sets (`A|B`): all others become one.

    Raises:
        CamerabiasError: A column is missing or has gaps, predictions are no labels, scores are no numbers.
    """
    table, name, notes = _open(source)
    table, said = unfold_scores(table, columns, name)
    notes += said
    found, said = find_prediction_columns(table, columns, name)
    notes += said
    scored = find_score_columns(table, columns.scores, {*found.values()}, name)
    if columns.scores is None and "prediction" in found:
        scored = _of_classes(table, scored, table[found["prediction"]], name, notes)
    if scored:
        notes.append(f"Scores are the columns {_some(scored)}.")
    refuse_gaps(table, [found[ours] for ours in found if ours not in ("group", "image")], name)
    words = {ours: _words(table[theirs]) for ours, theirs in found.items() if ours not in ("image", "group")}
    if not scored and "prediction" in found and _are_scores(words["prediction"], words["label"]):
        scored = [found.pop("prediction")]
    if "prediction" in found:
        words["prediction"] = _in_words_of(words["label"], words["prediction"], found, name, notes)
    else:
        words["prediction"] = _highest(table, scored, words["label"], name, notes)
    notes += _look_at_scores(table, scored, words["label"])
    if "split" in words:
        words["split"] = _mapped(words["split"], lambda known: _sides(known, found["split"], name, notes))
    if member is not None:
        _against_rest(words, member)
    rows = pd.DataFrame({ours: words[ours] for ours in words if ours not in ("seed", "fold")})
    rows["seed"] = _codes([words[ours] for ours in ("seed", "fold") if ours in words], len(rows))
    rows = _identified(rows, table, found, notes)
    return PredictionTable(rows, _numbers(table, scored, member, name), tuple(notes))


def read_training(
    source: str | PathLike[str] | pd.DataFrame, columns: PredictionColumns, member: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """What a classifier was trained on: label, camera and group of every photo, and what was assumed.

    Args:
        source: As of `read_predictions`; columns have the same names, or usual ones.
        columns: Likewise.
        member: Likewise.

    Raises:
        CamerabiasError: A column is missing or has gaps.
    """
    table, name, notes = _open(source)
    there = {str(column) for column in table.columns}
    named = {
        ours: column for ours in ("label", "camera", "group") if (column := getattr(columns, ours)) in there
    }
    found, said = find_prediction_columns(table, PredictionColumns(**named), name)
    needed = {ours: found[ours] for ours in ("label", "camera")}
    refuse_gaps(table, needed.values(), name)
    rows = pd.DataFrame({ours: _words(table[theirs]) for ours, theirs in needed.items()})
    if member is not None:
        rows["label"] = _mapped(rows["label"], lambda known: one_vs_rest(known, member))
    rows["group"] = _groups(table, found, np.arange(len(rows)))
    return rows, [f"Of the training table: {note}" for note in [*notes, *said]]


def _open(source: str | PathLike[str] | pd.DataFrame) -> tuple[pd.DataFrame, str, list[str]]:
    """A table, what errors call it, and what was assumed in parsing it."""
    if isinstance(source, pd.DataFrame):
        table, name, notes = source.reset_index(drop=True), "The frame", list[str]()
    else:
        if not is_table(fspath(source)):
            known = CONVERSIONS.get(posixpath.splitext(fspath(source))[1].lower())
            raise CamerabiasError(
                f"{fspath(source)}{f' ({known})' if known else ''} is neither a table "
                f"({', '.join(PARSERS)}) nor a RUN, a folder with {RUN_FILE} or "
                f"{JUDGED_FILE}."
            )
        parent, file = posixpath.split(fspath(source))
        root = Folder(parent or ".")
        parsed = parse_table(root, file)
        table, name, notes = parsed.frame, root.file(file), parsed.notes
    if table.empty:
        raise CamerabiasError(f"{name} has no rows.")
    return table, name, [*notes]


def _words(column: pd.Series) -> pd.Series:
    """A column as words; 1.0 is written 1, as whole numbers beside gaps or out of arrays often are not."""
    return _mapped(
        column.astype(object),
        lambda known: [re.sub(r"^(-?\d+)\.0+$", r"\1", clean(str(value))) for value in known],
    )


def _mapped(column: pd.Series, change: Callable[[list[Any]], Iterable[str]]) -> pd.Series:
    """A column after a change of its different values, which are far fewer than rows."""
    try:
        codes, known = pd.factorize(column, use_na_sentinel=False)
    except TypeError as error:
        raise CamerabiasError(
            f"The column {column.name!r} holds lists or objects, where one word belongs; write a set as text (A|B) "
            "and ask with --one-vs-rest A."
        ) from error
    changed = np.array([*change(list(known))], dtype=object)
    return pd.Series(changed[codes], index=column.index)


def _against_rest(words: dict[str, pd.Series], member: str) -> None:
    """Make all other labels one; that none is predicted as the member is no mistake."""
    separators = separators_of(words["label"].unique())
    words["label"] = _mapped(words["label"], lambda known: one_vs_rest(known, member))
    words["prediction"] = _mapped(
        words["prediction"], lambda known: [in_or_not(word, member, separators) for word in known]
    )


def _highest(
    table: pd.DataFrame, scored: list[str], labels: pd.Series, name: str, notes: list[str]
) -> pd.Series:
    """The label with the highest score, where every label has a column of scores that ends in its name.

    Of the only score of two labels, the second from `THRESHOLD` on.
    """
    if len(scored) == 1 and labels.nunique() == 2:
        return _above(table, scored[0], sorted(labels.unique()), name, notes)
    of_column = {
        column: label
        for label in labels.unique()
        for column in scored
        if re.fullmatch(rf"(.*[\W_])?{re.escape(label)}", column, re.IGNORECASE)
    }
    if len(of_column) < 2 or {*of_column.values()} != {*labels.unique()}:
        raise no_column(table, "prediction", name, ", or give scores of every label (prob_cat, prob_dog)")
    notes.append("There is no column of predictions, so the label with the highest score is the prediction.")
    classes = np.array([of_column.get(column, column) for column in scored], dtype=object)
    return pd.Series(classes[_numbers(table, scored, None, name).to_numpy().argmax(axis=1)])


def _are_scores(predictions: pd.Series, labels: pd.Series) -> bool:
    """Whether what should be predicted labels are scores of two: parts of 1, and mostly no labels."""
    if labels.nunique() != 2 or 2 * predictions.isin(labels.unique()).sum() > len(predictions):
        return False
    numbers = _as_numbers(predictions)
    return bool(numbers.between(0, 1).all() and numbers.mod(1).any())


def _look_at_scores(table: pd.DataFrame, scored: list[str], labels: pd.Series) -> list[str]:
    """How scores are written, and which columns may be scores but are not taken for them, in sentences."""
    notes = []
    for sign, meaning in (
        (",", "Commas are read as decimal points"),
        ("%", "Percents are read as parts of 1"),
    ):
        if columns := [column for column in scored if table[column].map(str).str.contains(sign).any()]:
            notes.append(f"{meaning} in {_some(columns)}.")
    named = sorted({*labels} & {*map(str, table.columns)})
    if not scored and len(named) == labels.nunique():
        notes.append(
            f"Columns named as labels ({_some(named)}) are not read as scores; if they are, rename {named[0]!r} to "
            f"'prob_{named[0]}', and so on."
        )
    return notes


def _as_numbers(column: pd.Series) -> pd.Series:
    """Numbers, also of text with decimal points or commas, and percents as parts of 1; NaN where there is none."""
    percents = column.map(str).str.strip().str.endswith("%")
    points = column.map(lambda cell: cell.replace(",", ".").rstrip("% ") if isinstance(cell, str) else cell)
    numbers = pd.to_numeric(points, errors="coerce")
    return numbers.where(~percents, numbers / 100)


def _above(table: pd.DataFrame, column: str, labels: list[str], name: str, notes: list[str]) -> pd.Series:
    """Predictions of the one score of two labels, where it is known which of them is the second."""
    numbers = _numbers(table, [column], None, name)[column]
    second = labels[1]
    if second.casefold() not in POSITIVE or not numbers.between(0, 1).all():
        raise CamerabiasError(
            f"{name}: {column!r} is the only score of {labels[0]!r} and {second!r}, from {numbers.min():g} to "
            f"{numbers.max():g}, and nothing says from where on which is predicted. Write that in a column "
            f"of its own (in pandas, table['predicted'] = numpy.where(table[{column!r}] >= {THRESHOLD:g}, "
            f"{second!r}, {labels[0]!r})), and give --prediction predicted --scores {column!r}."
        )
    notes.append(
        f"{column!r} holds scores of {second!r}, which counts as predicted from {THRESHOLD:g} on; --prediction would "
        "name a column of predicted labels."
    )
    return pd.Series(np.where(numbers >= THRESHOLD, second, labels[0]), table.index, dtype=object)


def _in_words_of(
    labels: pd.Series, predictions: pd.Series, found: dict[str, str], name: str, notes: list[str]
) -> pd.Series:
    """Predictions in the words of labels: another case is none, other words are refused, of a few a note is made."""
    known = {*labels.unique()}
    by_case = {label.casefold(): label for label in known}
    meant = predictions.map(lambda word: by_case.get(word.casefold(), word))
    recased = sorted({*predictions[meant != predictions]})
    if recased and len(by_case) == len(known):
        notes.append(f"Predictions that differ from a label in case alone ({_some(recased)}) are that label.")
        predictions = meant
    foreign = predictions[~predictions.isin(known)]
    if foreign.empty:
        return predictions
    said = f"{len(foreign)} of {len(predictions)} predictions are no label of the column {found['label']!r}"
    shown = f"predicted: {_some(sorted({*foreign}))}; labels: {_some(sorted(known))}"
    if 2 * len(foreign) > len(predictions):
        raise CamerabiasError(f"{name}: {said} ({shown}). Write both in the same words.{_hint(foreign)}")
    notes.append(f"{said} and count as wrong ({shown}).")
    return predictions


def _of_classes(
    table: pd.DataFrame, scored: list[str], predictions: pd.Series, name: str, notes: list[str]
) -> list[str]:
    """Columns of scores that are of classes: a lone one may be of the label that is predicted, whichever it is."""
    if len(scored) == 1 and predictions.nunique() > 1:
        least = _numbers(table, scored, None, name)[scored[0]].groupby(predictions).min()
        if (least >= THRESHOLD).all():
            notes.append(
                f"{scored[0]!r} is never below {THRESHOLD:g}, whatever is predicted: it is taken for the score of "
                "the predicted label, and excluded."
            )
            return []
    return scored


def _hint(foreign: pd.Series) -> str:
    """What predictions that are no labels look like."""
    if foreign.str.contains(r"^(?:tensor|array)?[(\[]").all():
        return " These are printed tensors or arrays: write their values, as .item() or .tolist() give them."
    if foreign.str.fullmatch(r"LABEL_\d+").all():
        return " LABEL_0 is a class without a name, of Hugging Face: write names, as in the model's id2label."
    numbers = pd.to_numeric(foreign, errors="coerce")
    if (numbers.mod(1) == 0).all() and (numbers >= 0).all():
        return (
            " If numbers are indices of classes, write the names in their place: of Keras, invert class_indices; of "
            "torchvision, take dataset.classes."
        )
    if numbers.between(0, 1).all():
        return " If these are scores, give one of every label (columns such as prob_cat, prob_dog)."
    if numbers.between(0, 100).all():
        return " If these are scores in percent, divide them by 100."
    return ""


def _sides(known: list[Any], column: str, name: str, notes: list[str]) -> list[str]:
    sides, said = name_sides(map(str, known), column)
    notes += said
    if TEST not in sides:
        raise CamerabiasError(
            f"{name} has no test rows: its column {column!r} holds {_some(map(str, known))}, and judged is what is "
            "named test, testing, val, valid, validation or dev. Rename it, or drop that column to judge all rows."
        )
    return sides


def _codes(columns: list[pd.Series], n: int) -> RowNumbers:
    """A number for each combination of words."""
    if not columns:
        return np.zeros(n, dtype=np.intp)
    joined = columns[0] if len(columns) == 1 else columns[0] + "\0" + columns[1]
    return pd.factorize(joined, sort=True)[0]


def _identified(
    rows: pd.DataFrame, table: pd.DataFrame, found: dict[str, str], notes: list[str]
) -> pd.DataFrame:
    """The rows with numbers of photos and of groups.

    A photo that a model has predicted twice, say of two crops, is a group of as many rows.
    """
    own = np.arange(len(rows))
    if "image" not in found:
        return rows.assign(image_id=own, group=_groups(table, found, own))
    images = table[found["image"]]
    codes = _numbered(images, own)
    repeated = pd.DataFrame({"image": codes, "seed": rows["seed"]}).duplicated().any()
    if repeated and "group" not in found:
        notes.append(f"Rows with the same {found['image']} count as one group.")
    return rows.assign(
        image_id=own if repeated else codes, image=images.astype(str), group=_groups(table, found, codes)
    )


def _groups(table: pd.DataFrame, found: dict[str, str], images: RowNumbers) -> RowNumbers:
    """RowNumbers of groups; a row without a group is a group with the rows of its photo alone."""
    return _numbered(table[found["group"]], images) if "group" in found else images


def _numbered(column: pd.Series, otherwise: RowNumbers) -> RowNumbers:
    """A number for each word, in the order of words, so that rows in any order come to the same; others for gaps."""
    codes = pd.factorize(column, sort=True)[0]
    return np.where(codes < 0, codes.max() + 1 + otherwise, codes)


def _numbers(table: pd.DataFrame, scored: list[str], member: str | None, name: str) -> pd.DataFrame:
    """Scores as numbers; of one label against the rest its own alone, where a column is named so."""
    wanted = [column for column in scored if member is not None and plainly(column).endswith(plainly(member))]
    found = {}
    for column in wanted or scored:
        numbers = _as_numbers(table[column]).to_numpy(float)
        wrong = np.flatnonzero(~np.isfinite(numbers))
        if len(wrong):
            raise CamerabiasError(
                f"{name} has {str(table[column].iloc[wrong[0]])!r} as {column} in data row {wrong[0] + 1} "
                f"({len(wrong)} such rows), where scores are finite numbers; fill them in, or drop those rows."
            )
        found[column] = numbers
    return pd.DataFrame(found, index=table.index)


def _some(names: Iterable[object]) -> str:
    every = [str(name) for name in names]
    more = [f"{len(every) - MAX_NAMED} more"] if len(every) > MAX_NAMED else []
    return ", ".join([*map(repr, every[:MAX_NAMED]), *more])
