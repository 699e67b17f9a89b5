"""The entry point: runs a command, and turns errors into exit codes."""

from __future__ import annotations

import sys
import tempfile
import traceback

from camerabias.datasets.schema import CamerabiasError
from camerabias.sweeps.cli import audit, cluster, data, report, sweep  # noqa: F401 - they add their commands
from camerabias.sweeps.cli.app import EXIT_BUG, EXIT_ERROR, app


def main() -> None:
    """Entry point; exit codes are 0, 1 (a sentence says why), 2 (usage), 3 (`--fail-on`) and 70 (our bug)."""
    try:
        app()
    except CamerabiasError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except Exception:  # noqa: BLE001 - nothing is swallowed: the traceback goes into a file that is named
        _apologise()
        sys.exit(EXIT_BUG)


def _apologise() -> None:
    with tempfile.NamedTemporaryFile("w", prefix="camerabias-", suffix=".log", delete=False) as log:
        log.write(" ".join(sys.argv) + "\n\n" + traceback.format_exc())
    last = traceback.format_exc().strip().splitlines()[-1]
    print(
        f"Sorry, this is a bug in camerabias: {last}\nPlease report it with the file {log.name}.",
        file=sys.stderr,
    )
