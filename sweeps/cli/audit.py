"""`camerabias audit` and `calibrate`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from camerabias.sweeps.cli.app import EXIT_FAIL_ON, answering, app
from camerabias.sweeps.cli.options import (
    AddressOption,
    CameraFromOption,
    CameraOption,
    DetailsOption,
    FailOnOption,
    GroupOption,
    ImagesOption,
    InsistOption,
    JsonOption,
    LabelOption,
    LayoutOption,
    MaxRejectedOption,
    NoPhotosOption,
    OneVsRestOption,
    PathOption,
    QuietOption,
    RecipeOption,
    RetryOption,
    RunOption,
    SeedsOption,
    SizeOption,
    TrialExecutorOption,
    choose_verdicts,
    given_reading,
    split_numbers,
)
from camerabias.sweeps.cli.report import report_document, show_report
from camerabias.sweeps.cli.sweep import exit_if_failed

if TYPE_CHECKING:
    from camerabias.analysis.report.tables import WideTable
    from camerabias.analysis.verdict.decide import Verdict
    from camerabias.sweeps.execution.outcome import SweepOutcome

Datasets = Literal["verdicts", "models", "precisions", "swaps"]
"""Datasets of a calibration."""


@app.command(
    epilog="Examples: camerabias audit photos.csv --run runs/mine --quick --weights none --model small_cnn; "
    "camerabias audit photos/ --camera-from exif --run runs/mine --fail-on cheating"
)
def audit(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A table of photos, a folder of photos, or a DATASET.")],
    run: RunOption,
    quick: Annotated[
        bool, typer.Option("--quick", help="Of a network at most 20 trials (with its own three seeds).")
    ] = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="Also which cue, strengths of correlation, unseen cameras, mitigations."),
    ] = False,
    fail_on: FailOnOption = None,
    fine_tune: Annotated[
        bool,
        typer.Option(
            "--fine-tune", help="Train a network after the linear probe (with a GPU, that is done unasked)."
        ),
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            help="Network to train, alone unless --fine-tune says otherwise: `small_cnn` is for CPUs."
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="Network whose features the linear probe stands on; by default EfficientNet-Lite0."
        ),
    ] = None,
    embeddings: Annotated[
        str | None,
        typer.Option(
            help="Table of your own features for the linear probe: `path`, and a column per feature."
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            help="`imagenet`, `none` (train from scratch), or a file of weights; by default ImageNet's."
        ),
    ] = None,
    seeds: SeedsOption = None,
    size: SizeOption = None,
    recipe: RecipeOption = None,
    label: LabelOption = "label",
    camera: CameraOption = "camera",
    group: GroupOption = None,
    camera_from: CameraFromOption = None,
    layout: LayoutOption = None,
    path: PathOption = None,
    images: ImagesOption = None,
    one_vs_rest: OneVsRestOption = None,
    max_rejected: MaxRejectedOption = 0.01,
    address: AddressOption = None,
    executor: TrialExecutorOption = None,
    retry_failed: RetryOption = False,
    no_photos: NoPhotosOption = False,
    details: DetailsOption = False,
    allow_unauthenticated: InsistOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Start what takes long without asking.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Import photos, look at their design, train on them, and say whether the classifier uses the camera.

    First a linear probe: a minute for 1,000 photos. A network is trained after it where there is a GPU, or with
    --fine-tune: weights `none` with the recipe `scratch` (`small_cnn`: `small`), pretrained ones with `paper`.
    """
    import camerabias

    if quick and full:
        raise typer.BadParameter("is the opposite of --full; give one of them", param_hint="--quick")
    failing = choose_verdicts(fail_on)
    with answering(as_json, quiet) as give:
        results = camerabias.audit(
            source, run, quick, full, model, fine_tune, backbone, embeddings, weights, split_numbers(seeds), size,
            recipe, executor, address, retry_failed, no_photos, allow_unauthenticated,
            check=False,  # a report is made of what there is
            verbose=True, details=details, confirm=None if yes else _ask, **given_reading(context, source),
        )  # fmt: skip
        made = show_report(run, details)
        give(lambda: report_document(made))
    _exit_with(made.verdict, results.outcomes, failing)


def _exit_with(verdict: Verdict | None, outcomes: Sequence[SweepOutcome], failing: set[str]) -> None:
    """Exit as an audit has ended: with 1 where trials failed, with 3 where the verdict is one of these."""
    for outcome in outcomes:
        exit_if_failed(outcome)
    if verdict is not None and verdict.verdict in failing:
        raise typer.Exit(EXIT_FAIL_ON)


def _ask(estimate: str) -> bool:
    """Whether to start what takes so long; a script, which cannot answer, says --yes beforehand."""
    from camerabias.sweeps.monitoring.console import console

    return sys.stdin.isatty() and not console.quiet and typer.confirm("Start?", default=True)


