"""`camerabias sweep` and `search`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camerabias.datasets.io.printable import printable, typed
from camerabias.sweeps.cli.app import EXIT_ERROR, app, sweep_app
from camerabias.sweeps.cli.options import (
    AddressOption,
    DataOption,
    DetailsOption,
    InsistOption,
    LogOption,
    ModelsOption,
    NoPhotosOption,
    RecipeOption,
    RetryOption,
    RunOption,
    SeedsOption,
    SizeOption,
    StudiesArgument,
    TrialExecutorOption,
    WeightsOption,
    split_numbers,
    split_words,
)

if TYPE_CHECKING:
    from camerabias.sweeps.execution.outcome import SweepOutcome


@sweep_app.command(
    epilog="Example: camerabias sweep plan table2 --data datasets/demo --run runs/demo --weights none"
)
def plan(
    studies: StudiesArgument,
    data: DataOption,
    run: RunOption,
    models: ModelsOption = None,
    seeds: SeedsOption = None,
    recipe: RecipeOption = None,
    size: SizeOption = None,
    weights: WeightsOption = None,
    address: AddressOption = None,
    price: Annotated[
        float | None,
        typer.Option(help="Dollars per hour of one GPU (or core): also say what it may cost.", min=0),
    ] = None,
) -> None:
    """Print the trials that a sweep comes to, what is done already, and how long the rest may take and cost.

    With --address, training steps are timed on that cluster, otherwise on this machine.
    """
    from camerabias.sweeps.execution.executor import trial_executor
    from camerabias.sweeps.execution.sweep import Request, plan_sweep
    from camerabias.sweeps.planning.estimate import estimate_time
    from camerabias.sweeps.printing.plans import print_plan
    from camerabias.trainables.records.run import Run

    request = Request(
        data,
        run,
        size,
        weights,
        trial_executor("ray", address),
        models=split_words(models),
        seeds=split_numbers(seeds),
        recipe=recipe,
    )
    planned = plan_sweep(studies, request)
    print_plan(planned, estimate_time(planned, Run(run), request.executor.measure), price)


@sweep_app.command(
    "run", epilog="Example: camerabias sweep run table1 table2 --data datasets/demo --run runs/demo"
)
def run_(
    studies: StudiesArgument,
    data: DataOption,
    run: RunOption,
    models: ModelsOption = None,
    seeds: SeedsOption = None,
    recipe: RecipeOption = None,
    size: SizeOption = None,
    weights: WeightsOption = None,
    address: AddressOption = None,
    executor: TrialExecutorOption = None,
    retry_failed: RetryOption = False,
    no_photos: NoPhotosOption = False,
    allow_unauthenticated: InsistOption = False,
    log: LogOption = None,
    details: DetailsOption = False,
) -> None:
    """Run what is missing of some studies; the same command resumes after any interruption."""
    from camerabias.sweeps.execution.executor import trial_executor
    from camerabias.sweeps.execution.sweep import Request, run_sweep
    from camerabias.sweeps.printing.console_listener import ConsoleListener

    request = Request(
        data,
        run,
        size,
        weights,
        trial_executor(executor, address, allow_unauthenticated),
        models=split_words(models),
        seeds=split_numbers(seeds),
        recipe=recipe,
        retry_failed=retry_failed,
        no_photos=no_photos,
        log=split_words(log) or (),
    )
    outcome = run_sweep(studies, request, ConsoleListener(details))
    if not outcome.n_left:
        typer.echo(printable(f"Next: camerabias report {typed(run)}"))
    exit_if_failed(outcome)


@sweep_app.command(epilog="Example: camerabias sweep status runs/demo --watch")
def status(
    run: Annotated[str, typer.Argument(help="The run's folder.")],
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep showing it until everything has ended.")
    ] = False,
) -> None:
    """Print what a run's records say: how far every study is, what runs, what failed, and how long it may take."""
    from camerabias.sweeps.monitoring.watch import print_status, watch_status
    from camerabias.trainables.records.run import Run

    (watch_status if watch else print_status)(Run(run))


@sweep_app.command(epilog="Example: camerabias sweep pack runs/demo demo.tar.gz")
def pack(
    run: Annotated[str, typer.Argument(help="The run's folder.")],
    archive: Annotated[str, typer.Argument(help="The .tar.gz to write.")],
) -> None:
    """Put a run's records into one file, without weights and datasets; `sweep unpack` reads it back."""
    from camerabias.sweeps.runs.archive import pack_run
    from camerabias.trainables.records.run import Run

    typer.echo(printable(f"{archive}: {pack_run(Run(run), Path(archive))} files"))


@sweep_app.command(epilog="Example: camerabias sweep unpack demo.tar.gz runs/theirs")
def unpack(
    archive: Annotated[str, typer.Argument(help="A .tar.gz that `sweep pack` wrote.")],
    run: Annotated[str, typer.Argument(help="An empty folder or prefix.")],
) -> None:
    """Make a run's folder again from one file."""
    from camerabias.datasets.io.storage import Folder
    from camerabias.sweeps.runs.archive import unpack_run

    typer.echo(
        printable(
            f"{run}: {unpack_run(Path(archive), Folder(run))} files; see it with camerabias report {run}"
        )
    )


@app.command(
    epilog="Example: camerabias search examples/search_demo.yaml --data datasets/demo --run runs/demo"
)
def search(
    space: Annotated[str, typer.Argument(help="YAML file of what is tuned and what varies.")],
    data: DataOption,
    run: RunOption,
    size: SizeOption = None,
    weights: WeightsOption = None,
    address: AddressOption = None,
    executor: TrialExecutorOption = None,
    allow_unauthenticated: InsistOption = False,
) -> None:
    """Search a training recipe by validation loss alone; the same command resumes after any interruption."""
    from camerabias.analysis.report.search import write_search_report
    from camerabias.sweeps.execution.executor import trial_executor
    from camerabias.sweeps.execution.sweep import Setup
    from camerabias.sweeps.printing.console_listener import ConsoleListener
    from camerabias.sweeps.printing.results import print_search
    from camerabias.sweeps.search.search import run_search

    where = trial_executor(executor, address, allow_unauthenticated)
    record = run_search(space, Setup(data, run, size, weights, where), ConsoleListener())
    print_search(write_search_report(record), record.recipe_file)


def exit_if_failed(outcome: SweepOutcome) -> None:
    """Exit with 1 where a trial or a probe has failed, or some remain."""
    if outcome.failures or outcome.probe_failures or outcome.n_left:
        raise typer.Exit(EXIT_ERROR)
