"""Tables: per study a tidy one for machines, and the paper's wide form for people.

Wide, models are rows and settings (with targets and views, where they vary) are columns; a study of a single model is
turned, so that its settings are rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import isnan, nan

import pandas as pd

from camerabias.analysis.paper.published import printed_accuracy, printed_range
from camerabias.analysis.records.records import Cameras, Records, SeedPredictions
from camerabias.analysis.records.study import name_model, sizes_of
from camerabias.analysis.records.wording import PLAIN, show_absence
from camerabias.analysis.statistics.accuracy import accuracy, chance
from camerabias.analysis.statistics.bootstrap import MIN_GROUPS, Estimate
from camerabias.analysis.statistics.number_format import MISSING, show_estimate, show_share
from camerabias.datasets.io.printable import printable
from camerabias.datasets.io.storage import Folder
from camerabias.trainables.records.study import VARIATIONS, PlannedStudy, StudyCell

TIDY_COLUMNS = [
    "study", "target", "setting", "train_view", "test_view", "model", "cameras", "n", "mean", "low", "high",
    "chance", "paper", *VARIATIONS,
]  # fmt: skip

TRIALS_FILE = "trials.csv"
CLAIMS_FILE = "claims.csv"


@dataclass(frozen=True)
class WideTable:
    """A table to be read: every cell is text.

    Attributes:
        caption: What it shows.
        frame: Strings, rows and columns as printed; the index carries nothing.
    """

    caption: str
    frame: pd.DataFrame


@dataclass(frozen=True)
class StudyTable:
    """The tables of one study.

    Attributes:
        study: The study.
        tidy: Columns `TIDY_COLUMNS`, a row per cell and kind of cameras.
        wide: The same numbers to be read; seen and unseen cameras apart where there are several models.
        notes: Sentences that belong below: numbers of seeds, missing intervals, skipped settings.
    """

    study: PlannedStudy
    tidy: pd.DataFrame
    wide: list[WideTable]
    notes: list[str]


@dataclass(frozen=True)
class _Row:
    """A row of the tidy table, before it is written either way."""

    cell: StudyCell
    reading: str
    """How the cell was tested, where there are several ways; see `_readings`."""
    model: str
    cameras: Cameras
    estimate: Estimate
    chance: float
    paper: float
    text: str


def make_tables(records: Records) -> list[StudyTable]:
    """The tables of every study of a run.

    Raises:
        CamerabiasError: Predictions of a finished trial are damaged; the file is named.
    """
    return [_study_table(records, study) for study in records.studies.values()]


def write_tables(tables: list[StudyTable], records: Records, folder: Folder) -> None:
    """Write NAME.csv (tidy), NAME.md and NAME.tex (wide) of every study, and trials.csv."""
    for table in tables:
        name = table.study.name
        folder.write_bytes(f"{name}.csv", _csv(table.tidy))
        folder.write_bytes(f"{name}.md", _markdown(table).encode())
        folder.write_bytes(f"{name}.tex", _latex(table).encode())
    folder.write_bytes(TRIALS_FILE, _csv(records.trials.reset_index()))


def write_claims(claims: pd.DataFrame, folder: Folder) -> None:
    """Write claims.csv, a row per claim of the paper."""
    folder.write_bytes(CLAIMS_FILE, _csv(claims))


def write_frames(frames: Mapping[str, pd.DataFrame], folder: Folder) -> None:
    """Write NAME.csv of every frame."""
    for name, frame in frames.items():
        folder.write_bytes(f"{name}.csv", _csv(frame))


def show_markdown(frame: pd.DataFrame) -> str:
    """A frame of text as a table in Markdown."""
    lines = [list(frame.columns), ["---"] * frame.shape[1], *frame.to_numpy().tolist()]
    shown = ([printable(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame for a CSV file: a name that a spreadsheet would take for a formula gets an apostrophe before it."""
    return frame.map(_plain_cell).rename(columns=_plain_cell)


_FORMULA = re.compile(r"(?!-?[\d.]+( \[[-\d., ]+\])?$)[=+@＝＋－＠-]")
"""How a formula begins; a negative number, with its interval, is none."""


