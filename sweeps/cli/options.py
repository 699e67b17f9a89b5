"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated, Any

import typer

from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import CamerabiasError, CameraFrom, ExecutorName, Fit, Layout

RunOption = Annotated[str, typer.Option("--run", help="Folder or bucket prefix that holds the records.")]
DataOption = Annotated[str, typer.Option("--data", help="DATASET folder, from `camerabias data`.")]
ExecutorOption = Annotated[
    ExecutorName,
    typer.Option(help="`ray` spreads work over cores and machines; `local` keeps to this one."),
]
TrialExecutorOption = Annotated[
    ExecutorName | None,
    typer.Option(
        "--executor",
        help="`local` keeps trials to the cores of this machine, `ray` spreads them over GPUs and machines; by "
        "default `ray` on a cluster or with a GPU.",
    ),
]
LabelOption = Annotated[str, typer.Option(help="The table's column of what is to be learned.")]
CameraOption = Annotated[str, typer.Option(help="The table's column of the device that took the photo.")]
GroupOption = Annotated[
    str | None,
    typer.Option(
        help="Column of what must not be split between training and test (`group`, if there is one)."
    ),
]
CameraFromOption = Annotated[
    CameraFrom | None, typer.Option(help="`exif`: the camera is each photo's EXIF make and model.")
]
LayoutOption = Annotated[
    Layout | None,
    typer.Option(help="Levels of a folder SOURCE: `label/camera` (default), `camera/label`, or `label`."),
]
PathOption = Annotated[
    str | None,
    typer.Option("--path", help="The table's column of paths; by default a usual name such as `file_name`."),
]
ImagesOption = Annotated[
    str | None,
    typer.Option("--images", help="Folder of the table's photos, where they are found by name at any depth."),
]
OneVsRestOption = Annotated[
    str | None,
    typer.Option(help="A label, or a member of labels that are sets (A|B): all others become one label."),
]
FailOnOption = Annotated[
    str | None,
    typer.Option(help="Verdicts, comma-separated, that make it exit with 3: cheating,at-risk."),
]
FitOption = Annotated[
    Fit,
    typer.Option(
        help="How photos become a model's input: `resize` the short side and cut the centre out, "
        "`crop` unscaled pixels, or `pad`."
    ),
]
MaxRejectedOption = Annotated[
    float, typer.Option(help="Share of photos that may be undecodable before the import stops.", min=0, max=1)
]
ModelsOption = Annotated[
    str | None, typer.Option(help="Models, comma-separated, in place of the study's own: resnet34,alexnet.")
]
SeedsOption = Annotated[str | None, typer.Option(help="Seeds, comma-separated: 0,1,2.")]
SizeOption = Annotated[
    int | None,
    typer.Option(
        help="Side of the models' input in pixels, from 32; by default the dataset's own (small_cnn: at most 128).",
        min=32,
    ),
]
WeightsOption = Annotated[
    str | None,
    typer.Option(
        help="`imagenet`, `none` (train from scratch), or a file of weights, in place of the study's own."
    ),
]
RetryOption = Annotated[bool, typer.Option("--retry-failed", help="Run failed trials again.")]
NoPhotosOption = Annotated[
    bool, typer.Option("--no-photos", help="Keep pictures of photos out of the run and its report.")
]
DetailsOption = Annotated[
    bool,
    typer.Option(
        "--details", help="Print all that is behind the answer, too: tables, findings, every failure."
    ),
]
LogOption = Annotated[
    str | None,
    typer.Option(help="Log to these besides TensorBoard, comma-separated: mlflow,wandb."),
]
AddressOption = Annotated[
    str | None, typer.Option(help="Address of a Ray cluster; by default Ray starts here.")
]
InsistOption = Annotated[
    bool,
    typer.Option(
        "--allow-unauthenticated", help="Use a cluster that asks for no token, which anybody can run code on."
    ),
]
RecipeOption = Annotated[
    str | None, typer.Option(help="Training recipe: a shipped name or a YAML file, in place of the study's.")
]

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print everything for programs, as JSON, and nothing else.")
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Print nothing: the exit code, and what is written, have the answer.")
]

StudiesArgument = Annotated[list[str], typer.Argument(help="Names of studies, or YAML files.")]


def split_words(text: str | None) -> list[str] | None:
    """Comma-separated words; None where none were given."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def split_numbers(text: str | None) -> list[int] | None:
    """Comma-separated whole numbers; None where none were given."""
    words = split_words(text)
    if words is None:
        return None
    if not words or not all(word.isascii() and word.isdecimal() for word in words):
        raise CamerabiasError(
            f"--seeds {text!r} is not a list of whole numbers from 0; write for example 0,1,2."
        )
    return [int(word) for word in words]


def choose(text: str | None, allowed: Iterable[str], option: str) -> list[str]:
    """Comma-separated words of an option, blanks in them as `-`; exits with 2 where one is not allowed."""
    given = [word.replace(" ", "-") for word in split_words(text) or ()]
    names = list(allowed)
    if unknown := [word for word in given if word not in names]:
        raise typer.BadParameter(
            f"{', '.join(map(repr, unknown))} is not known{allowed_names(unknown, names)}",
            param_hint=option,
        )
    return given


def choose_verdicts(text: str | None) -> set[str]:
    """Verdicts of `--fail-on`, `at-risk` or `at risk`."""
    from camerabias.analysis.verdict.outcome import OUTCOMES

    words = {outcome.replace(" ", "-"): outcome for outcome in OUTCOMES}
    return {words[word] for word in choose(text, words, "--fail-on")}


def given_reading(context: typer.Context, source: str) -> dict[str, Any]:
    """The options that say how photos are read, those that were given; of photos in a DATASET they are refused."""
    from camerabias.datasets.dataset import is_dataset
    from camerabias.datasets.reading.photo import Reading
    from camerabias.photos import already_imported

    given = {
        name: context.params[name]
        for name in (*(field.name for field in fields(Reading)), "max_rejected")
        if (how := context.get_parameter_source(name)) and how.name == "COMMANDLINE"
    }
    if given and is_dataset(source):
        options = [f"--{name.replace('_', '-')}" for name in given]
        raise already_imported(source, options, "`camerabias data import`")
    return given
