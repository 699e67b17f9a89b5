"""What the checks have in common: an estimate per model, compared with a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from camerabias.analysis.paper.evidence import ClaimedCells, NotTestedError, Recorded
from camerabias.analysis.paper.outcome import ClaimOutcome, ClaimResult, worst
from camerabias.analysis.statistics.bootstrap import Comparison
from camerabias.trainables.records.record import ProbeArrays


def compare(first: ClaimedCells, second: ClaimedCells) -> str:
    """What differs between two choices: `disjoint minus balanced`."""
    words = [(c.setting, c.views, f"cameras {c.cameras}") for c in (first, second)]
    differing = [pair for pair in zip(*words, strict=True) if pair[0] != pair[1]]
    return " minus ".join(", ".join(side) for side in zip(*differing, strict=True))


def expected(found: Comparison, expected: Comparison) -> ClaimOutcome:
    """What a comparison comes to where a claim expects another, or the same."""
    if found == "cannot tell":
        return "cannot tell"
    return "holds" if found == expected else "does not hold"


def each(results: Mapping[str, tuple[ClaimOutcome, str]]) -> ClaimResult:
    """One result of those by model: the models for which it does not hold, or is not decided, are named first."""
    if not results:
        raise NotTestedError("no model has finished both of what is compared")
    outcomes = [outcome for outcome, _ in results.values()]
    names = {o: [m for m, (found, _) in results.items() if found == o] for o in dict.fromkeys(outcomes)}
    exceptions = [
        f"{outcome} for {', '.join(models)}" for outcome, models in names.items() if outcome != "holds"
    ]
    numbers = "; ".join(f"{model} {text}" for model, (_, text) in results.items())
    prefix = f"{'; '.join(exceptions)}: " if len(names) > 1 else ""
    return ClaimResult(worst(outcomes), prefix + numbers)


def probed(evidence: Recorded, claimed: ClaimedCells, kind: str) -> dict[str, Iterator[ProbeArrays]]:
    """The probes of a kind, per model those of all seeds; one at a time, as they are large."""
    cells = evidence.cells(claimed)
    found: dict[str, Iterator[ProbeArrays]] = {}
    for model in evidence.chosen(claimed):
        probes = (probe for _, probe in evidence.records.probes(cells[model], kind))
        first = next(probes, None)
        if first is not None:
            found[model] = chain([first], probes)
    if not found:
        raise NotTestedError(f"the probe {kind} has not run under {claimed.setting}")
    return found
