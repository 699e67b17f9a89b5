"""`camerabias judge`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.cli.app import EXIT_FAIL_ON, answering, app
from camerabias.sweeps.cli.options import (
    DetailsOption,
    FailOnOption,
    JsonOption,
    NoPhotosOption,
    OneVsRestOption,
    QuietOption,
    choose_verdicts,
)


def _column(what: str, name: str) -> Any:
    return typer.Option(
        f"--{name}",
        help=f"Column of {what}.",
        rich_help_panel="Columns, where their names are not usual ones",
    )


@app.command(
    epilog="Examples: camerabias judge predictions.csv; camerabias judge test.csv --training train.csv; "
    "camerabias judge test.csv --associated iPhone=cat --associated Pixel=dog"
)
def judge(
    predictions: Annotated[
        str,
        typer.Argument(
            help="A table with true label, prediction and camera of every photo, or an audited RUN."
        ),
    ],
    training: Annotated[
        str | None,
        typer.Option(
            help="Table of label and camera of the training photos: which label each is associated with."
        ),
    ] = None,
    associated: Annotated[
        list[str] | None,
        typer.Option(
            help="CAMERA=LABEL: the label that the camera is associated with in training.",
            metavar="CAMERA=LABEL",
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="Folder or bucket prefix to write the verdict, the rows and a page to."),
    ] = None,
    no_photos: NoPhotosOption = False,
    fail_on: FailOnOption = None,
    one_vs_rest: OneVsRestOption = None,
    details: DetailsOption = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    label: Annotated[str | None, _column("the true label", "label")] = None,
    prediction: Annotated[str | None, _column("the predicted label", "prediction")] = None,
    camera: Annotated[str | None, _column("the device that took the photo", "camera")] = None,
    scores: Annotated[
        str | None, _column("scores: the beginning of their names, such as prob_, or the only one", "scores")
    ] = None,
    group: Annotated[str | None, _column("what belongs together, such as a patient", "group")] = None,
    split: Annotated[str | None, _column("train or test", "split")] = None,
    seed: Annotated[str | None, _column("which of several models has predicted", "seed")] = None,
    fold: Annotated[str | None, _column("the part that was tested in cross-validation", "fold")] = None,
    image: Annotated[str | None, _column("the photo's path or name", "image")] = None,
    predicted_camera: Annotated[
        str | None, _column("what a classifier of the camera has predicted", "predicted-camera")
    ] = None,
) -> None:
    """Judge a classifier that you have, from its predictions: does it use the camera?

    Nothing is trained, and no photo is read.
    """
    import camerabias
    from camerabias.sweeps.monitoring.console import console
    from camerabias.sweeps.printing.results import print_judgement

    failing = choose_verdicts(fail_on)
    found = camerabias.judge(
        predictions, training, _pairs(associated), label, prediction, camera, scores, group, split, seed, fold,
        image, predicted_camera, one_vs_rest,
    )  # fmt: skip
    with answering(as_json, quiet) as give:
        print_judgement(found.document, found.notes, details)
        page = found.write(run, no_photos) if run else None  # after what was asked for is on the screen
        console.print(
            f"Report: {page}" if page else "Nothing is written; --run FOLDER keeps this, with a page."
        )
        give(lambda: {**found.document.model_dump(mode="json"), "notes": found.notes, "report": found.page})
        if found.verdict in failing:
            console.print(f"--fail-on: {found.verdict}")
            raise typer.Exit(EXIT_FAIL_ON)


def _pairs(associated: list[str] | None) -> dict[str, str] | None:
    if not associated:
        return None
    pairs = {}
    for text in associated:
        camera, sign, label = text.rpartition("=")
        if not (camera.strip() and sign and label.strip()):
            raise CamerabiasError(f"--associated {text!r} is no CAMERA=LABEL; write for example iPhone=cat.")
        pairs[camera.strip()] = label.strip()
    return pairs