@app.command(
    epilog="Examples: camerabias calibrate calibration.jsonl; camerabias calibrate designs.jsonl --bank bank/"
)
def calibrate(
    lines: Annotated[
        Path, typer.Argument(help="File with a line of JSON per dataset; what it lacks is run and added.")
    ],
    jobs: Annotated[int, typer.Option(help="Datasets at a time, each on one core.", min=1)] = 2,
    part: Annotated[
        str, typer.Option(help="Share of the datasets to run, such as 1/3: for several machines.")
    ] = "1/1",
    datasets: Annotated[
        Datasets,
        typer.Option(
            help="Which: those that verdicts are held against; a dozen with three models each; the first in both "
            "precisions and with other seeds; photos of a bank given another camera's cue.",
        ),
    ] = "verdicts",
    bank: Annotated[
        Path | None,
        typer.Option(
            help="Folder of simulated worlds: judge the linear probe on designs dealt from it, or `swaps`."
        ),
    ] = None,
    tables: Annotated[
        bool, typer.Option("--tables", help="Run nothing; print the tables of the file.")
    ] = False,
) -> None:
    """Audit simulated datasets whose truth is known, and say how often the verdict is right."""
    if bank is None and datasets == "swaps":
        raise typer.BadParameter(
            "swaps are of photos of a bank; say where with --bank", param_hint="--datasets"
        )
    if bank is None:
        _calibrate_cases(lines, jobs, _part(part), datasets, run=not tables)
    elif datasets == "swaps":
        _calibrate_swaps(lines, bank, jobs, _part(part), run=not tables)
    elif datasets == "verdicts":
        _calibrate_designs(lines, bank, jobs, _part(part), run=not tables)
    else:
        raise typer.BadParameter(f"{datasets} are not dealt from a bank; choose one", param_hint="--datasets")


def _calibrate_cases(lines: Path, jobs: int, part: slice, datasets: Datasets, run: bool) -> None:
    from camerabias.analysis.calibration.cases import read_lines, summarise
    from camerabias.analysis.calibration.models import summarise_models, summarise_precisions
    from camerabias.sweeps.calibration.cases import cases, model_cases, precision_cases, run_cases
    from camerabias.sweeps.monitoring.console import console

    asked, tables = {
        "verdicts": (cases, summarise),
        "models": (model_cases, summarise_models),
        "precisions": (precision_cases, summarise_precisions),
    }[datasets]
    for line in run_cases(asked()[part] if run else [], lines, jobs):
        console.print(f"{line.case.name}: {line.verdict}")
    _print_tables(tables(read_lines(lines)))


def _calibrate_designs(lines: Path, bank: Path, jobs: int, part: slice, run: bool) -> None:
    from camerabias.analysis.calibration.designs import read_designs, summarise_designs
    from camerabias.datasets.io.storage import Folder
    from camerabias.sweeps.calibration.bank import worlds
    from camerabias.sweeps.calibration.run import run_designs
    from camerabias.sweeps.monitoring.console import console

    asked = worlds()[part]
    for done in run_designs(asked if run else [], Folder(str(bank)), lines, jobs):
        found = sum(line.verdict == "cheating" for line in done)
        console.print(f"world {done[0].design.world}: {found} of {len(done)} designs `cheating`")
    _print_tables(summarise_designs(read_designs(lines)))


def _calibrate_swaps(lines: Path, bank: Path, jobs: int, part: slice, run: bool) -> None:
    from camerabias.analysis.calibration.lines import read_documents
    from camerabias.analysis.calibration.swaps import SwapLine, summarise_swaps
    from camerabias.datasets.io.storage import Folder
    from camerabias.sweeps.calibration.bank import worlds
    from camerabias.sweeps.calibration.swaps import run_swaps, swaps
    from camerabias.sweeps.monitoring.console import console

    asked = swaps(worlds()[part]) if run else []
    for line in run_swaps(asked, Folder(str(bank)), lines, jobs):
        console.print(f"world {line.world}, {line.cue}: {line.swapped:.3f}, simulated {line.exact:.3f}")
    _print_tables(summarise_swaps(read_documents(lines, SwapLine)))


def _print_tables(tables: Sequence[WideTable]) -> None:
    from camerabias.analysis.report.tables import show_markdown

    for table in tables:
        typer.echo(f"\n{table.caption}\n\n{show_markdown(table.frame)}")


def _part(text: str) -> slice:
    """`2/3`: the second of three parts."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise typer.BadParameter(
            f"{text!r} is no shard; write 2/3 for the second of three", param_hint="--part"
        )
    return slice(int(number) - 1, None, int(count))
