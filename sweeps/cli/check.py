"""`camerabias check`, whose other name is `camerabias data show`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from camerabias.datasets.io.printable import typed
from camerabias.sweeps.cli.app import EXIT_FAIL_ON, answering, app, data_app, rows_of
from camerabias.sweeps.cli.options import (
    CameraFromOption,
    CameraOption,
    DetailsOption,
    ExecutorOption,
    GroupOption,
    ImagesOption,
    JsonOption,
    LabelOption,
    LayoutOption,
    MaxRejectedOption,
    OneVsRestOption,
    PathOption,
    QuietOption,
    choose,
    given_reading,
)

if TYPE_CHECKING:
    from camerabias.checking import DesignCheck


def check(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A table of photos, a folder of photos, or a DATASET.")],
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Problems, comma-separated, that make it exit with 3: cannot-tell (whether the classifier uses the "
            "camera), associated (label and camera), leaks (labels by headers), shared (groups or near-duplicates "
            "between training and test)."
        ),
    ] = None,
    label: LabelOption = "label",
    camera: CameraOption = "camera",
    group: GroupOption = None,
    camera_from: CameraFromOption = None,
    layout: LayoutOption = None,
    path: PathOption = None,
    images: ImagesOption = None,
    one_vs_rest: OneVsRestOption = None,
    max_rejected: MaxRejectedOption = 0.01,
    executor: ExecutorOption = "local",
    details: DetailsOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Say in seconds what photos can tell before any training, and which photos are missing.

    Nothing is trained and no photo is copied. A DATASET also gets a contact sheet.
    """
    import camerabias
    from camerabias.analysis.design.problems import PROBLEMS
    from camerabias.sweeps.monitoring.console import console, print_sentence

    failing = choose(fail_on, PROBLEMS, "--fail-on")
    with answering(as_json, quiet) as give:
        found = camerabias.check(
            source, executor=executor, verbose=True, details=details, **given_reading(context, source)
        )
        draw_sheet(source)
        give(lambda: _document(found))
        if found.design.answers["use"].answerable:
            print_sentence(f"Next, for a verdict: {_audit_line(context, source)}")
        if not details:
            console.print("--details prints the reasons, every leak, and how each camera differs.")
        if hit := [name for name in failing if name in found.problems]:
            console.print(f"--fail-on: {', '.join(hit)}")
            raise typer.Exit(EXIT_FAIL_ON)


def _audit_line(context: typer.Context, source: str) -> str:
    """The line that audits the same photos, read in the same way."""
    given = [
        f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
        for name, value in given_reading(context, source).items()
    ]
    return f"`{' '.join(['camerabias audit', typed(source), *given, '--run runs/mine'])}`"


app.command(
    epilog="Examples: camerabias check photos.csv; camerabias check photos/ --camera-from exif; "
    "camerabias check photos.csv --fail-on leaks,shared"
)(check)
data_app.command(
    "show", help="Another name of `camerabias check`.", epilog="Example: camerabias data show datasets/demo"
)(check)


def _document(found: DesignCheck) -> dict[str, Any]:
    """All that `check` has found: what it prints as sentences and names, and frames as lists of rows."""
    frames = {
        "answers": found.answers,
        "needed": found.needed,
        "cells": found.cells,
        "cameras": found.cameras,
        "baselines": found.baselines,
        "near_duplicates": found.near_duplicates,
        "camera_differences": found.camera_differences,
        "recognition": found.recognition,
    }
    return {
        "n_photos": found.design.n_photos,
        "problems": found.problems,
        "notes": found.notes,
        "sentences": found.sentences,
        **{name: rows_of(frame) for name, frame in frames.items()},
    }


def draw_sheet(source: str) -> None:
    """Draw the contact sheet of a DATASET, once; one that cannot be written to goes without."""
    from camerabias.datasets.dataset import is_dataset, open_dataset
    from camerabias.datasets.inspection.contact_sheet import contact_sheet
    from camerabias.datasets.io.storage import StorageError
    from camerabias.datasets.schema import MANIFEST_FILE
    from camerabias.sweeps.monitoring.console import console

    if not is_dataset(source):
        return
    dataset, name = open_dataset(source), "contact_sheet.png"
    folder = dataset.folder
    if not folder.exists(name) or folder.changed(name) < folder.changed(MANIFEST_FILE):
        try:
            folder.write_bytes(name, contact_sheet(dataset))
        except StorageError as error:
            console.print(f"No contact sheet: {error}")
            return
    console.print(f"Contact sheet: {folder.file(name)}")
