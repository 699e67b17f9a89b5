"""What the figures share: rounds of two sides and how they are told, and what a command costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median


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
