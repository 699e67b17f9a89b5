"""Every test of the verdict: a file in this folder is all that one takes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from camerabias.analysis.verdict.evidence.base import TESTS, VerdictTest

ORDER = ("shortcut_effect", "identification", "sensor_pattern", "association", "counterfactual", "cues")
"""Who speaks first; tests that are not named here follow, by name."""


def all_tests() -> list[VerdictTest[object]]:
    """The tests of all files of this folder, in the order in which they speak."""
    for module in iter_modules([str(Path(__file__).parent)]):
        import_module(f"{__package__}.{module.name}")
    ranks = {name: rank for rank, name in enumerate(ORDER)}
    return sorted(TESTS.values(), key=lambda test: (ranks.get(test.name, len(ranks)), test.name))
