"""What is printed of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from camerabias.sweeps.monitoring.console import cells_frame, console, count_statuses, duration, print_frame

if TYPE_CHECKING:
    from camerabias.sweeps.planning.estimate import TimeEstimate
    from camerabias.sweeps.planning.plan import Plan


def print_skipped(plan: Plan) -> None:
    """Name the settings that the dataset cannot serve."""
    for study in plan.studies:
        for skipped in study.skipped:
            console.print(f"Excluded: {skipped.target}, {skipped.setting}. {skipped.reason}")


def print_plan(plan: Plan, time_needed: TimeEstimate, price: float | None = None) -> None:
    """Print the trials of a sweep, a row per table cell, the cells of its settings, and the estimate.

    Args:
        plan: The trials.
        time_needed: How long those to run will take.
        price: Dollars per hour of one core or GPU; None prints no cost.
    """
    for study in plan.studies:
        counted = [
            (cell, count_statuses([plan.status(trial) for trial in cell.trials.values()]))
            for cell in study.cells
        ]
        print_frame(cells_frame(counted), f"{study.name}: {study.title}")
        trials = [plan.trials[trial] for cell in study.cells for trial in cell.trials.values()]
        n_cells = len(plan.dataset.manifest.labels) * len(plan.dataset.manifest.cameras)
        for setting in dict.fromkeys(trial.setting for trial in trials):
            if setting.weights is not None or len(setting.cells or ()) not in (0, n_cells):
                console.print(f"{setting.name} trains on {setting.describe_cells()}")
    sources = {config.source_size for config in plan.trials.values()} - {None}
    for source in sources:
        console.print(
            f"Crops are cut from the {source} × {source} original pixels around the centre of every photo"
        )
    print_skipped(plan)
    n_left = len(plan.to_run(retry_failed=False))
    console.print(f"{len(plan.trials)} trials, {len(plan.trials) - n_left} of them ended, {n_left} to run")
    if n_left:
        console.print(
            f"About {duration(time_needed.seconds)} of training steps on one {time_needed.device} (from "
            f"{time_needed.origin}), less where trials converge early or run side by side; start-up, validation and "
            "probes come on top"
        )
        if price is not None:
            dollars = time_needed.dollars(price)
            console.print(
                f"About ${dollars:,.2f} at ${price:,.2f} per {time_needed.device} and hour, however many run at once"
            )
