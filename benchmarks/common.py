"""What the figures share: rounds of two sides and how they are told, and what a command costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median

import cv2

from camerabias.datasets.dataset import Dataset
from camerabias.datasets.io.decode import decode


@dataclass(frozen=True)
class Rounds:
    """Costs of two sides that took turns, since machines drift; seconds of the wall or of processors.

    Attributes:
        ours: Of our side, a number per round.
        against: Of what it is compared with.
    """

    ours: list[float]
    against: list[float]

    def tell(self, figure: str, sentence: str, faster: bool = True, **beside: object) -> None:
        """Print the ratio of the medians as a line of JSON and as a sentence.

        Args:
            figure: Its name.
            sentence: What was compared; `{ratio}`, `{ours}` and `{against}` are filled in.
            faster: The ratio is of speeds, ours over theirs; else of costs, ours over theirs.
            beside: What else belongs into the line.
        """
        ours, against = median(self.ours), median(self.against)
        numbers = {"ratio": against / ours if faster else ours / against, "ours": ours, "against": against}
        told = {name: round(number, 3) for name, number in numbers.items()}
        spread = {"ours_spread": _ends(self.ours), "against_spread": _ends(self.against)}
        print(
            json.dumps({"figure": figure, **told, **spread, **_machine(), "rounds": len(self.ours), **beside})
        )
        print(sentence.format(**told), flush=True)


def take_turns(rounds: int, ours: Callable[[], float], against: Callable[[], float]) -> Rounds:
    """What both sides cost, one after the other, `rounds` times."""
    costs = [(against(), ours()) for _ in range(rounds)]
    return Rounds([cost for _, cost in costs], [cost for cost, _ in costs])


def _machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}


def _ends(costs: list[float]) -> list[float]:
    return [round(min(costs), 3), round(max(costs), 3)]


@dataclass(frozen=True)
class Task:
    """What every side of a comparison of sweeps is given.

    Attributes:
        photos: A folder of PNG files, and a table of them, `photos.csv`.
        checkout: Of the program that is compared with.
        n_trials: How many.
        n_steps: Of each trial.
        folder: An empty folder to work in.
    """

    photos: Path
    checkout: Path
    n_trials: int
    n_steps: int
    folder: Path


Side = Callable[[Task], float]
"""Runs all trials, and returns their mean accuracy."""


def compare_sides(figure: str, sides: Mapping[str, Side], task: Task, rounds: int) -> None:
    """Run all sides in turns, and tell of each its accuracy and how many times as fast the first is."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, found in results.items():
            found.append(_time_side(name, sides[name], task))
    first = next(iter(results))
    for name, found in results.items():
        Rounds([one for one, _ in results[first]], [one for one, _ in found]).tell(
            f"{figure} {name}",
            f"{task.n_trials} trials: {first} {{ours}} s, {name} {{against}} s; ratio of speeds {{ratio}}.",
            trials=task.n_trials,
            accuracy=round(mean(one for _, one in found), 3),
        )


def _time_side(name: str, side: Side, task: Task) -> tuple[float, float]:
    """Seconds of a side, and its mean accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CAMERABIAS_CACHE"] = f"{folder}/cache"
        began = time.perf_counter()
        accuracy = side(replace(task, folder=Path(folder)))
        took = time.perf_counter() - began
    print(f"{name}: {took:.1f} s, accuracy {accuracy:.3f}", file=sys.stderr, flush=True)
    return took, accuracy


def write_png(folder: Path, dataset: Dataset, paths: Mapping[str, str]) -> None:
    """Write the photos of a dataset as PNG files, each to its path by image id."""
    for part in dataset.manifest.parts:
        for image_id, content in dataset.read_images(part.name):
            path = folder / paths[image_id]
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.cvtColor(decode(content), cv2.COLOR_RGB2BGR))


@dataclass(frozen=True)
class Cost:
    """Wall seconds, seconds of processors (of all threads and processes), and peak memory in GiB of one process."""

    wall: float
    computing: float
    gib: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.computing:.1f} s of processors), {self.gib:.2f} GiB"

    def tell(self, figure: str, sentence: str) -> None:
        """Print it as a line of JSON, and behind a sentence."""
        numbers = {name: round(number, 3) for name, number in vars(self).items()}
        print(json.dumps({"figure": figure, **numbers, **_machine()}))
        print(f"{sentence}: {self}.", flush=True)


LAUNCH = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20]))
"""
"""Runs a command from a small process, since Linux counts as a process's own the memory of whoever started it."""


def run_command(program: str, *arguments: str | Path) -> Cost:
    """What a program beside this Python costs, such as `camerabias`, from its start to its end."""
    command = [str(Path(sys.executable).with_name(program)), *map(str, arguments)]
    told = subprocess.run([sys.executable, "-c", LAUNCH, *command], check=True, stdout=subprocess.PIPE)
    return Cost(*json.loads(told.stdout))
