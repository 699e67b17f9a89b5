"""The design check as lines of a terminal: what is there, what can be answered, what leaks, what to take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from camerabias.analysis.cues.wording import describe_differences, describe_in_short
from camerabias.analysis.design.cells import folded_cells, show_cells
from camerabias.analysis.design.check import FEATURES
from camerabias.analysis.design.names import count_of
from camerabias.analysis.design.wording import describe_effects, describe_photos, photos_to_take
from camerabias.analysis.statistics.number_format import show_estimate, show_share
from camerabias.sweeps.monitoring.console import console, lines_of, print_frame, print_sentence
from camerabias.sweeps.printing.results import COLUMNS, LINES, first_that_fit

if TYPE_CHECKING:
    from camerabias.analysis.cues.differences import Differences
    from camerabias.analysis.design.design import Design
    from camerabias.analysis.design.metadata_baselines import MetadataBaseline

INDENT = " " * 14
"""Before what belongs to a question."""

MAX_LABELS, MAX_CAMERAS = 4, 6
"""Rows and columns of the table of cells, where all is to fit a screen."""

LINES_OF_A_TABLE = 5
"""Its title, head and rules."""

LINES_OF_DIFFERENCES = 4
"""How cameras differ, likewise."""

LINES_AFTER = LINES_OF_DIFFERENCES + 5
"""What follows the design on a screen: that, the next step, --details, and the contact sheet of a DATASET."""


def print_design(design: Design, details: bool = True) -> None:
    """Print what the photos can tell before any training.

    Args:
        design: What was found of them.
        details: Whether to print all of it, else as much as leaves room on a screen for what follows.
    """
    if details:
        _print_all_of(design)
    else:
        _print_in_short(design)


def _print_in_short(design: Design) -> None:
    """How many photos, which questions they can test, and what stands out most."""
    room = LINES - LINES_AFTER - len(lines_of(_headline(design), "", COLUMNS))
    print_sentence(_headline(design))
    cells = _cells_that_fit(design)
    legend = "; * at a camera's associated label" if design.associated_labels else ""
    print_frame(cells, f"{_what_cells_hold(design)}{legend}", "label")
    room -= len(cells) + LINES_OF_A_TABLE + len(design.answers)
    for answer in design.answers.values():
        console.print(f"{'testable' if answer.answerable else 'not testable':<13} {answer.question}")
    wanting = [answer.why for answer in design.answers.values() if not answer.answerable]
    said = [
        *dict.fromkeys(wanting),
        *photos_to_take(design),
        *describe_photos(design),
        *_describe_leak(design),
    ]
    _print_all(first_that_fit(said, room, at_least=0), "• ")


def _what_cells_hold(design: Design) -> str:
    return "Photos (groups, where they are fewer)" if design.n_groups < design.n_photos else "Photos"


def _cells_that_fit(design: Design) -> pd.DataFrame:
    """Photos by label and camera, of as many cameras as a terminal's columns hold; a star at associated labels."""
    for n in range(MAX_CAMERAS, 1, -1):
        cells = show_cells(*folded_cells(design, MAX_LABELS, n))
        for camera in cells:
            own = cells.index == design.associated_labels.get(str(camera))
            cells[camera] = cells[camera].where(~own, cells[camera] + " *")
        columns = [["label", *cells.index], *([name, *cells[name]] for name in cells)]
        if sum(max(len(str(text)) for text in column) + 3 for column in columns) < COLUMNS:
            break
    return cells


def _describe_leak(design: Design) -> list[str]:
    """The best baseline of the label that works without a pixel, in a sentence.

    That headers tell the camera is no fault: a classifier sees none, and cameras may have been read from them.
    """
    best = [one for one in _leaks(design.baselines) if one.target == "label"][:1]
    return [
        f"Without a pixel, the label is predicted from {FEATURES[one.feature]}: accuracy "
        f"{show_estimate(one.accuracy)}, majority baseline {show_share(one.majority_baseline)}."
        for one in best
    ]


def _print_all_of(design: Design) -> None:
    console.print(_headline(design))
    print_frame(_cells(design), _what_cells_hold(design), "label")
    _print_head("Which questions these photos can test")
    for name, answer in design.answers.items():
        console.print(f"{'testable' if answer.answerable else 'not testable':<13} {answer.question}")
        print_sentence(answer.why, INDENT)
        if name == "use" and answer.answerable:
            _print_all(describe_effects(design.effects), INDENT)
    _print_leaks(design)
    for head, sentences in (
        ("What stands out", describe_photos(design)),
        ("Which photos to take", photos_to_take(design)),
    ):
        if sentences:
            _print_head(head)
            _print_all(sentences, "• ")


def print_differences(found: Differences, details: bool = True) -> None:
    """Print how the cameras of a label differ; nothing where none can be compared.

    Args:
        found: How.
        details: Whether to print all of it, else the camera that differs most, and whether all are identified.
    """
    if not details:
        _print_all(first_that_fit(describe_in_short(found), LINES_OF_DIFFERENCES), "• ")
    elif sentences := describe_differences(found):
        _print_head("How cameras differ in pixels, within a label (backdrops and light count too)")
        _print_all(sentences, "• ")


def _print_head(text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _print_all(sentences: Iterable[str], mark: str) -> None:
    for sentence in sentences:
        print_sentence(sentence, mark)


def _headline(design: Design) -> str:
    labels, cameras = design.photos.shape
    groups = [count_of(design.n_groups, "group", "groups")] if design.n_groups < design.n_photos else []
    counts = [
        count_of(design.n_photos, "photo", "photos"),
        count_of(labels, "label", "labels"),
        count_of(cameras, "camera", "cameras"),
        *groups,
        f"all {next(iter(design.formats))}" if len(design.formats) == 1 else _counts(design.formats),
    ]
    split = f". Your split: {_counts(design.sides)}" if design.sides else ""
    return f"{', '.join(counts)}{split}."


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in numbers.items())


def _cells(design: Design) -> pd.DataFrame:
    """Photos by label and camera, with groups in brackets where these are fewer, and associated labels."""
    shown = show_cells(*folded_cells(design))
    if not design.associated_labels:
        return shown
    associated = {camera: design.associated_labels.get(str(camera), "-") for camera in shown}
    return pd.concat([shown, pd.DataFrame(associated, index=["(associated label)"])])


def _print_leaks(design: Design) -> None:
    title = "What leaks without a pixel: accuracy from the file alone, against always naming the commonest"
    rows = [
        {
            "what": FEATURES[one.feature],
            "predicts": f"the {one.target}",
            "accuracy": show_estimate(one.accuracy),
            "majority baseline": show_share(one.majority_baseline),
        }
        for one in _leaks(design.baselines)
    ]
    if rows:
        console.print()
        print_frame(pd.DataFrame(rows), title)
        return
    _print_head("What leaks without a pixel")
    console.print(
        "• Nothing significant: size, format, JPEG tables and EXIF predict neither label nor camera."
    )


def _leaks(baselines: Iterable[MetadataBaseline]) -> list[MetadataBaseline]:
    """Baselines that work, best first; all headers together where they say more than each of them."""
    works = sorted((one for one in baselines if one.works), key=lambda one: -one.accuracy.mean)
    best = {one.target: one.accuracy.mean for one in reversed(works) if one.feature != "all headers"}
    found = [
        one for one in works if one.feature != "all headers" or one.accuracy.mean > best.get(one.target, 0)
    ]
    return sorted(found, key=lambda one: one.target != "label")
