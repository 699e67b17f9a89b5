"""Calibrating the audit: datasets whose truth is known are audited blind, and what came out is kept, a line for each.

A case is a simulated dataset: cues that are planted, how strongly label and camera are associated, a seed. Its line
holds the verdict, the evidence and the truth; `analysis.calibration` makes tables of many lines.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

from camerabias.analysis.calibration.cases import SEEDS, SMALL, Case, Line, is_planted, read_lines
from camerabias.analysis.calibration.lines import append_documents
from camerabias.analysis.records.load import load_records
from camerabias.analysis.statistics.number_format import without_nan
from camerabias.analysis.verdict.decide import decide, investigate
from camerabias.datasets.cues.names import PLANTED
from camerabias.datasets.ingest.create import simulate_dataset
from camerabias.datasets.io.executor import LocalExecutor
from camerabias.datasets.io.storage import Folder
from camerabias.datasets.schema import N_FOLDS
from camerabias.datasets.simulator import SimulatorSpec, preset_spec
from camerabias.sweeps.audit.audit import Audit, Step, Suite, run_audits
from camerabias.sweeps.calibration.bank import plant
from camerabias.sweeps.calibration.pool import in_pool
from camerabias.sweeps.execution.executor import LocalTrialExecutor
from camerabias.sweeps.execution.sweep import Request
from camerabias.trainables.spec.linear_probe import LINEAR, USUAL_BACKBONE

SIZE = 64

OTHER_SEEDS = tuple(N_FOLDS + seed for seed in SEEDS)
"""Trials of these test the same folds as those of the usual seeds, and train anew."""


@dataclass(frozen=True)
class ModelTraining:
    """How a model is audited.

    Attributes:
        recipe: Name of its recipe; a linear probe takes none.
        weights: What it begins with.
    """

    recipe: str | None
    weights: str


MODELS = {
    SMALL: ModelTraining("calibration", "none"),
    f"{LINEAR}{USUAL_BACKBONE}": ModelTraining(None, "imagenet"),
    USUAL_BACKBONE: ModelTraining("fine_tuning", "imagenet"),
}
"""Models that cases are of: from scratch, a probe of a frozen network, and the same network fine-tuned."""

HALF = 0.5
CORRELATIONS = (0.6, 0.8)
"""A fifth, and a tenth, of the photos are bias-conflicting."""


def cases() -> list[Case]:
    """Every case of the calibration, in an order that mixes kinds, so that a part of it tells something of all."""
    nulls = [Case(kind="null", planted={}, correlation=CORRELATIONS[n % 2], seed=1000 + n) for n in range(40)]
    # 790 photos cannot be dealt quite evenly, so that cameras imply labels by a hair, as those of real photos do
    unrelated = [
        Case(kind="null", planted={name: 1.0}, correlation=0.0, seed=2000 + n, images=790)
        for n, name in enumerate(list(PLANTED) * 3)
    ]
    single = [
        Case(
            kind="planted", planted={name: strength}, correlation=CORRELATIONS[n % 2], seed=3000 + 100 * n + k
        )
        for n, strength in enumerate((1.0, 1.0, 1.0, 1.0, 1.0, HALF))
        for k, name in enumerate(PLANTED)
    ]
    pairs = [
        Case(
            kind="planted", planted={first: 1.0, second: 1.0}, correlation=CORRELATIONS[n % 2], seed=4000 + n
        )
        for n, (first, second) in enumerate(combinations(PLANTED, 2))
    ]
    disjoint = [
        Case(kind="unidentifiable", planted={name: 1.0} if name else {}, correlation=1.0, seed=5000 + n)
        for n, name in enumerate(["", "white balance", "noise", "jpeg", "", "blur"])
    ]
    kinds = [nulls, unrelated, single, pairs, disjoint]
    ranked = [((k + 0.5) / len(kind), n, case) for n, kind in enumerate(kinds) for k, case in enumerate(kind)]
    return [case for *_, case in sorted(ranked, key=lambda ranked: ranked[:2])]


def model_cases() -> list[Case]:
    """A dozen of the cases, by every model: three without a cue, one of every cue alone, two of two cues."""
    nulls = [case for case in cases() if case.kind == "null" and not case.planted]
    alone = {name: case for case in reversed(cases()) for name in case.planted if is_planted(case, 1, 1.0)}
    pairs = [case for case in cases() if is_planted(case, 2, 1.0)]
    dozen = [*nulls[:3], *alone.values(), *pairs[:2]]
    return [case.model_copy(update={"model": model}) for case in dozen for model in MODELS]


def precision_cases() -> list[Case]:
    """All cases in float32, in bfloat16, and in float32 with other seeds, which says what chance alone changes."""
    changes: list[dict[str, object]] = [{}, {"precision": "bfloat16"}, {"seeds": OTHER_SEEDS}]
    return [case.model_copy(update=change) for case in cases() for change in changes]


def run_cases(asked: Sequence[Case], out: Path, jobs: int) -> Iterator[Line]:
    """Audit the cases that a file has no line of, and add their lines as they come.

    Args:
        asked: The cases.
        out: A file of one JSON document per line; made where it is not there.
        jobs: Cases at a time, each on one core.

    Yields:
        Each new line.
    """
    done = {line.case.name for line in read_lines(out)}
    missing = [case for case in asked if case.name not in done]
    for line in in_pool(audit_case, missing, jobs):
        append_documents(out, [line])
        yield line


def spec_of(case: Case) -> SimulatorSpec:
    """What a case simulates: cameras that differ in the planted cues alone."""
    return preset_spec("demo", case.images, SIZE, plant(case.planted), case.seed, case.correlation)


def audit_case(case: Case) -> Line:
    """Simulate a case and audit it as the command does, with all that every camera would have made of the bottles."""
    began, training = time.monotonic(), MODELS[case.model]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["CAMERABIAS_CACHE"] = f"{scratch}/cache"
        simulate_dataset(spec_of(case), Folder(scratch).child("dataset"), LocalExecutor())
        request = Request(
            f"{scratch}/dataset",
            f"{scratch}/run",
            models=[case.model],
            recipe=_recipe_of(case, Path(scratch)),
            weights=training.weights,
            executor=LocalTrialExecutor(),
        )
        run_audits([Audit(request, Suite(Step("audit", case.seeds)))])
        found = investigate(load_records(request.run))
    assert found is not None, "the run was audited"
    verdict = decide(found)
    return Line(
        case=case,
        verdict=verdict.verdict,
        evidence=verdict.evidence,
        kept=dict(zip(found.cameras["view"], map(without_nan, found.cameras["kept"]), strict=True)),
        seconds=time.monotonic() - began,
        version=version("camerabias"),
    )


def _recipe_of(case: Case, folder: Path) -> str | None:
    """Name of the recipe of a case's model, or a file in the folder with the same in another precision."""
    recipe = MODELS[case.model].recipe
    if case.precision == "float32":
        return recipe
    path = folder / "recipe.yaml"
    path.write_text(f"base: {recipe}\nprecision: {case.precision}\n")
    return str(path)
