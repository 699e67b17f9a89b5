"""`camerabias check`, whose other name is `camerabias data show`."""

from __future__ import annotations

from typing import Annotated

import typer

from camerabias.sweeps.cli.app import EXIT_FAIL_ON, app, data_app
from camerabias.sweeps.cli.options import (
    CameraFromOption,
    CameraOption,
    ExecutorOption,
    GroupOption,
    ImagesOption,
    LabelOption,
    LayoutOption,
    MaxRejectedOption,
    OneVsRestOption,
    PathOption,
    choose,
    given_reading,
)


def check(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A table of photos, a folder of photos, or a DATASET.")],
    fail_on: Annotated[
        str | None,
        typer.Option(
            help="Problems, comma-separated, that make it exit with 3: cannot-tell (whether the classifier uses the "
            "camera), associated (label and camera), leaks (of the label, by what files say), shared (groups or "
            "near-duplicates, between training and test)."
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
) -> None:
    """Say in seconds what photos can tell before any training, and which photos are missing.

    Nothing is trained and no photo is copied. A DATASET also gets a contact sheet.
    """
    import camerabias
    from camerabias.analysis.design.problems import PROBLEMS

    failing = choose(fail_on, PROBLEMS, "--fail-on")
    found = camerabias.check(source, executor=executor, verbose=True, **given_reading(context, source))
    _draw_sheet(source)
    if hit := [name for name in failing if name in found.problems]:
        typer.echo(f"--fail-on: {', '.join(hit)}")
        raise typer.Exit(EXIT_FAIL_ON)
    if found.design.answers["use"].answerable:
        typer.echo(
            "\nNext: `camerabias audit` with the same photos and options, and --run FOLDER, gives a verdict."
        )


app.command(
    epilog="Examples: camerabias check photos.csv; camerabias check photos/ --camera-from exif; "
    "camerabias check photos.csv --fail-on leaks,shared"
)(check)
data_app.command(
    "show", help="Another name of `camerabias check`.", epilog="Example: camerabias data show datasets/demo"
)(check)


def _draw_sheet(source: str) -> None:
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