def _plain_cell(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return ("'" if _FORMULA.match(cell) else "") + printable(cell)


def _study_table(records: Records, study: PlannedStudy) -> StudyTable:
    sizes = sizes_of(study.cells)
    rows = [row for cell in study.cells for row in _rows(records, study, cell, name_model(cell, sizes))]
    tidy = pd.DataFrame([_tidy(study, row) for row in rows], columns=TIDY_COLUMNS)
    wide = _one_model(study, rows) if len({row.model for row in rows}) == 1 else _many_models(study, rows)
    return StudyTable(study, tidy, wide, _notes(study, rows))


MEAN_READING = " (mean of {})"
TRAINING_READING = " (training images)"


_Reading = Callable[[StudyCell, Cameras], tuple[Estimate, float]]
"""Accuracy and chance of a cell, as it was tested in one way."""


def _readings(records: Records, cell: StudyCell) -> dict[str, _Reading]:
    """The ways in which a cell was tested, by what is added to the name of its test view."""
    readings: dict[str, _Reading] = {"": records.accuracy_and_chance}
    if cell.test_draws > 1:
        readings[MEAN_READING.format(cell.test_draws)] = partial(_accuracy_and_chance, records.drawn_rows)
    if "training_images" in cell.probes:
        readings[TRAINING_READING] = partial(_accuracy_and_chance, records.training_rows)
    return readings


def _accuracy_and_chance(
    read: Callable[[StudyCell, Cameras], SeedPredictions], cell: StudyCell, cameras: Cameras
) -> tuple[Estimate, float]:
    seeds = list(read(cell, cameras).values())
    return accuracy(seeds), chance(seeds)


def _rows(records: Records, study: PlannedStudy, cell: StudyCell, model: str) -> list[_Row]:
    kinds: list[Cameras] = ["all", "seen", "unseen"] if records.unseen_cameras(cell) else ["all"]
    rows = []
    for reading, read in _readings(records, cell).items():
        for cameras in kinds:
            found, by_chance = read(cell, cameras)
            text = show_estimate(found) if found.n_seeds else _absence(records, cell, reading)
            paper = _paper(study, cell, model) if cameras == "all" else nan
            rows.append(_Row(cell, reading, model, cameras, found, by_chance, paper, text))
    return rows


def _absence(records: Records, cell: StudyCell, reading: str) -> str:
    if reading == TRAINING_READING and records.done(cell):
        return "not probed"
    return show_absence(records, cell)


def _seeds(row: _Row) -> str:
    """`4`, or `3 of 4` where some have not finished."""
    asked, n = len(row.cell.trials), row.estimate.n_seeds
    return str(n) if n == asked else f"{n} of {asked}"


def _paper(study: PlannedStudy, cell: StudyCell, model: str) -> float:
    """The paper's number, whatever a view's parameters are (the paper does not give them); NaN if none."""
    return printed_accuracy(
        cell.target, cell.setting, *cell.view_kinds, model, table=_paper_table(study, cell)
    )


def _paper_range(study: PlannedStudy, cell: StudyCell) -> str:
    """What the paper's own models came to, beside a model that it does not have."""
    low, high = printed_range(cell.target, cell.setting, *cell.view_kinds, table=_paper_table(study, cell))
    return MISSING if isnan(low) else f"{show_share(low)}–{show_share(high)}"


def _paper_table(study: PlannedStudy, cell: StudyCell) -> str | None:
    """The paper varies nothing else."""
    return None if cell.is_varied else study.paper


def _tidy(study: PlannedStudy, row: _Row) -> tuple[object, ...]:
    cell, found = row.cell, row.estimate
    views = (cell.train_view, cell.test_view + row.reading)
    asked = (study.name, cell.target, cell.setting, *views, row.model, row.cameras)
    numbers = (found.n_seeds, found.mean, found.low, found.high, row.chance, row.paper)
    return (*asked, *numbers, *(cell.dimensions[name] for name in VARIATIONS))


def _variation(name: str, row: _Row) -> str:
    return str(row.cell.dimensions[name])


_VARYING: dict[str, Callable[[_Row], str]] = {
    "target": lambda row: row.cell.target,
    "setting": lambda row: row.cell.setting,
    "view": lambda row: row.cell.views + row.reading,
    **{name: partial(_variation, name) for name in VARIATIONS},
}


_PLAINLY = {"view": PLAIN, **VARIATIONS}
"""What needs no mention where it is the same for all."""


def _varying(rows: list[_Row]) -> dict[str, Callable[[_Row], str]]:
    """What tells a study's columns apart; the setting where nothing does."""
    found = {
        name: get
        for name, get in _VARYING.items()
        if len(values := {get(row) for row in rows}) > 1 or (name in _PLAINLY and values != {_PLAINLY[name]})
    }
    return found or {"setting": _VARYING["setting"]}


def _one_model(study: PlannedStudy, rows: list[_Row]) -> list[WideTable]:
    """A row per setting: one model alone would make a single, very wide row."""
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    varying = _varying(rows)
    heads = {"all": "accuracy", "seen": "seen cameras", "unseen": "unseen cameras"}
    for row in rows:
        key = (*row.cell.key, row.reading)
        line = lines.setdefault(key, {name: get(row) for name, get in varying.items()})
        line[heads[row.cameras]] = row.text
        if row.cameras == "all":
            line |= {
                "chance": show_share(row.chance),
                "n": _seeds(row),
                "paper": _paper_range(study, row.cell) if isnan(row.paper) else show_share(row.paper),
            }
    frame = pd.DataFrame(lines.values()).fillna(MISSING)
    order = [*varying, "accuracy", "chance", "n", "paper", "seen cameras", "unseen cameras"]
    shown = [name for name in order if name in frame and (name != "paper" or set(frame[name]) != {MISSING})]
    return [WideTable(f"{study.title}: {rows[0].model}", frame[shown])]


def _many_models(study: PlannedStudy, rows: list[_Row]) -> list[WideTable]:
    whole = [row for row in rows if row.cameras == "all"]
    apart = [row for row in rows if row.cameras != "all"]
    tables = [WideTable(study.title, _wide(whole, _varying(rows)))]
    if apart:
        caption = f"{study.title}: cameras seen and unseen in training"
        tables.append(WideTable(caption, _wide(apart, _varying(rows))))
    return tables


def _wide(rows: list[_Row], varying: dict[str, Callable[[_Row], str]]) -> pd.DataFrame:
    """Models × columns, with the paper's numbers beside and chance below."""
    lines: dict[str, dict[str, str]] = {row.model: {} for row in rows}
    chances: dict[str, set[str]] = {}
    printed = any(not isnan(row.paper) for row in rows)
    for row in rows:
        column = ", ".join(get(row) for get in varying.values())
        if row.cameras != "all":
            column += f", {row.cameras}"
        incomplete = 0 < row.estimate.n_seeds < len(row.cell.trials)
        lines[row.model][column] = row.text + (f" ({_seeds(row)} seeds)" if incomplete else "")
        chances.setdefault(column, set()).add(show_share(row.chance))
        if printed:
            lines[row.model][f"{column} (paper)"] = show_share(row.paper)
    lines["chance"] = {
        column: "–".join(sorted(found - {MISSING})) or MISSING for column, found in chances.items()
    }
    columns = [
        name for column in chances for name in (column, f"{column} (paper)") if printed or name == column
    ]
    frame = pd.DataFrame.from_dict(lines, orient="index", columns=columns)
    return frame.fillna(MISSING).rename_axis("model").reset_index()


def _notes(study: PlannedStudy, rows: list[_Row]) -> list[str]:
    notes = [study.note] if study.note else []
    seeds = [row.estimate.n_seeds for row in rows if row.estimate.n_seeds]
    if seeds:
        n = f"{max(seeds)}" if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)}"
        intervals = ", with 95 % intervals" if any(not isnan(row.estimate.low) for row in rows) else ""
        notes.append(f"Means over {n} seed{'' if n == '1' else 's'}{intervals}.")
    if any(0 < row.estimate.n_groups < MIN_GROUPS for row in rows):
        notes.append(f"No interval is given where fewer than {MIN_GROUPS} independent groups were tested.")
    models = {row.model for row in rows}
    if study.paper and len(models) == 1 and all(isnan(row.paper) for row in rows):
        notes.append(f"The paper has no {models.pop()}; its column gives the range of its five models.")
    if any(row.reading for row in rows):
        notes.append("The paper does not say which way of testing it used; its number stands beside each.")
    unseen = {row.cell.setting: row.cell.seen_cameras for row in rows if row.cameras == "unseen"}
    notes += [f"Setting {setting} trains on {', '.join(seen)} alone." for setting, seen in unseen.items()]
    notes += [f"{s.setting} ({s.target}) was skipped: {s.reason}" for s in study.skipped]
    return notes


