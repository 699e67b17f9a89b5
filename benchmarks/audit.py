"""How long an audit takes: the design check, `--quick` and the default, of 1,000 photos of 128 × 128 on this machine.

`python benchmarks/audit.py` simulates photos whose cameras go with their labels, so that every experiment is run, and
times the real commands, a process each; `--quick-only` leaves the default suite out.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AIMS = {"design check": 10, "--quick": 6 * 60, "default": 20 * 60}
"""Seconds, on two cores."""


CHECK = """
import sys
from camerabias.analysis.design.check import check_design
from camerabias.datasets.dataset import open_dataset
from camerabias.datasets.inspection.metadata import gather_facts
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.sweeps.printing.design import print_design
print_design(check_design(gather_facts(open_dataset(sys.argv[1]), LocalExecutor())))
"""
"""The design check as an audit begins with it; `data show` draws a contact sheet besides."""


def timed(*command: str | Path) -> float:
    """Seconds that a process takes, its start included."""
    began = time.monotonic()
    subprocess.run([*map(str, command)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick-only", action="store_true")
    asked = parser.parse_args()
    program = Path(sys.executable).with_name("camerabias")
    with tempfile.TemporaryDirectory() as scratch:
        dataset = Path(scratch) / "dataset"
        cues = ["--cues", "none,white_balance=2,colour_matrix=2", "--correlation", "0.8"]
        timed(program, "data", "simulate", dataset, *cues, "--executor", "local")
        model = ["--model", "small_cnn", "--weights", "none"]
        seconds = {"design check": timed(sys.executable, "-c", CHECK, dataset)}
        seconds["--quick"] = timed(program, "audit", dataset, "--run", f"{scratch}/quick", "--quick", *model)
        if not asked.quick_only:
            shutil.rmtree(dataset / "variants")  # as if nobody had audited these photos before
            seconds["default"] = timed(program, "audit", dataset, "--run", f"{scratch}/default", *model)
    for name, took in seconds.items():
        print(f"{name}: {took:.0f} s (aim {AIMS[name]} s)")


if __name__ == "__main__":
    main()
