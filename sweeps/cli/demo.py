"""`camerabias demo`: an answer within a minute, then the paper's tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from camerabias.sweeps.cli.app import app
from camerabias.sweeps.cli.check import draw_sheet
from camerabias.sweeps.cli.options import (
    DetailsOption,
    RunOption,
    SeedsOption,
    TrialExecutorOption,
    split_numbers,
)
from camerabias.sweeps.cli.report import show_report
from camerabias.sweeps.cli.sweep import exit_if_failed

if TYPE_CHECKING:
    from camerabias.datasets.dataset import Dataset
    from camerabias.sweeps.execution.listener import Listener

MEASURED = 300
"""Photos whose pixels are measured: those of some sixty bottles, in three seconds."""

NEXT = """\
Next, with photos of your own (columns path, label, camera), or with predictions:
  camerabias check photos.csv
  camerabias audit photos.csv --run runs/mine
  camerabias judge predictions.csv"""


@app.command(epilog="Examples: camerabias demo; camerabias demo --run runs/demo --seeds 0")
def demo(
    run: RunOption = "runs/demo",
    seeds: SeedsOption = None,
    executor: TrialExecutorOption = None,
    details: DetailsOption = False,
) -> None:
    """Simulate photos, see a classifier read off the camera within a minute, then repeat two tables of the paper.

    Ten minutes on two cores. Interrupted, the same command resumes.
    """
    import camerabias
    from camerabias.datasets.io.storage import Folder
    from camerabias.sweeps.execution.executor import LocalTrialExecutor, trial_executor
    from camerabias.sweeps.execution.sweep import Request, run_sweep
    from camerabias.sweeps.printing.console_listener import ConsoleListener

    listener = ConsoleListener(details)
    dataset = camerabias.simulate(Folder(run).child("dataset").uri, verbose=True)
    draw_sheet(dataset.folder.uri)
    _show_differences(dataset, listener)
    request = Request(dataset.folder.uri, run, executor=LocalTrialExecutor())
    first = run_sweep(["demo_probe"], request, listener)
    show_report(run)
    exit_if_failed(first)
    typer.echo(
        "That page can be opened now. A small network is trained next, as in the paper: some minutes.\n"
    )
    request = replace(request, seeds=split_numbers(seeds), executor=trial_executor(executor))
    outcome = run_sweep(["demo"], request, listener)
    show_report(run, details)
    if not (outcome.n_left or outcome.failures):
        typer.echo(NEXT)
    exit_if_failed(outcome)


def _show_differences(dataset: Dataset, listener: Listener) -> None:
    """How the simulated cameras differ, measured on some of the photos."""
    from camerabias.analysis.cues.differences import find_differences
    from camerabias.datasets.inspection.pixels import pixels_of
    from camerabias.datasets.io.executor import LocalExecutor

    with listener.counting("Measuring pixels, shards") as report:
        pixels = pixels_of(dataset, LocalExecutor(), report, MEASURED)
    rows = dataset.index[dataset.index["image_id"].isin(pixels["image_id"])]
    listener.differences(find_differences(rows, pixels))
