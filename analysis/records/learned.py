"""When a trial had learned its target."""

from __future__ import annotations

from camerabias.analysis.records.records import Records
from camerabias.analysis.records.wording import PLAIN
from camerabias.analysis.statistics.accuracy import (
    chance,
)
from camerabias.analysis.statistics.learning import learning_threshold, steps_to_threshold
from camerabias.datasets.schema import Target
from camerabias.trainables.spec.linear_probe import is_linear


def steps_learned(records: Records, target: Target, setting: str) -> dict[tuple[str, int], int | None]:
    """The step at which each finished trial on plain photos had learned its target, by model and seed.

    Of networks: a linear probe is fitted at once.
    """
    learned = {}
    for cell in records.cells(target, setting, PLAIN):
        if is_linear(cell.model):
            continue
        for seed, trial in records.done(cell).items():
            threshold = learning_threshold(chance([records.predictions(trial)]))
            steps = steps_to_threshold(records.validations(trial), threshold)
            learned[f"{cell.model} at {cell.size}", seed] = steps
    return learned
