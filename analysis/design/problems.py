"""What in a design a check can be made to fail on, each by a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from camerabias.analysis.design.design import Design
from camerabias.analysis.statistics.permutation import LEVEL

PROBLEMS: Mapping[str, Callable[[Design], bool]] = {
    "cannot-tell": lambda design: not design.answers["use"].answerable,
    "associated": lambda design: design.association.p <= LEVEL,
    "leaks": lambda design: any(
        one.works for one in design.baselines if (one.target, one.feature == "camera") == ("label", False)
    ),
    "shared": lambda design: design.crossing_groups > 0 or design.duplicates.n_crossing > 0,
}
"""In the order in which they matter: whether the classifier uses the camera cannot be tested; label and camera are
associated; what files say predicts the label; photos of
one group, or near-duplicates, lie on both sides of a test."""


def problems(design: Design) -> list[str]:
    """Names of the problems that a design has."""
    return [name for name, found in PROBLEMS.items() if found(design)]
