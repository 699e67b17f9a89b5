"""Every test of the verdict: a file in this folder is all that one takes."""

from __future__ import annotations

from camerabias.analysis.verdict.evidence.base import TESTS, VerdictTest
from camerabias.datasets.io.registered import import_files

ORDER = (
    "shortcut_effect", "moved_cues", "task", "control", "sensitivity", "identification", "sensor_pattern",
    "association", "counterfactual", "cues",
)  # fmt: skip
"""Who speaks first; tests that are not named here follow, by name."""


def all_tests() -> list[VerdictTest[object]]:
    """The tests of all files of this folder, in the order in which they speak."""
    import_files("camerabias.analysis.verdict.evidence")
    ranks = {name: rank for rank, name in enumerate(ORDER)}
    return sorted(TESTS.values(), key=lambda test: (ranks.get(test.name, len(ranks)), test.name))
