"""`camerabias submit` and `doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from camerabias.datasets.io.printable import printable
from camerabias.datasets.near_names import allowed_names
from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.cli.app import EXIT_ERROR, app
from camerabias.sweeps.cli.options import AddressOption, InsistOption


@app.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: camerabias submit -- sweep run table2 --data s3://mine/photos --run s3://mine/runs/table2",
)
def submit(
    command: Annotated[list[str], typer.Argument(help="A command of camerabias, after --.")],
    address: Annotated[
        str, typer.Option(help="Of the cluster's dashboard, which `ray dashboard cluster.yaml` brings here.")
    ] = "http://127.0.0.1:8265",
    allow_unauthenticated: InsistOption = False,
) -> None:
    """Run a command on a cluster, with this code and the files that it names."""
    from camerabias.sweeps.remote.submit import submit_command

    submitted = submit_command(command, _parse(command), address, allow_unauthenticated)
    typer.echo(f"Submitted as {submitted.job}. After any interruption, the same command resumes.")
    for what, follow_up in submitted.follow_up:
        typer.echo(printable(f"  {what}: {follow_up}"))


@app.command(
    epilog="Examples: camerabias doctor; camerabias doctor --run s3://mine/runs/table2 --address auto"
)
def doctor(
    run: Annotated[str | None, typer.Option("--run", help="A run whose storage is checked.")] = None,
    address: AddressOption = None,
) -> None:
    """Find out whether this machine, a run's storage and a cluster are fit for a sweep."""
    from camerabias.sweeps.remote.doctor import examine

    problems = 0
    for finding in examine(run, address):
        problems += finding.level == "problem"
        typer.echo(printable(f"{finding.level:8} {finding.text}"))
    if problems:
        raise typer.Exit(EXIT_ERROR)


def _parse(arguments: Sequence[str]) -> dict[str, Any]:
    """Parameters of a command, as its own parser reads them; wrong usage is told as it would be on the cluster."""
    command, words = get_command(app), list(arguments)
    while isinstance(command, TyperGroup):
        name = words.pop(0) if words else ""
        if name not in command.commands:
            raise CamerabiasError(f"There is no command {name!r}{allowed_names(name, command.commands)}.")
        command = command.commands[name]
    return command.make_context(command.name, words).params