def _csv(frame: pd.DataFrame) -> bytes:
    return without_formulas(frame).to_csv(index=False, float_format="%.6g", lineterminator="\n").encode()


def _markdown(table: StudyTable) -> str:
    parts = [f"# {table.study.title}"]
    for wide in table.wide:
        parts += [wide.caption, show_markdown(wide.frame)]
    return "\n\n".join([*parts, *table.notes]) + "\n"


def _latex(table: StudyTable) -> str:
    r"""Tables for a document with `\usepackage{booktabs}`."""
    notes = " ".join(_escape(note) for note in table.notes)
    return "\n".join(_latex_table(wide, notes) for wide in table.wide)


def _latex_table(wide: WideTable, notes: str) -> str:
    # pandas escapes no arrow, no angle and no bracket, so cells come escaped
    styled = wide.frame.style.hide(axis="index").format(_escape).format_index(_escape, axis="columns")
    text: str = styled.to_latex(
        hrules=True,
        position_float="centering",
        column_format="l" * wide.frame.shape[1],
        caption=f"{_escape(wide.caption)}. {notes}",
    )
    return text.replace("\nchance &", "\n\\midrule\nchance &")


_LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "→": r"$\rightarrow$", "×": r"$\times$",
    "[": "{[}",  # right after \\ a bracket would be read as its argument
}  # fmt: skip


def _escape(text: object) -> str:
    return re.sub("|".join(map(re.escape, _LATEX)), lambda found: _LATEX[found[0]], printable(str(text)))
