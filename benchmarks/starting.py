"""Seconds from the command to the first trial's start, by executor. Aims: 12 with Ray, 4 without, on two cores.

    python -m benchmarks starting [EXECUTOR ...]

EXECUTOR is `local`, `ray` or, by default, both. A study of one trial of two steps with `test_resnet` on photos whose
variant is built: from the command's start until the trial's record begins, which is the last that it does before it
trains. Seconds of the wall: on an idle machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import yaml

from benchmarks.bare_training import MODEL, make_dataset, make_recipe

ROUNDS, AIMS = 3, {"local": 4, "ray": 12}


def main(arguments: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        make_dataset(folder / "dataset", n_images=200)
        study = {"title": "start", "models": [MODEL], "seeds": [0], "recipe": make_recipe(2, 1).model_dump()}
        grids = [{"target": "camera", "settings": ["natural"]}]
        (folder / "start.yaml").write_text(yaml.safe_dump({**study, "grids": grids}))
        for executor in arguments or AIMS:
            seconds = [time_start(folder, executor, number) for number in range(ROUNDS)]
            told = {"seconds": round(median(seconds), 2), "spread": [round(s, 2) for s in sorted(seconds)]}
            print(json.dumps({"figure": f"starting {executor}", **told}))
            print(
                f"{executor}: {median(seconds):.1f} s to the first trial (aim {AIMS[executor]} s).",
                flush=True,
            )


def time_start(folder: Path, executor: str, number: int) -> float:
    run = folder / f"run-{executor}-{number}"
    command = [Path(sys.executable).with_name("camerabias"), "sweep", "run", folder / "start.yaml"]
    options = ["--data", folder / "dataset", "--run", run, "--weights", "none", "--executor", executor]
    began = time.perf_counter()
    with subprocess.Popen([*map(str, [*command, *options])], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not [*run.glob("trials/*/config.json")]:
            time.sleep(0.02)
        took = time.perf_counter() - began
    assert process.returncode == 0
    return took
